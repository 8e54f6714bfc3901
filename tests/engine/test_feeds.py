"""Feeds of a running engine: a collector's rows, states of a practice chain, a market that is played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed, FeedTools, Place, Sink
from pumpswap.engine.feeds.played import PlayedFeed, ShiftedClock
from pumpswap.engine.feeds.snapshots import SnapshotFeed
from pumpswap.engine.feeds.states import StateFeed
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, create_pool
from pumpswap.localnet.programs import load_programs
from pumpswap.market.snapshot_tail import SnapshotTail
from pumpswap.model import MarketUpdate, RunObserver, Side, Signal
from tests.engine.supervised import World, opened, world
from tests.support.market import START_NS, at, engine, graduate, seen
from tests.support.material import material, requires_material
from tests.support.snapshot_rows import CollectorFile
from tests.support.virtual_time import LoopClock, run_virtually

POOL, MINT = str(graduate().address), str(graduate().pool.base_mint)


async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
    """In virtual time nothing is read in threads."""
    return work(*arguments)


def tools() -> FeedTools:
    return FeedTools(LoopClock(START_NS), in_thread=at_once)


class Later:
    """A feed that is made when the engine is there."""

    def __init__(self, name: str, stale_seconds: float) -> None:
        self.name, self.stale_seconds = name, stale_seconds
        self.feed: Feed | None = None

    async def run(self, sink: Sink) -> None:
        assert self.feed is not None
        await self.feed.run(sink)


class Updates(RunObserver):
    """Every update that the engine has taken."""

    def __init__(self) -> None:
        self.all: list[MarketUpdate] = []

    def on_update(self, update: MarketUpdate) -> None:
        self.all.append(update)


def faults(made: World) -> dict[str, str]:
    return dict(made.engine.risk.state.faults)


def snapshots_into(database: Any, file: CollectorFile, taken: Updates, place: Place | None = None) -> World:
    feed = Later("snapshots", 60)
    made = world(database, [feed], observers=[taken])
    feed.feed = SnapshotFeed(SnapshotTail(file.path), made.engine, place, tools())
    return made


# ---------------------------------------------------------------------------------------------- a collector's rows


def test_rows_are_heard_from_now_on_and_those_of_before_are_only_remembered(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    file.add(POOL, MINT, at(-3_600))
    file.add(POOL, MINT, at(-60))
    past: list[int] = []

    def signaller(row: Any, history: Any) -> Signal:
        past.append(len(history))
        return Signal(row.pool, row.at_ns, Side.HOLD, 10.0, 0.1, "test")

    async def go() -> None:
        taken, feed = Updates(), Later("snapshots", 60)
        with opened(tmp_path) as database:
            made = world(database, [feed], observers=[taken], signaller=signaller)
            feed.feed = SnapshotFeed(SnapshotTail(file.path), made.engine, None, tools())
            async with made.going():
                await asyncio.sleep(1)
                assert taken.all == []
                file.add(POOL, MINT, at(2))
                await asyncio.sleep(10)
        assert [(update.at_ns, update.snapshot and update.snapshot.at_ns) for update in taken.all] == [(at(5), at(2))]
        assert past == [2]

    run_virtually(go())


def test_a_restart_neither_repeats_nor_loses_a_row(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")

    async def go() -> None:
        first, second = Updates(), Updates()
        with opened(tmp_path) as database:
            made = snapshots_into(database, file, first)
            async with made.going():
                await asyncio.sleep(1)
                for second_ in range(5):
                    file.add(POOL, MINT, at(second_))
                await asyncio.sleep(10)
        for second_ in range(20, 23):
            file.add(POOL, MINT, at(second_))
        with opened(tmp_path) as database:
            run = database.open_paper()
            assert run is not None
            made = snapshots_into(database, file, second, run.states.load("place/snapshots"))
            async with made.going():
                await asyncio.sleep(30)
        heard = [update.snapshot.at_ns for update in (*first.all, *second.all) if update.snapshot is not None]
        assert heard == [at(second_) for second_ in (*range(5), *range(20, 23))]

    run_virtually(go())


def test_a_row_from_the_future_stops_entries_and_says_whose_clock_is_wrong(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")

    async def go() -> None:
        taken = Updates()
        with opened(tmp_path) as database:
            made = snapshots_into(database, file, taken)
            async with made.going():
                await asyncio.sleep(1)
                file.add(POOL, MINT, at(7_200))
                await asyncio.sleep(10)
                assert "from the future" in faults(made)["feed snapshots"]
        assert taken.all == []

    run_virtually(go())


def test_a_collector_that_falls_silent_is_told_about(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")

    async def go() -> None:
        with opened(tmp_path) as database:
            made = snapshots_into(database, file, Updates())
            async with made.going():
                await asyncio.sleep(1_000)
            topics = [alert.topic for alert in made.heard.alerts]
            assert topics.count("collector") == 1

    run_virtually(go())


# ---------------------------------------------------------------------------------------------- states of a chain


@dataclass(frozen=True)
class Chain:
    """What a connection has, over a practice chain in this process."""

    node: LocalNode
    reader: PoolReader
    schedules: ScheduleCache

    @classmethod
    def made(cls) -> tuple[Chain, tuple[PoolState, ...]]:
        programs = material("chain")
        assert programs is not None
        chain = LocalChain()
        load_programs(chain, programs)
        pools = tuple(create_pool(chain, PoolSpec("graduate"), Random(seed)) for seed in (1, 2))
        chain.advance(40)
        node = LocalNode(chain)
        return cls(node, PoolReader(node), ScheduleCache(node, LoopClock(START_NS), 5)), pools


@requires_material("chain", "programs")
def test_watched_pools_are_read_again_and_again_and_a_node_that_fails_stops_entries_until_it_is_back(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        chain, pools = Chain.made()
        watched = [str(pool.address) for pool in pools]
        taken = Updates()
        with opened(tmp_path) as database:
            made = world(database, [StateFeed(chain, lambda: watched, 1_000, tools())], observers=[taken])
            async with made.going():
                await asyncio.sleep(2.5)
                assert [update.pool for update in taken.all] == watched * 3
                assert faults(made) == {}
                chain.node.is_down = True
                await asyncio.sleep(5)
                assert list(faults(made)) == ["feed states"]
                assert len(taken.all) == 6
                chain.node.is_down = False
                await asyncio.sleep(10)
                assert faults(made) == {}
                assert len(taken.all) > 6

    run_virtually(go())


@requires_material("chain", "programs")
def test_a_pool_that_is_none_gets_an_obstacle_and_an_older_state_is_left_out(tmp_path: Path) -> None:
    async def go() -> None:
        chain, pools = Chain.made()
        watched = [str(pools[0].address), MINT, "no address"]
        taken = Updates()
        with opened(tmp_path) as database:
            made = world(database, [StateFeed(chain, lambda: watched, 1_000, tools())], observers=[taken])
            async with made.going():
                await asyncio.sleep(0.5)
                obstacles = {update.pool: update.obstacle for update in taken.all if update.obstacle}
                assert set(obstacles) == {MINT, "no address"}
                taken.all.clear()
                chain.node.lag_slots = 20
                await asyncio.sleep(2)
                assert [update.pool for update in taken.all if update.state is not None] == []

    run_virtually(go())


@requires_material("chain", "programs")
def test_without_a_pool_to_watch_a_node_that_is_down_is_noticed_too(tmp_path: Path) -> None:
    async def go() -> None:
        chain, _ = Chain.made()
        with opened(tmp_path) as database:
            made = world(database, [StateFeed(chain, list, 1_000, tools())])
            async with made.going():
                await asyncio.sleep(1.5)
                assert faults(made) == {}
                chain.node.is_down = True
                await asyncio.sleep(2)
                assert list(faults(made)) == ["feed states"]

    run_virtually(go())


def test_held_pools_come_first_then_the_best_fresh_scores() -> None:
    watch = WatchList(2, 75.0)
    for pool, score in (("a", 80.0), ("b", 95.0), ("c", 74.9), ("d", 90.0)):
        watch.hear(Signal(pool, at(0), Side.LONG, score, 1.0, "test"))
    assert watch.pools(at(10), ["held", "b"]) == ["held", "b", "d", "a"]
    watch.hear(Signal("d", at(20), Side.LONG, 10.0, 1.0, "test"))
    assert watch.pools(at(30), []) == ["b", "a"]
    assert watch.pools(at(3_601), ["held"]) == ["held"]


def test_what_was_traded_last_fills_the_places_that_scores_leave() -> None:
    watch = WatchList(2, 75.0)
    for second, pool in enumerate(("a", "b", "c", "a")):
        watch.overhear(pool, at(second))
    assert watch.pools(at(10), []) == ["a", "c"]
    watch.hear(Signal("s", at(10), Side.LONG, 90.0, 1.0, "test"))
    assert watch.pools(at(10), ["held"]) == ["held", "s", "a"]
    assert watch.pools(at(400), []) == ["s"]


def test_whoever_asks_for_pools_is_asked_which() -> None:
    watch = WatchList(2, 75.0)
    assert watch.asked(at(0)) == []
    watch.ask_for(lambda now_ns: ["a", "b"] if now_ns < at(5) else [])
    watch.ask_for(lambda _: ["c"])
    assert watch.asked(at(0)) == ["a", "b", "c"]
    assert watch.asked(at(5)) == ["c"]


# ---------------------------------------------------------------------------------------------- played markets


def test_a_played_market_keeps_the_pace_of_its_own_time(tmp_path: Path) -> None:
    moments = [0.0, 1.0, 90.0, 90.5]
    came: list[float] = []

    def updates() -> Iterator[MarketUpdate]:
        for moment in moments:
            came.append(asyncio.get_running_loop().time())
            yield seen(graduate(), moment)

    async def go() -> None:
        # A market of long ago.
        clock = ShiftedClock(LoopClock(START_NS + 10**18), START_NS)
        upcoming = iter([*moments, None])
        times = [None if moment is None else at(moment) for moment in upcoming]
        with opened(tmp_path) as database:
            feed = PlayedFeed("market", updates(), clock=clock, next_ns=lambda: times[len(came)])
            made = world(database, [feed])
            await made.go()
            assert made.run.states.load("place/market") == {"updates": "4"}
        assert came == moments

    run_virtually(go())


def test_without_a_clock_a_played_market_waits_for_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        rows = (seen(graduate(), number * 3_600) for number in range(24))
        with opened(tmp_path) as database:
            made = world(database, [PlayedFeed("market", rows)], ticks=False)
            await made.go()
            assert made.supervisor.events == 24
            assert asyncio.get_running_loop().time() < 1

    run_virtually(go())


def test_remembered_snapshots_are_history_and_nothing_else() -> None:
    made: Engine = engine()
    row = seen(graduate(), 0, scored=True).snapshot
    assert row is not None
    made.remember(row)
    assert made.desk.names == {POOL: "TEST"}
    assert made.desk.orders == ()
