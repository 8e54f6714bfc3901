"""Where an executor gets the pools it trades in: a chain, or a book that somebody else keeps."""

from __future__ import annotations

import asyncio
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.amm.addresses import canonical_pool
from pumpswap.clock import Clock
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.errors import NotFound
from pumpswap.market.book import PoolBook
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings

__all__ = ["BookStates", "ChainStates", "PoolStates"]


class PoolStates(Protocol):
    """Tells pools. A stream, a simulator or a recording may stand behind it."""

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        """The newest state of a pool, named by its address or by its coin, and when it was observed (ns).

        Raises NotFound when there is no such pool, ChainError when it cannot be asked now, ProtocolDrift for a pool of
        an unknown kind.
        """
        ...

    async def schedule(self) -> FeeSchedule:
        """What trades pay now. Raises ChainError."""
        ...


class ChainStates:
    """Reads each pool anew, all of it in one answer of a node. Connects with the first question."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._connection: ChainConnection | None = None
        self._slots = SlotTimes(clock, settings.chain.stale_after_slots)
        self._opening = asyncio.Lock()

    async def connection(self) -> ChainConnection:
        """The open connection. Raises ConfigError without endpoints, WrongNetwork, ChainError."""
        async with self._opening:
            if self._connection is None:
                connection = ChainConnection(self._settings, self._clock)
                try:
                    await connection.open()
                except BaseException:
                    await connection.aclose()
                    raise
                self._connection = connection
            return self._connection

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        connection, asked_ns = await self.connection(), self._clock.now_ns()
        state = await connection.pool(Pubkey.from_string(pool_or_mint))
        # At least as new as the question, unless its slot is known for longer: a node that stands still.
        return state, min(asked_ns, self._slots.hear(state.slot))

    async def schedule(self) -> FeeSchedule:
        return await (await self.connection()).schedules.current()

    async def aclose(self) -> None:
        """Close the connection. Harmless when there is none."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


class BookStates:
    """Pools of a book that a feed or a simulator keeps up to date. Paper trades move the states in the same book, so
    that whoever trades on it next meets them.
    """

    def __init__(self, book: PoolBook, clock: Clock, schedule: FeeSchedule | None = None) -> None:
        self.book = book
        self._clock = clock
        self._schedule = schedule or current_schedule()

    async def state(self, pool_or_mint: str) -> tuple[PoolState, int]:
        found = self.book.state(pool_or_mint)
        if found is None:
            canonical = canonical_pool(Pubkey.from_string(pool_or_mint))
            found = self.book.state(str(canonical))
        if found is None:
            raise NotFound(f"no pool of {pool_or_mint} is known", hint="wait for the feed to tell it")
        observed_ns = self.book.observed_ns(str(found.address))
        return found, self._clock.now_ns() if observed_ns is None else observed_ns

    async def schedule(self) -> FeeSchedule:
        return self._schedule
