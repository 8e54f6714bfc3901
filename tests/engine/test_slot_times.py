"""A chain that stands still: what its node repeats grows old, and entries wait until it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.chain.node import Height
from pumpswap.clock import ManualClock
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.slot_times import SlotTimes
from pumpswap.engine.feeds.states import ReadsChain, Refusal, StateFeed
from pumpswap.engine.feeds.swaps import SwapFeed
from pumpswap.engine.health import Monitor
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate, Swap
from tests.engine.supervised import opened, world
from tests.support.market import START_NS, at, graduate
from tests.support.virtual_time import LoopClock, run_virtually

POOL = str(graduate().address)


@dataclass
class Chain:
    """A node of another maker: one pool, at the slot that it is told."""

    slot: int = 1_000
    reader: Chain = field(init=False)
    schedules: Chain = field(init=False)
    node: Chain = field(init=False)

    def __post_init__(self) -> None:
        self.reader = self.schedules = self.node = self

    async def load_many(
        self, addresses: Iterable[Pubkey], *, min_context_slot: int = 0, on_refusal: Refusal | None = None
    ) -> dict[Pubkey, PoolState]:
        return {one: msgspec.structs.replace(graduate(), slot=self.slot) for one in addresses}

    async def current(self) -> FeeSchedule:
        return current_schedule()

    async def height(self) -> Height:
        return Height(self.slot, self.slot)


def age(book: PoolBook, now_ns: int) -> float:
    observed = book.observed_ns(POOL)
    assert observed is not None
    return (now_ns - observed) / 1e9


def test_a_slot_is_as_old_as_its_first_sighting() -> None:
    clock = ManualClock(at(0))
    times = SlotTimes(clock)
    assert times.hear(100) == at(0)
    clock.advance_to(at(30))
    assert (times.hear(100), times.hear(101), times.hear(99)) == (at(0), at(30), at(30))
    clock.advance_to(at(40))
    assert (times.hear(99), times.hear(101)) == (at(30), at(30))


def test_one_answer_from_the_far_future_does_not_age_the_others() -> None:
    clock = ManualClock(at(0))
    times = SlotTimes(clock)
    times.hear(10**12)
    for second in range(1, 100):
        clock.advance_to(at(second))
        assert times.hear(1_000 + second) == at(second)
        assert times.obstacle() == ""


def test_memory_is_bounded_and_what_is_forgotten_stays_old() -> None:
    clock = ManualClock(at(0))
    times = SlotTimes(clock)
    for slot in range(1, 20_000):
        clock.advance_to(at(slot))
        times.hear(slot)
    assert len(times._first_ns) <= 8_192
    assert times.hear(5) < at(19_999 - 4_000)
    assert times.hear(19_999) == at(19_999)


def test_no_new_slot_for_as_long_as_the_settings_say_is_an_obstacle_until_one_comes() -> None:
    clock = ManualClock(at(0))
    times = SlotTimes(clock, stale_after_slots=50)
    assert times.obstacle() == ""
    times.hear(7)
    clock.advance_to(at(20))
    assert times.obstacle() == ""
    clock.advance_to(at(21))
    assert times.hear(7) == at(0)
    assert times.obstacle() == "the chain stands still: nothing but slot 7 for more than 20 s"
    times.hear(8)
    assert times.obstacle() == ""


def test_a_node_that_stands_still_makes_states_old_and_stops_entries_until_it_moves(tmp_path: Path) -> None:
    async def go() -> None:
        chain, clock = Chain(), LoopClock(START_NS)
        slots = SlotTimes(clock, stale_after_slots=50)
        reads: ReadsChain = chain
        feed = StateFeed(reads, lambda: [POOL], 1_000, FeedTools(clock), slots)
        with opened(tmp_path) as database:
            made = world(database, [feed], monitors=[Monitor("slots", slots.obstacle)])
            async with made.going():
                await asyncio.sleep(600)
                assert age(made.engine.parts.book, clock.now_ns()) >= 599
                assert "stands still" in dict(made.engine.risk.state.faults)["slots"]
                chain.slot += 1
                await asyncio.sleep(2)
                assert age(made.engine.parts.book, clock.now_ns()) <= 2
                assert made.engine.risk.state.faults == ()

    run_virtually(go())


def test_without_a_pool_to_watch_the_slots_are_heard_too() -> None:
    async def go() -> None:
        chain, clock = Chain(), LoopClock(START_NS)
        slots = SlotTimes(clock)
        task = asyncio.ensure_future(StateFeed(chain, list, 1_000, FeedTools(clock), slots).run(Nobody()))
        await asyncio.sleep(30)
        assert slots.obstacle() != ""
        chain.slot += 1
        await asyncio.sleep(2)
        assert slots.obstacle() == ""
        task.cancel()

    run_virtually(go())


class Nobody:
    """Takes nothing."""

    async def put(self, update: MarketUpdate, place: object = None) -> None:
        raise AssertionError(update)

    async def turn(self, make: object, place: object = None) -> bool:
        raise AssertionError(make)

    def alive(self) -> None:
        """Nobody counts."""


def test_the_state_that_comes_with_a_swap_is_as_old_as_its_slot() -> None:
    async def go() -> None:
        chain, clock = Chain(), LoopClock(START_NS)
        slots = SlotTimes(clock)
        feed = SwapFeed(lambda: None, chain, lambda _: True, FeedTools(clock), slots)  # type: ignore[arg-type,return-value]
        slots.hear(chain.slot)
        await asyncio.sleep(100)
        told = await feed._with_state(MarketUpdate(at(100), POOL, swap=Swap(POOL, at(100), True, 1, 10**9)))
        assert (told.at_ns, told.state_ns) == (at(100), at(0))

    run_virtually(go())


def test_an_older_slot_never_replaces_a_newer_one() -> None:
    book = PoolBook()
    newer, older = (msgspec.structs.replace(graduate(), slot=slot, quote_vault=slot) for slot in (200, 199))
    book.apply(MarketUpdate(at(0), POOL, newer))
    book.apply(MarketUpdate(at(9), POOL, older))
    assert book.state(POOL) == newer
    assert book.observed_ns(POOL) == at(0)
    unknown = msgspec.structs.replace(older, slot=0)
    book.apply(MarketUpdate(at(10), POOL, unknown))
    assert book.state(POOL) == unknown
