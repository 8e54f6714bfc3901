"""What exits remember and measure of a pool: the real money in it, the product of its reserves, the coin's supply."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.amm import BuyQuote, PoolState, SellQuote
from pumpswap.model import ExitState, Position

__all__ = ["begun", "grown", "product_of", "reduced", "supply_of", "watched"]


def product_of(state: PoolState) -> int:
    """Base reserve × effective quote reserve, which no swap makes smaller; 0: not known.

    A pool that exists has LP supply. A state without any was put together from a price and a depth in dollars: its
    product wavers by itself, and would tell of rugs that nobody has pulled.
    """
    return state.base_reserve * state.effective_quote_reserve if state.pool.lp_supply else 0


def supply_of(state: PoolState) -> int:
    """Supply of the coin; 0: not known, as for the product."""
    return state.base_supply if state.pool.lp_supply else 0


def begun(position: Position, state: PoolState | None, executed: BuyQuote | None = None) -> ExitState:
    """What is remembered of a round that has just begun. With its fill the pool is known as the fill has left it,
    however old ``state`` is.
    """
    fresh = ExitState(position.pool, position.round, bought_units=position.base_units)
    if state is None:
        return fresh
    quote, product = state.real_quote_reserve, product_of(state)
    if executed is not None:
        base = executed.base_reserve - executed.base_out
        reserve = executed.effective_quote_reserve + executed.gross_quote + executed.lp_fee
        # E and the real reserve differ by virtual reserves and fees owed together, which no swap changes.
        quote = max(reserve - (state.effective_quote_reserve - state.real_quote_reserve), 0)
        product = base * reserve if product else 0
    return replace(fresh, entry_quote_lamports=quote, entry_product=product, entry_supply=supply_of(state))


def grown(known: ExitState, position: Position, state: PoolState | None, executed: BuyQuote | None) -> ExitState:
    """The round has bought more: our money is in the pool now, and what it was then is what we have agreed to."""
    if executed is None:
        return replace(known, bought_units=max(known.bought_units, position.base_units))
    product = begun(position, state, executed).entry_product
    return replace(
        known,
        bought_units=known.bought_units + executed.base_out,
        entry_quote_lamports=known.entry_quote_lamports + executed.gross_quote + executed.lp_fee,
        entry_product=max(known.entry_product, product),
    )


def reduced(known: ExitState, executed: SellQuote) -> ExitState:
    """The round has sold: what our own sale took out of the pool is no flight of others."""
    taken = executed.gross_quote - executed.lp_fee
    return replace(known, entry_quote_lamports=max(known.entry_quote_lamports - taken, 0))


def watched(known: ExitState, state: PoolState | None) -> ExitState:
    """What was not known yet, and the least supply so far: burnt coins that come back are new ones too."""
    if state is None:
        return known
    supply = supply_of(state)
    least = min(known.entry_supply or supply, supply) if supply else known.entry_supply
    if not known.entry_quote_lamports and not known.entry_product:
        return replace(
            known,
            entry_quote_lamports=state.real_quote_reserve,
            entry_product=product_of(state),
            entry_supply=least,
        )
    return known if least == known.entry_supply else replace(known, entry_supply=least)
