"""Proposals: accepted buys that wait for a person, in the mode ``approve``."""

from __future__ import annotations

from dataclasses import dataclass
from time import sleep

from pumpswap.app.control import RemoteControl, Waiting
from pumpswap.app.views.sight import RunFacts, Sight, shown_name
from pumpswap.errors import NotFound
from pumpswap.model import Verdict

__all__ = ["ProposalRow", "Proposals", "proposals", "waiting_one"]


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """``impact`` is what the gate said of its price impact then; ``score`` None: not of a signal. After ``expires_ns``
    an approval does nothing.
    """

    decision_id: str
    pool: str
    mint: str
    name: str
    quote_lamports: int
    at_ns: int
    expires_ns: int
    seconds_left: int
    reason: str
    strategy: str
    score: float | None
    impact: Verdict | None


@dataclass(frozen=True, slots=True)
class Proposals:
    """All that wait, the oldest first: they are few. ``can_answer``: an engine runs that acts on an answer."""

    run: RunFacts
    as_of_ns: int
    can_answer: bool
    rows: tuple[ProposalRow, ...]


def proposals(sight: Sight) -> Proposals:
    """Of the run, now."""
    return Proposals(sight.facts, sight.as_of_ns, sight.is_running, tuple(map(_row, _control(sight).waiting())))


def waiting_one(sight: Sight, decision_id: str) -> Waiting:
    """The one of this decision. Raises NotFound where none waits."""
    found = next((one for one in _control(sight).waiting() if one.proposal.decision_id == decision_id), None)
    if found is None:
        raise NotFound("no such proposal waits", hint="it has been answered, or its time is over: the decision says it")
    return found


def _control(sight: Sight) -> RemoteControl:
    return RemoteControl(sight.books.database, sight.books.run, sight.settings, sight.clock, sleep)


def _row(waiting: Waiting) -> ProposalRow:
    about, made = waiting.proposal, waiting.decision
    signal = None if made is None else made.intent.signal
    return ProposalRow(
        decision_id=about.decision_id,
        pool=about.pool,
        mint=about.mint,
        name=shown_name(about.name),
        quote_lamports=about.quote_lamports,
        at_ns=about.at_ns,
        expires_ns=about.expires_ns,
        seconds_left=waiting.seconds_left,
        reason="" if made is None else made.intent.reason,
        strategy="" if made is None else made.intent.strategy,
        score=None if signal is None else signal.score,
        impact=waiting.impact,
    )
