"""Whether an order that was accepted may still be signed: much can have happened since the gate has seen it."""

from __future__ import annotations

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import BreakerState, Order, TradeSide, TradingState
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits

__all__ = ["held_back"]


def held_back(order: Order, risk: RiskTracker, limits: RiskLimits, now_ns: int) -> str:
    """Why nothing of an order is signed now, neither for the first time nor again; empty when nothing is against it.

    A sale is held back by a halt only. A buy also by every fault and lock of risk, and once it was decided longer ago
    than signals and states may be old: what it was decided on does not hold any more.
    """
    found = risk.figures(now_ns)
    if found.trading is TradingState.HALTED or (
        order.side is TradeSide.BUY and found.trading is not TradingState.ACTIVE
    ):
        return f"trading is {found.trading.value}: {found.trading_reason}"
    if order.side is TradeSide.SELL:
        return ""
    if found.breaker is BreakerState.OPEN:
        return f"the circuit breaker is open after {found.failures_in_a_row} failures in a row"
    if found.breaker is BreakerState.HALF_OPEN and order.order_id not in risk.state.trials:
        return "the circuit breaker is half-open, and this order is no trial"
    if found.day_is_lost:
        return "the day's limit of losses was reached"
    if found.is_drawn_down:
        return "equity has fallen as far below its highest as it may"
    if now_ns < found.losses_until_ns:
        return "entries pause after losses in a row"
    most = min(limits.max_signal_age_seconds, limits.max_state_age_seconds)
    age = (now_ns - order.created_ns) // NS_PER_SECOND
    return f"it was decided {age} s ago, at most {most} s" if age > most else ""
