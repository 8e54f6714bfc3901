"""Where a live venue gets the pool and the fees that it builds on."""

from __future__ import annotations

from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.chain.node import Node
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.errors import ProtocolDrift

__all__ = ["ChainPools", "PoolSource"]


class PoolSource(Protocol):
    """Pool states and fee schedule. A stream's cache may stand behind it: the venue checks the age."""

    async def state(self, pool: Pubkey) -> PoolState:
        """The newest consistent state. Raises NotFound, ProtocolDrift, ChainError."""
        ...

    async def schedule(self) -> FeeSchedule:
        """What trades pay now. Raises ChainError."""
        ...

    def distrust(self, reason: str) -> None:
        """The program has contradicted the schedule (6013, 6053): read it again before it is used."""
        ...


class ChainPools:
    """Reads the pool anew for every order, and the schedule from its cache."""

    def __init__(self, node: Node, schedule: ScheduleCache) -> None:
        self._reader = PoolReader(node)
        self._schedule = schedule

    async def state(self, pool: Pubkey) -> PoolState:
        return await self._reader.load(pool)

    async def schedule(self) -> FeeSchedule:
        current = await self._schedule.current()
        if self._schedule.drift:
            raise ProtocolDrift(
                f"the program's settings are not of this version: {'; '.join(self._schedule.drift)}",
                hint="stop trading and upgrade pumpswap",
            )
        return current

    def distrust(self, reason: str) -> None:
        self._schedule.invalidate(reason)
