"""The feed tells every swap of the chain once and in its order, whatever its streams and nodes do."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.chain.node import Commitment, SignatureInfo
from pumpswap.chain.streams import ChainStream
from pumpswap.errors import EndpointDown, UsageError
from pumpswap.market.chain_feed import ChainFeed, FeedOptions, FeedParts, feed_watches, scope_of
from pumpswap.market.live_pools import LivePools
from pumpswap.model import Swap
from tests.market.feed_world import EVERYTHING, POOLS, Faults, World, without_events


def told_swaps(world: World, feed: ChainFeed) -> list[Swap]:
    updates = asyncio.run(world.listen(feed))
    times = [update.at_ns for update in updates]
    assert times == sorted(times)
    return [update.swap for update in updates if update.swap is not None]


def check_exact(world: World, feed: ChainFeed, pools: tuple[Pubkey, ...] = POOLS) -> None:
    swaps = told_swaps(world, feed)
    assert without_events(swaps) == without_events(world.swaps(pools))
    assert swaps == world.swaps(pools)
    assert feed.counts.swaps == len(swaps)
    assert (feed.counts.unreadable, feed.counts.vanished) == (0, 0)


def test_an_undisturbed_feed_tells_the_chains_swaps_from_logs_alone() -> None:
    world = World(1)
    feed = world.feed()
    check_exact(world, feed)
    assert len(world.swaps()) > 50
    assert world.asked["transaction"] == 0
    assert (feed.counts.filled, feed.counts.duplicates, feed.counts.late) == (0, 0, 0)
    assert feed.counts.failed > 0


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), first=st.integers(0, 5))
def test_p20_under_every_fault_the_swaps_are_exactly_those_of_the_chain(seed: int, first: int) -> None:
    world = World(seed, EVERYTHING, first_transactions=first)
    check_exact(world, world.feed())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), pools=st.sampled_from([POOLS[:1], POOLS[:2], POOLS]))
def test_p20_single_pools_under_every_fault_keep_the_order_of_each_pool(seed: int, pools: tuple[Pubkey, ...]) -> None:
    world = World(seed, EVERYTHING)
    swaps = told_swaps(world, world.feed(pools))
    for pool in pools:
        expected = [swap for swap in world.swaps() if swap.pool == str(pool)]
        assert [swap for swap in swaps if swap.pool == str(pool)] == expected
    assert len(swaps) == len(world.swaps(pools))


def test_single_pools_are_told_in_the_order_of_slots_when_no_node_is_behind() -> None:
    for seed in range(5):
        world = World(seed, replace(EVERYTHING, lag_slots=0))
        slots = [swap.slot for swap in told_swaps(world, world.feed(POOLS))]
        assert slots == sorted(slots)
        assert len(slots) == len(world.swaps())


@pytest.mark.parametrize(
    "faults",
    [
        Faults(drop=1_000),
        Faults(double=1_000),
        Faults(shuffle=1_000),
        Faults(cut=1_000),
        Faults(disconnect=300, refuse_connection=500),
        Faults(node_down=500),
        Faults(cut=1_000, transaction_absent=500),
        Faults(lag_slots=20),
    ],
    ids=lambda faults: str(faults),
)
def test_p20_one_fault_all_the_time(faults: Faults) -> None:
    for seed in range(3):
        world = World(seed, faults)
        check_exact(world, world.feed())


def test_many_pools_are_read_from_the_history_of_the_program() -> None:
    world = World(5, EVERYTHING)
    check_exact(world, world.feed(POOLS[:2], most_addresses=1), POOLS[:2])


def test_what_came_before_the_feed_is_not_told() -> None:
    world = World(2, first_transactions=30)
    check_exact(world, world.feed())


def test_a_feed_goes_on_where_another_one_ended() -> None:
    world = World(3, first_transactions=30)
    since = world.chain[9]
    world.before = 10
    options = FeedOptions(since=SignatureInfo(since.signature, since.slot, since.err))
    check_exact(world, world.feed(options=options))


def test_a_gap_longer_than_a_page_of_history_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.gap_fill.history_since.__defaults__", (Commitment.CONFIRMED, 7))
    world = World(4, Faults(drop=1_000))
    check_exact(world, world.feed())
    assert world.asked["signatures"] > 5


def test_a_transaction_that_no_node_has_is_given_up_loudly(caplog: pytest.LogCaptureFixture) -> None:
    class Forgetful(World):
        async def transaction(self, signature: str, commitment: Commitment = Commitment.CONFIRMED) -> None:
            return None

    world = Forgetful(6, Faults(drop=30))
    with caplog.at_level(logging.WARNING):
        swaps = told_swaps(world, feed := world.feed())
    assert feed.counts.unreadable > 0
    assert len(swaps) < len(world.swaps())
    untold = [swap.slot for swap in world.swaps() if swap not in swaps]
    assert feed.counts.misread_slot >= max(untold)
    assert [swap for swap in world.swaps() if swap in swaps] == swaps
    assert "no node gives transaction" in caplog.text


def test_p19_a_feed_is_stale_while_the_history_does_not_answer() -> None:
    class Mute(World):
        is_mute = False

        async def signatures_for(self, *args: Any, **more: Any) -> tuple[SignatureInfo, ...]:
            if self.is_mute:
                raise EndpointDown("no answer")
            return await super().signatures_for(*args, **more)

    async def run() -> None:
        world = Mute(7, slots=400)
        feed = world.feed()
        assert feed.is_stale
        updates = feed.updates()
        for _ in range(10):
            await anext(updates)
        assert not feed.is_stale
        world.is_mute = True
        waiting = asyncio.ensure_future(anext(updates))
        while not feed.is_stale:
            if waiting.done():  # what was settled before is told first
                waiting = asyncio.ensure_future(anext(updates))
            await asyncio.sleep(0)
        assert not waiting.done()
        world.is_mute = False
        assert (await waiting).swap is not None
        await anext(updates)
        assert not feed.is_stale
        await updates.aclose()
        assert feed.is_stale
        assert world.warnings.counts["history"] > 0

    asyncio.run(run())


def test_an_audit_costs_one_question_and_rests_while_nothing_happens() -> None:
    world = World(8, slots=0)
    told_swaps(world, world.feed())
    assert world.asked["signatures"] <= 1 + 1 + 70 // 25 + 1


def test_processed_transactions_may_be_undone_and_are_no_feed() -> None:
    world = World(9)
    with pytest.raises(UsageError, match="processed"):
        world.feed(options=FeedOptions(commitment=Commitment.PROCESSED))


def test_states_need_a_reader() -> None:
    world = World(9)
    world.feed()
    assert isinstance(world.stream, ChainStream)
    with pytest.raises(UsageError, match="reader"):
        ChainFeed(world.stream, world, scope_of(), FeedParts(world.clock, world.warnings, pools=LivePools()))


def test_watches_of_a_feed() -> None:
    scope = scope_of(POOLS)
    assert len(feed_watches(scope, POOLS[:1])) == 4
    assert len(feed_watches(scope_of())) == 1
