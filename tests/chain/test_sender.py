"""The sender over endpoints that drop, delay, lie, lag, restart and disagree, and over processes that are killed.

An order never fills twice, no outcome is ever false, and Unknown resolves once the endpoints recover. The checker can
fail: each mutant below breaks one rule of the sender, and is caught.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pumpswap.chain import sender as sender_module
from pumpswap.chain.expiry import Expiry
from pumpswap.chain.landing import find_landed
from pumpswap.chain.node import Commitment, ConfirmedTransaction, Node
from pumpswap.chain.order_state import Landed, OrderState, Waiting
from pumpswap.chain.sender import Sender
from pumpswap.errors import ChainError, UsageError
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.model import Attempt, AttemptState, Denied, Unknown
from tests.chain.sender_world import World, Wrong, new_chain, run_schedules

SCHEDULES = 1_500
MUTANT_SCHEDULES = 2_000


def test_p02_p03_no_schedule_of_failures_fills_twice_or_tells_a_falsehood() -> None:
    ended = run_schedules(first_seed=0, count=SCHEDULES)
    assert ended["other"] == 0
    # The schedules reach every ending, and orders that needed more than one transaction.
    assert min(ended["filled"], ended["rejected"], ended["expired"], ended["crossed"]) > SCHEDULES // 50


class ResignsOnTimeOut(Sender):
    """Takes "not seen yet" for "not sent"."""

    async def _follow(self, attempt: Attempt, attempts: Sequence[Attempt]) -> OrderState:
        state = await super()._follow(attempt, attempts)
        if isinstance(state, Waiting) and state.attempt.state.is_open and attempt.order_id in self._jobs:
            self._parts.store.mark(attempt.signature, AttemptState.EXPIRED, self._now_ns())
            return await self._next_attempt(attempt.order_id, attempts)
        return state


class SendsBeforeItStores(Sender):
    """A crash between the two loses a signature that is on its way."""

    async def _next_attempt(self, order_id: str, attempts: Sequence[Attempt]) -> OrderState:
        job = self._jobs.get(order_id)
        if job is None or len(attempts) >= self._parts.settings.max_attempts:
            return self._never_landed(order_id, len(attempts))
        attempt = await self._signed(job, attempts[-1] if attempts else None)
        if isinstance(attempt, Denied):
            return attempt
        for lane in self._parts.lanes:
            try:
                await lane.send(attempt.raw)
            except ChainError:
                continue
        self._parts.store.add(attempt)
        return Waiting(attempt, "sent")


async def believes_one_status(nodes: Sequence[Node], attempt: Attempt, needed: int) -> Expiry:
    """The field's usual proof: past the height, and one node says that it knows nothing."""
    for node in nodes:
        try:
            height = await node.height(Commitment.CONFIRMED)
            known = await node.statuses([attempt.signature])
        except ChainError:
            continue
        if height.block_height > attempt.last_valid_block_height and known.statuses == (None,):
            return Expiry(1, (node.name,))
    return Expiry(1)


async def believes_processed(
    nodes: Sequence[Node], attempt: Attempt, *, needed: int, is_thorough: bool
) -> ConfirmedTransaction | None:
    """Takes a transaction for landed that may still be rolled back."""
    for node in nodes:
        try:
            found = await node.transaction(attempt.signature, Commitment.PROCESSED)
        except ChainError:
            continue
        if found is not None:
            return found
    return None


async def believes_the_first(
    nodes: Sequence[Node], attempt: Attempt, *, needed: int, is_thorough: bool
) -> ConfirmedTransaction | None:
    """Takes one node's word for what a transaction did."""
    return await find_landed(nodes, attempt, needed=1, is_thorough=is_thorough)


@pytest.mark.parametrize("mutant", [ResignsOnTimeOut, SendsBeforeItStores])
def test_the_judge_catches_a_sender_that_breaks_the_order_of_things(mutant: type[Sender]) -> None:
    with pytest.raises(Wrong):
        run_schedules(0, MUTANT_SCHEDULES, mutant)


@pytest.mark.parametrize(
    ("name", "naive"),
    [
        ("prove_expiry", believes_one_status),
        ("find_landed", believes_processed),
        ("find_landed", believes_the_first),
    ],
)
def test_the_judge_catches_a_sender_that_believes_too_easily(
    name: str, naive: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, name, naive)
    with pytest.raises(Wrong):
        run_schedules(0, MUTANT_SCHEDULES)


# ---------------------------------------------------------------------------------------------- single stories


def test_p03_the_same_bytes_go_out_until_their_own_expiry_and_never_others() -> None:
    async def story() -> None:
        world = World(new_chain(), 1)
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
        order = world.new_order()
        await world.start(order)
        for _ in range(20):
            world.chain.advance(3)
            await world.advance(order)
        (attempt,) = world.store.of_order(order.order_id)
        assert attempt.state is AttemptState.SENT
        assert world.executions(order) == 0
        for node in world.pool.nodes:
            node.faults.clear()
        world.chain.advance(3)
        await world.advance(order)
        world.chain.advance(2)
        await world.advance(order)
        assert isinstance(order.said[-1], Landed)
        assert world.executions(order) == 1
        assert [one.signature for one in world.store.of_order(order.order_id)] == [attempt.signature]

    asyncio.run(story())


def test_p02_an_error_of_the_send_is_not_taken_for_a_failure() -> None:
    async def story() -> None:
        world = World(new_chain(), 2)
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.FALSE_ERROR))
        order = world.new_order()
        await world.start(order)
        assert isinstance(order.said[-1], Waiting)
        for node in world.pool.nodes:
            node.faults.clear()
        world.chain.advance(3)
        await world.advance(order)
        assert isinstance(order.said[-1], Landed)
        assert world.executions(order) == 1

    asyncio.run(story())


def test_a_new_transaction_is_signed_only_after_the_proven_expiry_of_the_last_and_pays_more() -> None:
    async def story() -> None:
        world = World(new_chain(), 3)
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
        order = world.new_order()
        await world.start(order)
        (first,) = world.store.of_order(order.order_id)
        while world.chain.block_height <= first.last_valid_block_height:
            world.chain.advance(10)
            await world.advance(order)
            assert len(world.store.of_order(order.order_id)) == 1
        world.chain.advance(33)  # until that height is final
        await world.advance(order)
        first, second = world.store.of_order(order.order_id)
        assert first.state is AttemptState.EXPIRED
        assert first.note == "absent by ash, birch, cedar"
        assert second.number == 2
        assert second.last_valid_block_height > first.last_valid_block_height
        assert second.compute_unit_price_micro_lamports == 2 * first.compute_unit_price_micro_lamports

    asyncio.run(story())


def test_an_order_whose_every_transaction_expired_is_denied_and_has_cost_nothing() -> None:
    async def story() -> None:
        world = World(new_chain(), 4)
        before = world.chain.account(world.key.pubkey())
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
        order = world.new_order()
        await world.start(order)
        for _ in range(40):
            world.chain.advance(20)
            if not world.is_settled(order):
                await world.advance(order)
        denied = order.said[-1]
        assert isinstance(denied, Denied)
        assert (denied.rule, len(world.store.of_order(order.order_id))) == ("expired", 3)
        assert world.chain.account(world.key.pubkey()) == before

    asyncio.run(story())


def test_p24_a_restart_follows_what_was_signed_and_signs_nothing_new() -> None:
    async def story() -> None:
        world = World(new_chain(), 5)
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
        order = world.new_order()
        await world.start(order)
        (attempt,) = world.store.of_order(order.order_id)
        sender = world.rebuilt()
        for node in world.pool.nodes:
            node.faults.clear()
        until = asyncio.Event()
        until.set()
        states = await sender.resolve_open(until=until)
        waiting = states[order.order_id]
        assert isinstance(waiting, Waiting)
        assert isinstance(sender.outcome_of(waiting, world.job(order)), Unknown)
        world.chain.advance(220)
        states = await world.rebuilt().resolve_open(until=until)
        denied = states[order.order_id]
        assert isinstance(denied, Denied)
        assert denied.rule == "expired"
        assert [one.signature for one in world.store.of_order(order.order_id)] == [attempt.signature]

    asyncio.run(story())


def test_who_asks_about_one_order_does_not_wait_for_another() -> None:
    async def story() -> None:
        world = World(new_chain(), 7)
        landed, lost = world.new_order(), world.new_order()
        await world.start(landed)
        world.chain.advance(2)
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
        await world.start(lost)
        states = await world.rebuilt().resolve_open([landed.order_id])
        assert list(states) == [landed.order_id]
        assert isinstance(states[landed.order_id], Landed)
        (waiting,) = world.store.of_order(lost.order_id)
        assert waiting.state.is_open

    asyncio.run(story())


def test_without_any_endpoint_the_outcome_is_unknown_with_its_signature_and_expiry() -> None:
    async def story() -> None:
        world = World(new_chain(), 6)
        order = world.new_order()
        await world.start(order)
        (attempt,) = world.store.of_order(order.order_id)
        for node in world.pool.nodes:
            node.is_down = True
        world.chain.advance(300)
        await world.advance(order)
        outcome = world.sender.outcome_of(order.said[-1], world.job(order))
        assert isinstance(outcome, Unknown)
        assert outcome == replace(outcome, signature=attempt.signature, expiry_height=attempt.last_valid_block_height)
        await world.settle()
        assert isinstance(order.said[-1], Landed)

    asyncio.run(story())


def test_a_second_start_of_an_order_is_refused_and_leaves_the_first_alone() -> None:
    chain = new_chain()
    world = World(chain, 5)
    for node in world.pool.nodes:
        node.faults.add(Fault(FaultKind.FALSE_OK, last_slot=chain.slot + 170))
    order = world.new_order()

    async def story() -> None:
        await world.start(order)
        with pytest.raises(UsageError, match="is being sent already"):
            await world.sender.follow(world.job(order))
        while not world.is_settled(order):
            chain.advance(20)
            await world.advance(order)

    asyncio.run(story())
    # The first transaction expired; the order was still being sent, so that a second one could land.
    assert [attempt.state for attempt in world.store.of_order(order.order_id)] == [
        AttemptState.EXPIRED,
        AttemptState.LANDED,
    ]
    assert world.executions(order) == 1


def test_equal_orders_within_one_block_hash_are_one_transaction_and_only_one_of_them_is_sent() -> None:
    """Two equal chores at once: the second came to the books as a contradiction, since a signature is stored once."""

    async def story() -> None:
        world = World(new_chain(), 9)
        first, second, third = (world.new_order() for _ in range(3))
        second.recipient = third.recipient = first.recipient
        await world.sender.start(world.job(first))
        denied = await world.sender.start(world.job(second))
        assert isinstance(denied, Denied)
        assert (denied.rule, "do it again" in denied.text) == ("same transaction", True)
        assert world.store.of_order(second.order_id) == ()
        world.chain.advance(30)  # the cache of this world keeps a hash for ten seconds
        assert isinstance(await world.sender.advance(first.order_id), Landed)
        await world.sender.start(world.job(third))
        world.chain.advance(3)
        assert isinstance(await world.sender.advance(third.order_id), Landed)
        assert world.executions(first) == 2

    asyncio.run(story())
