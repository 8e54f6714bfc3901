"""From an accepted decision to an order: the exact quote now, and the limit it may slip to."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.amm import FeeSchedule, PoolState, Quote, buy_exact_base, buy_exact_quote, sell_exact_base
from pumpswap.execution.exit_urgency import is_in_haste
from pumpswap.model import Decision, Order, TradeSide
from pumpswap.units import checked_i64

__all__ = ["OrderPlanner"]


class OrderPlanner:
    """Makes orders. ``numbered`` gives each its id; without it they are numbered in order."""

    def __init__(self, numbered: Callable[[], str] | None = None) -> None:
        self._planned = 0
        self._numbered = numbered or self._next_number

    def plan(self, decision: Decision, state: PoolState, schedule: FeeSchedule, slippage_bps: int) -> Order:
        """Order of an accepted decision. Raises TradeRefused when its quote is refused, AmountOutOfRange."""
        intent = decision.intent
        is_buy = intent.side is TradeSide.BUY
        quote: Quote
        if intent.is_exact_buy:
            quote = buy_exact_base(state, schedule, checked_i64(decision.base_units, "the amount bought"))
        elif is_buy:
            quote = buy_exact_quote(state, schedule, checked_i64(decision.quote_lamports, "the budget"))
        else:
            quote = sell_exact_base(state, schedule, checked_i64(decision.base_units, "the amount sold"))
        return Order(
            order_id=self._numbered(),
            decision_id=decision.decision_id,
            side=intent.side,
            pool=intent.pool,
            mint=intent.mint,
            created_ns=intent.at_ns,
            # An exact buy may cost what the gate has accepted, its slippage in: that is its limit.
            limit=decision.quote_lamports if intent.is_exact_buy else quote.limit(slippage_bps),
            quote=quote,
            quote_lamports=decision.quote_lamports if is_buy else 0,
            base_units=decision.base_units,
            slippage_bps=slippage_bps,
            reason=intent.reason,
            client_order_id=intent.client_order_id,
            is_urgent=is_in_haste(intent.exit),
        )

    def _next_number(self) -> str:
        self._planned += 1
        return f"o{self._planned:06d}"
