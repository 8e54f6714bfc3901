"""What is held is valued before anything is bought: without that its value would count as lost."""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.engine.desk import Desk
from pumpswap.errors import PumpSwapError
from pumpswap.model import Mark, MarketUpdate
from pumpswap.sdk.connection import ChainConnection

__all__ = ["see_held"]


async def see_held(connection: ChainConnection, desk: Desk, at_ns: int, *, but: str = "") -> dict[str, PumpSwapError]:
    """Read the pools of all open positions (``but`` one that is known) into the desk's book and value them there.

    A pool that cannot be read counts at its cost, until it is read; returns why. Raises ChainError.
    """
    portfolio, book = desk.parts.keeper.portfolio, desk.parts.book
    held = [position for position in portfolio.positions.open_positions() if position.pool != but]
    refused: dict[Pubkey, PumpSwapError] = {}
    addresses = [Pubkey.from_string(position.pool) for position in held]
    states = await connection.reader.load_many(addresses, on_refusal=refused.__setitem__) if held else {}
    for position in held:
        state = states.get(Pubkey.from_string(position.pool))
        if state is not None:
            book.apply(MarketUpdate(at_ns, position.pool, state))
            desk.mark(position.pool)
        elif book.state(position.pool) is None:
            cost = position.cost_lamports
            portfolio.mark(Mark(position.pool, at_ns, position.opened_ns, position.base_units, cost))
    return {str(address): error for address, error in refused.items()}
