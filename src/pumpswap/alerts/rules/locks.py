"""What keeps entries back beside equity: the circuit breaker, a losing streak, a state that a person has set."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import counted, one_line, span_text, time_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert, AlertLevel, BreakerState, Heartbeat, RiskState, TradingState
from pumpswap.settings import RiskLimits

__all__ = ["BreakerRule", "StateRule", "StreakRule"]

Limits = Callable[[], RiskLimits]


class BreakerRule(Rule):
    """The circuit breaker opens, opens again after a trial, closes."""

    def __init__(self, context: RuleContext, limits: Limits, before: RiskState) -> None:
        self._context, self._limits = context, limits
        self._breaker = before.breaker
        self._was_told = before.breaker is not BreakerState.CLOSED

    def on_risk(self, state: RiskState) -> None:
        before, self._breaker = self._breaker, state.breaker
        if before is state.breaker:
            return
        limits, tell = self._limits(), self._context.tell
        if state.breaker is BreakerState.OPEN and before is BreakerState.HALF_OPEN:
            text = f"an order failed again while it was tried: no entries for {_seconds(limits.breaker_seconds)} more"
            tell(AlertLevel.ERROR, "circuit breaker", "", text)
        elif state.breaker is BreakerState.OPEN:
            text = (
                f"{counted(state.failures_in_a_row, 'order')} failed in a row: no entries for "
                f"{_seconds(limits.breaker_seconds)}, then {counted(limits.breaker_successes, 'trial')} must get "
                "through. Exits go on. `pumpswap doctor` looks at endpoints and wallet, `pumpswap resume` closes it"
            )
            tell(AlertLevel.CRITICAL, "circuit breaker", "", text)
        elif state.breaker is BreakerState.CLOSED and self._was_told:
            tell(AlertLevel.INFO, "circuit breaker", "", "closed: orders get through again, entries go on")
        self._was_told = state.breaker is not BreakerState.CLOSED


class StreakRule(Rule):
    """So many rounds in a row have lost that entries pause."""

    def __init__(self, context: RuleContext, limits: Limits, before: RiskState) -> None:
        self._context, self._limits = context, limits
        self._until_ns = before.losses_until_ns

    def on_risk(self, state: RiskState) -> None:
        before, self._until_ns = self._until_ns, state.losses_until_ns
        if state.losses_until_ns <= before:
            return
        text = (
            f"{counted(self._limits().max_losses_in_a_row, 'round')} in a row have lost: no entries until "
            f"{time_text(state.losses_until_ns)}. Exits go on; `pumpswap resume` lifts it before"
        )
        self._context.tell(AlertLevel.WARNING, "losing streak", "", text)


class StateRule(Rule):
    """What a person has set: active, exits-only, halted. A command that the engine answers says so itself, and who has
    asked: only a change that nobody has spoken of until the next heartbeat is told.
    """

    def __init__(self, context: RuleContext, before: RiskState) -> None:
        self._context = context
        self._trading = before.trading
        self._silent: RiskState | None = None

    def on_risk(self, state: RiskState) -> None:
        if state.trading is not self._trading:
            self._trading, self._silent = state.trading, state

    def on_alert(self, alert: Alert) -> None:
        if alert.topic == "control":
            self._silent = None

    def on_beat(self, beat: Heartbeat) -> None:
        state, self._silent = self._silent, None
        if state is None:
            return
        means = {
            TradingState.ACTIVE: "entries go on when nothing else is in the way",
            TradingState.EXITS_ONLY: "nothing is bought, exits go on",
            TradingState.HALTED: "nothing is ordered, exits wait too",
        }[state.trading]
        reason = f": {one_line(state.trading_reason, 200)}" if state.trading_reason else ""
        level = AlertLevel.WARNING if state.trading is TradingState.HALTED else AlertLevel.INFO
        self._context.tell(level, "state", state.trading.value, f"trading is {state.trading.value}{reason}; {means}")


def _seconds(seconds: int) -> str:
    return span_text(seconds * NS_PER_SECOND)
