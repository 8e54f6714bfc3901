"""LifeRule: an engine has begun, and what it has found; an engine ends, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import counted, joined, one_line, short_address, sol_text, span_text, time_text
from pumpswap.model import AlertLevel, Heartbeat, TradingState

__all__ = ["LifeRule", "RunFacts", "Standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How the books are at one moment: equity and what it consists of, and what a person has set, with the reason."""

    equity_lamports: int
    positions: int
    positions_lamports: int
    orders: int
    trading: TradingState = TradingState.ACTIVE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is. ``origin`` says who has begun it, and where; ``wallet`` is None where nothing is on a chain;
    ``before`` is the last heartbeat of the process before this one, None for new books.
    """

    run_id: int
    kind: str
    version: str
    origin: str
    wallet: str | None = None
    before: Heartbeat | None = None


class LifeRule(Rule):
    """Tells with the first heartbeat, and at the very end, when what was on its way has landed or is left."""

    def __init__(self, context: RuleContext, facts: RunFacts, standing: Callable[[], Standing]) -> None:
        self._context, self._facts, self._standing = context, facts, standing
        self._has_begun = False

    def on_beat(self, beat: Heartbeat) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._begin(beat)

    def on_stop(self) -> None:
        now = self._standing()
        if not now.positions and not now.orders:
            return  # the supervisor has said that it ends, and why
        text = (
            f"it leaves {_held(now)}: no exit looks after that until the next start. `pumpswap positions list` shows "
            "it; `pumpswap panic` before the next stop sells everything"
        )
        self._context.tell(AlertLevel.WARNING, "stop", "held", text)

    def _begin(self, beat: Heartbeat) -> None:
        facts, now = self._facts, self._standing()
        key = f", the key of wallet {short_address(facts.wallet)} is unlocked" if facts.wallet else ""
        state = "" if now.trading is TradingState.ACTIVE else f": {one_line(now.reason, 200)}"
        begins = "begins" if facts.before is None else "goes on"
        text = (
            f"run {facts.run_id} ({facts.kind}) {begins} in mode {beat.mode}{key}, by {one_line(facts.origin, 100)}, "
            f"pumpswap {facts.version}: "
            f"equity {sol_text(now.equity_lamports)}, {_held(now)}; trading is {now.trading.value}{state}"
        )
        crashed = self._crashed(beat)
        level = AlertLevel.WARNING if crashed else AlertLevel.INFO
        self._context.tell(level, "start", "", text + crashed)

    def _crashed(self, beat: Heartbeat) -> str:
        before = self._facts.before
        if before is None or before.started_ns == beat.started_ns or (before.stopping and not before.broken):
            return ""
        silent = span_text(beat.at_ns - before.at_ns)
        how = "was ended by an error at" if before.broken else "ended without a word after"
        return (
            f". The process before it {how} {time_text(before.at_ns)}; for {silent} nobody looked "
            "after what was held. What it had stored was taken up again"
        )


def _held(now: Standing) -> str:
    positions = f"{counted(now.positions, 'position')} worth {sol_text(now.positions_lamports)}"
    orders = f"{counted(now.orders, 'order')} on the way"
    if not now.positions:
        return orders if now.orders else "nothing held"
    return joined([positions, orders] if now.orders else [positions])
