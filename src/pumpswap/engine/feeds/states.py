"""StateFeed: the states of the watched pools, read from the chain again and again, and the fees in force with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.chain.node import Height
from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.errors import PumpSwapError
from pumpswap.model import MarketUpdate

__all__ = ["ReadsChain", "ReadsPools", "ReadsSchedule", "StateFeed", "read_states"]

Refusal = Callable[[Pubkey, PumpSwapError], None]


class ReadsPools(Protocol):
    """See ``PoolReader``."""

    async def load_many(
        self, addresses: Iterable[Pubkey], *, min_context_slot: int = 0, on_refusal: Refusal | None = None
    ) -> dict[Pubkey, PoolState]: ...


class ReadsSchedule(Protocol):
    """See ``ScheduleCache``."""

    async def current(self) -> FeeSchedule: ...


class TellsSlot(Protocol):
    """See ``Node``."""

    async def height(self) -> Height: ...


class ReadsChain(Protocol):
    """See ``ChainConnection``."""

    @property
    def reader(self) -> ReadsPools: ...

    @property
    def schedules(self) -> ReadsSchedule: ...

    @property
    def node(self) -> TellsSlot: ...


class StateFeed:
    """``pools`` are the addresses to read in the next round; where there are none the node is asked for its slot, so
    that one that is down is noticed all the same. A state of an earlier slot than the last one of its pool is left out:
    another node has answered that is behind. A state is as old as its slot; ``slots`` knows since when that is
    known: one for all feeds of a chain.
    """

    name = "states"

    def __init__(
        self,
        chain: ReadsChain,
        pools: Callable[[], Sequence[str]],
        every_ms: int,
        tools: FeedTools,
        slots: SlotTimes | None = None,
    ) -> None:
        self._chain, self._pools, self._tools = chain, pools, tools
        self._times = SlotTimes(tools.clock) if slots is None else slots
        self._every_seconds = every_ms / 1_000
        self._slots: dict[str, int] = {}
        self.stale_seconds = max(10.0, 5 * self._every_seconds)

    async def run(self, sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._chain.schedules.current()
            pools = self._pools()
            if pools:
                await self._read(pools, sink)
            else:
                self._times.hear((await self._chain.node.height()).slot)
            sink.alive()
            await self._tools.sleep(max(self._every_seconds - (loop.time() - began), 0.0))

    async def _read(self, pools: Sequence[str], sink: Sink) -> None:
        states, refused = await read_states(self._chain.reader, pools)
        now = self._tools.clock.now_ns()
        self._slots = {pool: slot for pool, slot in self._slots.items() if pool in states}
        for pool, state in states.items():
            if state.slot >= self._slots.get(pool, 0):
                self._slots[pool] = state.slot
                await sink.put(MarketUpdate(now, pool, state, state_ns=self._times.hear(state.slot)))
        for pool, why in refused.items():
            await sink.put(MarketUpdate(now, pool, obstacle=why))


async def read_states(reader: ReadsPools, pools: Iterable[str]) -> tuple[Mapping[str, PoolState], Mapping[str, str]]:
    """States by address, and what is wrong with the others. Raises the node's ChainError."""
    wanted: list[Pubkey] = []
    refused: dict[str, str] = {}
    for pool in pools:
        try:
            wanted.append(Pubkey.from_string(pool))
        except ValueError:
            refused[pool] = "it has no address of a pool"

    def on_refusal(address: Pubkey, failed: PumpSwapError) -> None:
        refused[str(address)] = failed.what

    loaded = await reader.load_many(wanted, on_refusal=on_refusal)
    return {str(address): state for address, state in loaded.items()}, refused
