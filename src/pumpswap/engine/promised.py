"""What orders that have not ended take of the books: it counts from the moment in which they were accepted."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace

from pumpswap.model import Intent, Order, TradeSide
from pumpswap.risk.policies import BookView
from pumpswap.settings import RiskLimits

__all__ = ["with_orders"]


def with_orders(
    view: BookView, orders: Iterable[Order], intent: Intent, limits: RiskLimits, counted: Set[str]
) -> BookView:
    """What the gate sees of the books when these orders are on their way besides. ``counted`` are the pools of the open
    positions that the view has already. Rates and trials are the risk tracker's.
    """
    waiting = list(orders)
    buys = [order for order in waiting if order.side is TradeSide.BUY]
    costs = limits.lamports("cost_allowance_sol")  # of each: its fees become cost of what is held
    promised = sum(order.quote_lamports + costs for order in buys)
    of_token = sum(order.quote_lamports + costs for order in buys if order.mint == intent.mint)
    return replace(
        view,
        balance=view.balance - promised,
        exposure=view.exposure + promised,
        open_positions=view.open_positions + len({order.pool for order in buys} - counted),
        token_exposure=view.token_exposure + of_token,
        has_open_order=view.has_open_order or any(order.mint == intent.mint for order in waiting),
    )
