"""Pools that another system asks for: counted, and their trades heard by a stream that follows what is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import ManualClock
from pumpswap.engine.feed import FeedTools, Place
from pumpswap.engine.feeds.pool_swaps import PoolSwapFeed, PoolWatch
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.model import MarketUpdate


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=30))
def test_a_pool_is_watched_until_each_wish_is_undone(steps: list[tuple[str, bool, bool]]) -> None:
    watch, wishes = PoolWatch(), dict[tuple[str, bool], int]()
    for pool, trades, adds in steps:
        (watch.add if adds else watch.drop)(pool, trades=trades)
        wishes[pool, trades] = max(wishes.get((pool, trades), 0) + (1 if adds else -1), 0)
    assert set(watch.traded) == {pool for (pool, trades), count in wishes.items() if trades and count}
    assert set(watch.pools) == {pool for (pool, _), count in wishes.items() if count}


class Sink:
    def __init__(self) -> None:
        self.updates: list[MarketUpdate] = []
        self.signs = 0

    async def put(self, update: MarketUpdate, place: Place | None = None) -> None:
        self.updates.append(update)

    def alive(self) -> None:
        self.signs += 1


class Stream:
    """Tells one update of each of its pools, then nothing; ``broken`` ends it with an error."""

    is_stale = False

    def __init__(self, pools: Sequence[str], broken: bool = False) -> None:
        self.pools, self.broken, self.is_open = pools, broken, True

    async def updates(self) -> AsyncGenerator[MarketUpdate, None]:
        try:
            for pool in self.pools:
                yield MarketUpdate(1, pool)
            if self.broken:
                raise ConnectionError("the stream has ended")
            await asyncio.Event().wait()
        finally:
            self.is_open = False


def feed_of(watch: PoolWatch, opened: list[Stream], **how: Any) -> PoolSwapFeed:
    def make(pools: Sequence[str]) -> Stream:
        opened.append(Stream(pools, **how))
        return opened[-1]

    clock = ManualClock()
    reader: Any = None  # a trade is told without its state: nobody asks
    return PoolSwapFeed(make, watch, reader, FeedTools(clock), SlotTimes(clock))


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_stream_is_opened_anew_for_other_pools_and_none_is_open_while_nothing_is_asked_for() -> None:
    async def go() -> None:
        watch, sink, opened = PoolWatch(), Sink(), list[Stream]()
        work = asyncio.ensure_future(feed_of(watch, opened).run(sink))  # type: ignore[arg-type]
        await settled()
        assert (opened, sink.signs > 0) == ([], True)
        watch.add("a", trades=True)
        watch.add("c", trades=False)  # its states only
        await settled()
        assert [stream.pools for stream in opened] == [("a",)]
        watch.add("b", trades=True)
        watch.add("b", trades=True)
        await settled()
        watch.drop("b", trades=True)  # somebody else still hears it
        await settled()
        assert [(stream.pools, stream.is_open) for stream in opened] == [(("a",), False), (("a", "b"), True)]
        watch.drop("b", trades=True)
        watch.drop("a", trades=True)
        await settled()
        assert not any(stream.is_open for stream in opened)
        assert [update.pool for update in sink.updates] == ["a", "a", "b"]
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(go())


def test_a_stream_that_breaks_ends_the_attempt() -> None:
    async def go() -> None:
        watch, opened = PoolWatch(), list[Stream]()
        watch.add("a", trades=True)
        with pytest.raises(ConnectionError):
            await feed_of(watch, opened, broken=True).run(Sink())  # type: ignore[arg-type]
        assert not opened[0].is_open

    asyncio.run(go())
