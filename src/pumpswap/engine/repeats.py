"""RepeatedRefusals: a refusal that says what the last one of its pool has said is counted, not told anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Decision, Verdict

__all__ = ["Repeat", "RepeatedRefusals"]

_MOST_KEPT = 20_000  # then what is too old to be repeated is thrown out

# What they object to has a reason beside the numbers: which fault, who halted it, what obstacle, which list.
_STATES = frozenset(
    {
        "trading state",
        "mode",
        "books",
        "screen",
        "venue",
        "token lists",
        "circuit breaker",
        "daily loss",
        "drawdown",
        "loss streak",
    }
)
_RUNNING = re.compile(r"\d[\d.,:]*")

_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Repeat:
    """``of`` is the decision that is stored, ``count`` how often it was decided again for the same ``reasons``."""

    of: str
    at_ns: int
    reasons: tuple[str, ...]
    count: int = 0


class RepeatedRefusals:
    """Remembers the newest stored refusal of each pool and strategy (of a sale: each kind of exit) for
    ``window_seconds``; 0: nothing repeats. Time is that of the decisions, so that replay and live agree.

    The same are the same policies; of those that tell the state of the engine or of the pool also the same words, its
    numbers apart: `why` must not name a reason that is over.
    """

    def __init__(self, window_seconds: int) -> None:
        self._window_ns = window_seconds * NS_PER_SECOND
        self._newest: dict[_Key, Repeat] = {}

    def take(self, decision: Decision) -> Repeat | None:
        """What a decision repeats; None when it is one to be stored. What a person wishes is always stored."""
        intent = decision.intent
        if not self._window_ns or intent.is_by_hand:
            return None
        key = (intent.pool, intent.side.value, intent.strategy, "" if intent.exit is None else intent.exit.value)
        if decision.accepted:
            self._newest.pop(key, None)
            return None
        reasons = tuple(map(_reason, decision.refusals))
        known = self._newest.get(key)
        if known is not None and known.reasons == reasons and intent.at_ns - known.at_ns < self._window_ns:
            known.count += 1
            return known
        self._newest[key] = Repeat(decision.decision_id, intent.at_ns, reasons)
        if len(self._newest) > _MOST_KEPT:
            self._forget(intent.at_ns)
        return None

    def _forget(self, at_ns: int) -> None:
        self._newest = {key: known for key, known in self._newest.items() if at_ns - known.at_ns < self._window_ns}


def _reason(refusal: Verdict) -> str:
    if refusal.policy not in _STATES:
        return refusal.policy
    return f"{refusal.policy}: {_RUNNING.sub('#', refusal.text)}"
