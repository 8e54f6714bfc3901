"""Proof of absence and block-hashes: each condition is needed, and each hash keeps its own expiry (P2, P4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.hash import Hash

from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.expiry import Testimony as Word
from pumpswap.chain.expiry import prove_expiry
from pumpswap.chain.expiry import testimony as heard
from pumpswap.chain.node import BlockhashAt, Commitment, Height
from pumpswap.clock import ManualClock
from pumpswap.errors import EndpointDown, StaleNode
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Attempt
from tests.chain.sender_world import World, new_chain

MS = 1_000_000


def lost() -> tuple[World, Attempt]:
    """A world in which the one transaction of an order was dropped by everybody."""
    world = World(new_chain(), 21)
    for node in world.pool.nodes:
        node.faults.add(Fault(FaultKind.DROP_BEFORE))
    order = world.new_order()
    asyncio.run(world.start(order))
    for node in world.pool.nodes:
        node.faults.clear()
    (attempt,) = world.store.of_order(order.order_id)
    return world, attempt


def said(node: LocalNode, attempt: Attempt) -> Word:
    return asyncio.run(heard(node, attempt))


def test_p02_absence_is_proven_only_beyond_the_final_expiry_height() -> None:
    world, attempt = lost()
    node = world.pool.nodes[0]
    while world.chain.block_height <= attempt.last_valid_block_height + 31:
        assert said(node, attempt) is Word.VALID
        world.chain.advance()
    world.chain.advance(2)
    assert said(node, attempt) is Word.ABSENT


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda node: setattr(node, "lag_slots", 220), Word.VALID),
        (lambda node: node.restart(), Word.NOTHING),
        (lambda node: node.faults.add(Fault(FaultKind.CLAIM_LANDED)), Word.PRESENT),
        (lambda node: node.faults.add(Fault(FaultKind.CLAIM_FAILED)), Word.PRESENT),
    ],
)
def test_p02_a_node_that_lags_was_restarted_or_knows_it_proves_nothing(
    spoil: Callable[[LocalNode], None], expected: Word
) -> None:
    world, attempt = lost()
    world.chain.advance(200)
    node = world.pool.nodes[0]
    spoil(node)
    world.chain.advance(3)
    assert said(node, attempt) is expected


def test_a_height_that_runs_ahead_of_the_slots_is_not_believed() -> None:
    world, attempt = lost()
    world.pool.nodes[0].faults.add(Fault(FaultKind.CLAIM_HEIGHT, amount=100))
    world.chain.advance(60)
    assert said(world.pool.nodes[0], replace(attempt, last_valid_block_height=0)) is Word.VALID


def test_a_quorum_must_agree_and_one_that_knows_outweighs_it() -> None:
    world, attempt = lost()
    world.chain.advance(220)
    nodes = world.pool.nodes

    def proven(needed: int) -> bool:
        return asyncio.run(prove_expiry(nodes, attempt, needed)).is_proven

    assert proven(3)
    nodes[0].is_down = True
    assert proven(2)
    assert not proven(3)
    nodes[1].faults.add(Fault(FaultKind.CLAIM_LANDED))
    assert not proven(1)
    found = asyncio.run(prove_expiry(nodes, attempt, 1))
    assert (found.present, found.text) == (("birch",), "seen by birch")


# ---------------------------------------------------------------------------------------------- block-hashes


class Told:
    """A node whose answers are set by hand."""

    name = "told"

    def __init__(self) -> None:
        self.hash_at = BlockhashAt(Hash(b"\x01" * 32), 250, 100)
        self.at = Height(100, 100)
        self.asked = 0
        self.fails = False

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        self.asked += 1
        if self.fails:
            raise EndpointDown("gone")
        return self.hash_at

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        return self.at


def test_p04_each_hash_keeps_its_own_expiry_and_is_handed_out_while_young() -> None:
    node, clock = Told(), ManualClock(0)
    cache = BlockhashCache(node, clock, max_age_ms=1_000)  # type: ignore[arg-type]

    async def story() -> None:
        first = await cache.get()
        assert (first.last_valid_block_height, node.asked) == (250, 1)
        node.hash_at = BlockhashAt(Hash(b"\x02" * 32), 260, 110)
        clock.advance_to(1_000 * MS)
        assert await cache.get() == first
        clock.advance_to(1_001 * MS)
        second = await cache.get()
        assert (second.blockhash, second.last_valid_block_height) == (Hash(b"\x02" * 32), 260)
        assert first.last_valid_block_height == 250

    asyncio.run(story())


class FarAway(Told):
    """Each of its answers takes so long."""

    def __init__(self, clock: ManualClock, answer_ms: int) -> None:
        super().__init__()
        self.clock, self.answer_ms = clock, answer_ms

    def _pass(self) -> None:
        self.clock.advance_to(self.clock.now_ns() + self.answer_ms * MS)

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        self._pass()
        return await super().latest_blockhash(commitment)

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        self._pass()
        return await super().height(commitment)


def test_a_node_that_is_far_away_is_no_stale_node() -> None:
    """A wallet's cache keeps a hash for 400 ms; over an endpoint with 250 ms to an answer every order was denied."""
    clock = ManualClock(0)
    node = FarAway(clock, 700)
    cache = BlockhashCache(node, clock, max_age_ms=400)  # type: ignore[arg-type]

    async def story() -> None:
        assert await cache.get() == node.hash_at
        node.hash_at = BlockhashAt(Hash(b"\x02" * 32), 251, 101)
        assert await cache.get() == node.hash_at
        assert node.asked == 2
        with pytest.raises(StaleNode, match="new enough"):
            await cache.get(newer_than=251)
        node.hash_at = BlockhashAt(Hash(b"\x01" * 32), 250, 100)  # it goes back: what is held is old by now
        with pytest.raises(StaleNode, match="new enough"):
            await cache.get()

    asyncio.run(story())


def test_what_another_question_has_brought_meanwhile_is_new() -> None:
    clock = ManualClock(0)
    node = Told()
    cache = BlockhashCache(node, clock, max_age_ms=400)  # type: ignore[arg-type]
    newer, lagging = BlockhashAt(Hash(b"\x02" * 32), 260, 110), BlockhashAt(Hash(b"\x01" * 32), 250, 100)
    answers = {1: newer, 2: lagging}
    may_answer = {1: asyncio.Event(), 2: asyncio.Event()}

    async def latest_blockhash(commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        node.asked += 1
        number = node.asked
        await may_answer[number].wait()
        return answers[number]

    async def story() -> None:
        node.latest_blockhash = latest_blockhash  # type: ignore[method-assign]
        first, second = asyncio.create_task(cache.get()), asyncio.create_task(cache.get())
        await asyncio.sleep(0)
        may_answer[1].set()
        assert await first == newer
        clock.advance_to(900 * MS)
        may_answer[2].set()
        assert await second == newer

    asyncio.run(story())


def test_a_hash_is_newer_than_what_expired_and_never_goes_back() -> None:
    node, clock = Told(), ManualClock(0)
    cache = BlockhashCache(node, clock)  # type: ignore[arg-type]

    async def story() -> None:
        await cache.get()
        with pytest.raises(StaleNode, match="new enough"):
            await cache.get(newer_than=250)
        newer = BlockhashAt(Hash(b"\x02" * 32), 300, 150)
        node.hash_at, node.at = newer, Height(150, 150)
        assert await cache.get(newer_than=250) == newer
        node.hash_at = BlockhashAt(Hash(b"\x01" * 32), 250, 100)
        await cache.refresh()
        assert await cache.get() == newer

    asyncio.run(story())


@pytest.mark.parametrize("height", [250, 260, 20])
def test_a_hash_that_cannot_be_right_is_refused(height: int) -> None:
    node = Told()
    node.at = Height(height, height)
    with pytest.raises(StaleNode, match="blocks left to live"):
        asyncio.run(BlockhashCache(node, ManualClock(0)).get())  # type: ignore[arg-type]


def test_a_failing_refresh_in_the_background_is_kept_and_tried_again() -> None:
    node, until = Told(), asyncio.Event()
    cache = BlockhashCache(node, ManualClock(0))  # type: ignore[arg-type]
    naps = 0

    async def nap(_: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 2:
            assert isinstance(cache.failure, EndpointDown)
            node.fails = False
        if naps == 3:
            until.set()

    node.fails = True
    asyncio.run(cache.keep_fresh(until, nap))
    assert (cache.failure, naps, node.asked) == (None, 3, 3)
