"""Where a live venue gets the pool and the fees that it builds on."""

from __future__ import annotations

from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.chain.node import Node
from pumpswap.chain.pools import load_pool
from pumpswap.chain.schedule import ScheduleCache

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
        self._node = node
        self._schedule = schedule

    async def state(self, pool: Pubkey) -> PoolState:
        return await load_pool(self._node, pool)

    async def schedule(self) -> FeeSchedule:
        return await self._schedule.current()

    def distrust(self, reason: str) -> None:
        self._schedule.invalidate(reason)
