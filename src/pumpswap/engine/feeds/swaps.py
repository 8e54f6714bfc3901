"""SwapFeed: trades of others as the chain shows them, for strategies and signals that live on single trades."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.states import ReadsPools, read_states
from pumpswap.model import MarketUpdate, Swap

__all__ = ["SwapFeed", "TellsSwaps"]

_LOOK_SECONDS = 1.0


class TellsSwaps(Protocol):
    """See ``ChainFeed``."""

    @property
    def is_stale(self) -> bool: ...

    def updates(self) -> AsyncGenerator[MarketUpdate, None]: ...


class SwapFeed:
    """``make`` opens the chain's stream anew for each attempt. A swap that ``needs_state`` comes with the state of its
    pool as of now: whoever follows a wallet must know the price that it has left behind.
    """

    name = "swaps"
    stale_seconds = 30.0

    def __init__(
        self,
        make: Callable[[], TellsSwaps],
        reader: ReadsPools,
        needs_state: Callable[[Swap], bool],
        tools: FeedTools,
        slots: SlotTimes | None = None,
    ) -> None:
        self._make, self._reader, self._needs_state = make, reader, needs_state
        self._tools = tools
        self._times = SlotTimes(tools.clock) if slots is None else slots

    async def run(self, sink: Sink) -> None:
        feed = self._make()
        look = asyncio.ensure_future(self._look(feed, sink))
        try:
            async with aclosing(feed.updates()) as updates:
                async for update in updates:
                    await sink.put(await self._with_state(update))
        finally:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)

    async def _look(self, feed: TellsSwaps, sink: Sink) -> None:
        """Nobody may trade for an hour: that the stream is not stale is the sign of life."""
        while True:
            await self._tools.sleep(_LOOK_SECONDS)
            if not feed.is_stale:
                sink.alive()

    async def _with_state(self, update: MarketUpdate) -> MarketUpdate:
        swap = update.swap
        if swap is None or update.state is not None or not self._needs_state(swap):
            return update
        states, refused = await read_states(self._reader, [update.pool])
        now, state = self._tools.clock.now_ns(), states.get(update.pool)
        known_ns = None if state is None else self._times.hear(state.slot)
        return replace(update, at_ns=now, state=state, obstacle=refused.get(update.pool, ""), state_ns=known_ns)
