"""From an outcome to ledger movements: every fee and cost under its own kind."""

from __future__ import annotations

from pumpswap.amm import BuyQuote
from pumpswap.model import (
    SOL,
    Chore,
    ChoreResult,
    Costs,
    EntryKind,
    Filled,
    ForeignEvent,
    Order,
    Outcome,
    PlanKind,
    Rejected,
)

__all__ = ["moves_of", "moves_of_chore", "moves_of_event"]

_TURNED = {PlanKind.WRAP: EntryKind.WRAP, PlanKind.UNWRAP: EntryKind.UNWRAP}


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


def moves_of_chore(chore: Chore, result: ChoreResult) -> list[tuple[str, int, EntryKind]]:
    """What upkeep has cost. Native and wrapped SOL are one asset, so turning one into the other is two moves that
    cancel: the history shows it, the sums do not change.
    """
    kind, units = _TURNED.get(chore.kind), result.turned_lamports
    turned = [(SOL, -units, kind), (SOL, units, kind)] if kind is not None else []
    return [*turned, *moves_of_costs(result.costs)]


def moves_of_event(event: ForeignEvent) -> list[tuple[str, int, EntryKind]]:
    """The moves of a foreign transaction, each token once: what left of it leaves the positions in one piece."""
    lamports = [move for move in event.moves if move[0] == SOL]
    tokens: dict[tuple[str, EntryKind], int] = {}
    for asset, units, kind in event.moves:
        if asset != SOL:
            tokens[asset, kind] = tokens.get((asset, kind), 0) + units
    return [*lamports, *((asset, units, kind) for (asset, kind), units in tokens.items())]
