"""What is held is valued before anything is bought: without that its value would count as lost."""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.errors import PumpSwapError
from pumpswap.market.book import PoolBook
from pumpswap.model import Mark, MarketUpdate
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.valuation import mark_position
from pumpswap.sdk.connection import ChainConnection

__all__ = ["see_held"]


async def see_held(connection: ChainConnection, portfolio: Portfolio, book: PoolBook, *, but: str = "") -> None:
    """Read the pools of all open positions (``but`` one that is known) into ``book``, and mark the positions.

    One whose pool cannot be read counts at its cost until it can. Raises ChainError.
    """
    held = [position for position in portfolio.positions.open_positions() if position.pool != but]
    if not held:
        return
    refused: dict[Pubkey, PumpSwapError] = {}
    addresses = [Pubkey.from_string(position.pool) for position in held]
    states = await connection.reader.load_many(addresses, on_refusal=refused.__setitem__)
    schedule, at_ns = await connection.schedules.current(), connection.clock.now_ns()
    for address, position in zip(addresses, held, strict=True):
        state = states.get(address)
        if state is not None:
            book.apply(MarketUpdate(at_ns, position.pool, state))
            portfolio.mark(mark_position(position, state, schedule, at_ns=at_ns, state_ns=at_ns))
        elif position.pool not in portfolio.marks:
            cost = position.cost_lamports
            portfolio.mark(Mark(position.pool, at_ns, position.opened_ns, position.base_units, cost))
