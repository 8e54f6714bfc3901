"""Marks: what a position would bring if it were sold now, all fees in."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.amm import FeeSchedule, PoolState, SellQuote, sell_exact_base
from pumpswap.amm.largest import largest_sale
from pumpswap.errors import TradeRefused
from pumpswap.model import Filled, Mark, Position

__all__ = ["after_sale", "mark_position", "value_by"]


def mark_position(
    position: Position, state: PoolState | None, schedule: FeeSchedule, *, at_ns: int, state_ns: int | None
) -> Mark:
    """Exact sell quote of all that is held. Where the pool can pay a part only, that part has the value and the rest
    none. Without a state, or where the pool refuses any sale, the value is 0 and says why.
    """
    if state is None or state_ns is None:
        return Mark(position.pool, at_ns, at_ns, position.base_units, 0, "no state of this pool is known")
    units = position.base_units
    try:
        return Mark(position.pool, at_ns, state_ns, units, sell_exact_base(state, schedule, units).user_quote_out)
    except TradeRefused as refused:
        part = largest_sale(state, schedule, most=units)
        if part == 0:
            return Mark(position.pool, at_ns, state_ns, units, 0, refused.what)
    value = sell_exact_base(state, schedule, part).user_quote_out
    return Mark(position.pool, at_ns, state_ns, units, value, sellable_units=part)


def after_sale(mark: Mark, before: Position, after: Position, filled: Filled) -> Mark:
    """What a mark says once a part is sold: the rest is worth what the sale has not brought, and no more than its
    share, so that a sale alone makes nobody richer. After a buy it is the mark that it was.
    """
    if not isinstance(filled.executed, SellQuote):
        return mark
    value = value_by(mark, before)
    share = value * after.base_units // before.base_units
    left = min(max(value - filled.executed.user_quote_out, 0), share)
    return replace(mark, base_units=after.base_units, value_lamports=left, sellable_units=None)


def value_by(mark: Mark | None, position: Position) -> int:
    """What a position is worth by its latest mark, in lamports: of units that are gone since nothing, and units that
    have come since count as what they have cost, which no mark has said anything about yet.
    """
    held, cost = position.base_units, position.cost_lamports
    if mark is None:
        return cost
    if mark.base_units == held:
        return mark.value_lamports
    if mark.base_units > held:
        return mark.value_lamports * held // mark.base_units
    return mark.value_lamports + cost * (held - mark.base_units) // held
