"""From an outcome to ledger movements: every fee and cost under its own kind."""

from __future__ import annotations

from pumpswap.amm import BuyQuote
from pumpswap.model import SOL, Costs, EntryKind, Filled, Order, Outcome, Rejected

__all__ = ["moves_of", "moves_of_costs"]


def moves_of(order: Order, outcome: Outcome) -> list[tuple[str, int, EntryKind]]:
    """(asset, signed units, kind) of what an outcome moved; nothing for orders that were denied or are unknown."""
    if isinstance(outcome, Rejected):
        return moves_of_costs(outcome.costs)
    if not isinstance(outcome, Filled):
        return []
    quote = outcome.executed
    is_buy = isinstance(quote, BuyQuote)
    base = quote.base_out if isinstance(quote, BuyQuote) else -quote.base_in
    return [
        (SOL, -quote.gross_quote if is_buy else quote.gross_quote, EntryKind.TRADE_QUOTE),
        (SOL, -quote.lp_fee, EntryKind.LP_FEE),
        (SOL, -quote.protocol_fee, EntryKind.PROTOCOL_FEE),
        (SOL, -quote.creator_fee, EntryKind.CREATOR_FEE),
        (SOL, -quote.cashback, EntryKind.CASHBACK),
        (order.mint, base, EntryKind.TRADE_BASE),
        *moves_of_costs(outcome.costs),
    ]


def moves_of_costs(costs: Costs) -> list[tuple[str, int, EntryKind]]:
    """The five costs of a transaction, each under its own kind."""
    return [
        (SOL, -costs.network_fee, EntryKind.NETWORK_FEE),
        (SOL, -costs.priority_fee, EntryKind.PRIORITY_FEE),
        (SOL, -costs.tip, EntryKind.TIP),
        (SOL, -costs.rent_paid, EntryKind.RENT_PAID),
        (SOL, costs.rent_returned, EntryKind.RENT_RETURNED),
    ]
