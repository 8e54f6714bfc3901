"""PoolWatch: which pools another system wants to hear of; PoolSwapFeed: the trades in those whose trades it wants."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.states import ReadsPools
from pumpswap.engine.feeds.swaps import SwapFeed, TellsSwaps

__all__ = ["PoolSwapFeed", "PoolWatch"]


class PoolWatch:
    """Counted: a pool is watched until each ``add`` is undone. With ``trades`` its swaps are heard too."""

    def __init__(self) -> None:
        self._states: Counter[str] = Counter()
        self._trades: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @property
    def pools(self) -> Sequence[str]:
        """Pools whose states are read, in the order in which they were asked for."""
        return tuple(dict.fromkeys((*self._states, *self._trades)))

    @property
    def traded(self) -> Sequence[str]:
        """Pools whose swaps are heard."""
        return tuple(self._trades)

    def add(self, pool: str, *, trades: bool) -> None:
        """Somebody wants to hear of a pool."""
        (self._trades if trades else self._states)[pool] += 1
        self._changed.set()

    def drop(self, pool: str, *, trades: bool) -> None:
        """Somebody does not want to any more. Harmless for what nobody has asked for."""
        counts = self._trades if trades else self._states
        counts[pool] -= 1
        if counts[pool] <= 0:
            del counts[pool]
        self._changed.set()

    async def other_trades(self, than: Iterable[str]) -> None:
        """Return as soon as the pools whose swaps are heard are others than these."""
        known = set(than)
        while set(self.traded) == known:
            self._changed.clear()
            await self._changed.wait()


class PoolSwapFeed:
    """``make`` opens the chain's stream for these pools. It is opened anew when other pools are asked for; while there
    are none there is nothing to hear, and nothing is wrong.
    """

    name = "swaps"
    stale_seconds = SwapFeed.stale_seconds

    def __init__(
        self,
        make: Callable[[Sequence[str]], TellsSwaps],
        watch: PoolWatch,
        reader: ReadsPools,
        tools: FeedTools,
        slots: SlotTimes,
    ) -> None:
        self._make, self._watch, self._reader, self._tools, self._slots = make, watch, reader, tools, slots

    async def run(self, sink: Sink) -> None:
        while True:
            pools = self._watch.traded
            work = asyncio.ensure_future(self._hear(pools, sink) if pools else self._idle(sink))
            changed = asyncio.ensure_future(self._watch.other_trades(pools))
            try:
                await asyncio.wait((work, changed), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()  # it never ends but by an error, and that ends this attempt
            finally:
                for task in (work, changed):
                    task.cancel()
                await asyncio.gather(work, changed, return_exceptions=True)

    async def _hear(self, pools: Sequence[str], sink: Sink) -> None:
        # Without its state, which the next round brings: a question for each trade of a busy pool is too many.
        feed = SwapFeed(lambda: self._make(pools), self._reader, lambda _: False, self._tools, self._slots)
        await feed.run(sink)

    async def _idle(self, sink: Sink) -> None:
        while True:
            sink.alive()
            await self._tools.sleep(1.0)
