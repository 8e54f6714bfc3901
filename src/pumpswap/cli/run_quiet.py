"""QuietSpell: while nothing is bought, one line a minute says what was refused and what came nearest."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from pumpswap.cli.formats import counted, printable
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Decision, Order, RunObserver, TradeSide
from pumpswap.risk.policies import TRADED

__all__ = ["QuietSpell"]

_EVERY_NS = 60 * NS_PER_SECOND
_SAME_AGAIN_NS = 15 * _EVERY_NS  # the same line is told so seldom
_MOST_RULES = 4


class QuietSpell(RunObserver):
    """``line`` is asked with the machine's time, now and then."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._count = 0
        self._nearest: tuple[float, str] | None = None
        self._has_bought = False
        self._next_ns = 0
        self._told = ("", 0)

    def on_decision(self, decision: Decision) -> None:
        self._hear(decision)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._hear(decision)

    def on_order(self, order: Order) -> None:
        self._has_bought |= order.side is TradeSide.BUY

    def line(self, now_ns: int) -> Text | None:
        """What to say of the last minute; None while it is not over, when something was bought, or when the same was
        said not long ago.
        """
        if not self._next_ns:
            self._next_ns = now_ns + _EVERY_NS
        if now_ns < self._next_ns:
            return None
        text = "" if self._has_bought else self._text()
        self._next_ns = now_ns + _EVERY_NS
        self._refused.clear()
        self._count, self._nearest, self._has_bought = 0, None, False
        before, told_ns = self._told
        if not text or (text == before and now_ns - told_ns < _SAME_AGAIN_NS):
            return None
        self._told = text, now_ns
        return Text(text, style="dim")

    def _hear(self, decision: Decision) -> None:
        signal = decision.intent.signal
        if decision or decision.intent.side is not TradeSide.BUY:
            return
        policies = [verdict.policy for verdict in decision.refusals]
        self._count += 1
        self._refused.update(policies)
        if signal is None or not TRADED.isdisjoint(policies):
            return
        if self._nearest is None or signal.score > self._nearest[0]:
            name = printable(signal.name) if signal.name else decision.intent.pool[:8]
            told = f"{name} with score {signal.score:.1f}, refused by {', '.join(policies)}"
            self._nearest = signal.score, told

    def _text(self) -> str:
        if not self._count:
            return "nothing bought for a minute: nothing was a reason to wish it; pumpswap status tells of the feeds"
        by = ", ".join(f"{policy} {count}" for policy, count in self._refused.most_common(_MOST_RULES))
        near = "" if self._nearest is None else f"; nearest {self._nearest[1]}"
        return f"nothing bought for a minute: {counted(self._count, 'buy')} refused by {by}{near}"
