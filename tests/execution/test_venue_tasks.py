"""VenueTasks: what the engine is told of its orders, and when, whatever happens to one of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pumpswap.errors import InsufficientFunds, LedgerMismatch, NotRunning, StorageError
from pumpswap.execution.correlation import ORDER
from pumpswap.execution.venue_tasks import VenueTasks
from pumpswap.localnet.faults import STATUSES, TRANSACTION, Fault, FaultKind, FaultPlan
from pumpswap.model import AttemptState, Denied, Filled, Order, Outcome, Unknown
from tests.execution.live_world import SOL, World
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


async def tasks(world: World, **changes: Any) -> VenueTasks:
    async def sleep(_seconds: float) -> None:
        world.chain.advance(1)
        await asyncio.sleep(0)

    return VenueTasks(await world.open(**changes), sleep=sleep)


async def told(world: World, venue: VenueTasks, count: int = 1) -> list[Outcome]:
    """The next ``count`` outcomes."""
    heard: list[Outcome] = []
    while len(heard) < count:
        await asyncio.wait_for(venue.news(), 120)
        heard += venue.settle(world.clock.now_ns())
    return heard


def hide(world: World) -> None:
    """The chain shows no order any more, and time passes quickly."""
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(60 * slots)  # type: ignore[method-assign]


def show(world: World) -> None:
    world.node.faults = FaultPlan()
    del world.chain.__dict__["advance"]


async def left_behind(world: World, *orders: Order) -> None:
    """A process that ends when its orders are on the chain, before it has seen them there."""
    venue: Any = await tasks(world)
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    for order in orders:
        venue.submit(order, world.clock.now_ns())
    attempts = venue.core.parts.books.run.attempts
    while any([one.state for one in attempts.of_order(order.order_id)] != [AttemptState.SENT] for order in orders):
        await asyncio.sleep(0)
    assert set(await venue.drain(0)) == set(orders)
    world.node.faults = FaultPlan()


@pytest.mark.asyncio
async def test_p02_an_unknown_order_is_told_once_and_its_fate_when_the_chain_tells(world: World) -> None:
    venue: Any = await tasks(world)
    order = world.buy(SOL)
    hide(world)
    venue.submit(order, world.clock.now_ns())
    (first,) = await told(world, venue)
    assert isinstance(first, Unknown)
    assert venue.on_the_way == (order,)
    for _ in range(50):
        await asyncio.sleep(0)
    assert venue.next_landing_ns() is None, "it is told once"
    show(world)
    (last,) = await told(world, venue)
    assert isinstance(last, Filled)
    assert list(venue.on_the_way) == []
    assert venue.wallet.balances()[order.mint] == last.executed.base_out  # type: ignore[union-attr]
    assert venue.next_landing_ns() is None


@pytest.mark.asyncio
async def test_orders_that_another_process_left_are_followed_and_told(world: World) -> None:
    first, second = world.buy(SOL // 10), world.buy(SOL // 10, pool=world.another_pool())
    await left_behind(world, first, second)
    venue = await tasks(world)
    venue.resume(await venue.core.resolve_open())
    heard = await told(world, venue, 2)
    assert {outcome.order_id for outcome in heard if isinstance(outcome, Filled)} == {first.order_id, second.order_id}
    assert venue.on_the_way == ()


@pytest.mark.asyncio
async def test_an_order_that_is_still_unknown_at_the_start_is_told_and_followed(world: World) -> None:
    await left_behind(world, world.buy(SOL))
    venue = await tasks(world)
    hide(world)
    world.node.faults = FaultPlan([Fault(FaultKind.SERVER_ERROR, frozenset({STATUSES, TRANSACTION}))])
    venue.resume(await venue.core.resolve_open())
    (first,) = await told(world, venue)
    assert isinstance(first, Unknown)
    show(world)
    (last,) = await told(world, venue)
    assert isinstance(last, Filled)


@pytest.mark.asyncio
async def test_a_drained_venue_waits_for_what_is_on_its_way_and_takes_nothing_new(world: World) -> None:
    venue, order = await tasks(world), world.buy(SOL)
    venue.submit(order, world.clock.now_ns())
    assert await venue.drain(30) == ()
    (outcome,) = venue.settle(world.clock.now_ns())
    assert isinstance(outcome, Filled)
    with pytest.raises(NotRunning):
        venue.submit(world.buy(SOL), world.clock.now_ns())


@pytest.mark.asyncio
async def test_an_order_that_the_books_could_not_take_is_denied_and_nothing_was_signed(world: World) -> None:
    venue, order = await tasks(world), world.buy(SOL)
    books: Any = venue.core.parts.books
    real, failures = books.run.save_order, [3]

    def full(stored: Order) -> None:
        if failures[0]:
            failures[0] -= 1
            raise StorageError("the disk is full", hint="make room")
        real(stored)

    books.run.save_order = full
    venue.submit(order, world.clock.now_ns())
    while not venue.obstacle():
        await asyncio.sleep(0)
    assert venue.obstacle() == f"order {order.order_id}: the disk is full"
    (outcome,) = await told(world, venue)
    assert isinstance(outcome, Denied)
    assert (outcome.rule, venue.obstacle()) == ("not stored", "")
    assert world.chain.history(venue.core.parts.wallet) == ()


@pytest.mark.asyncio
async def test_a_trade_that_could_not_be_booked_is_an_obstacle_until_it_is_booked_once(world: World) -> None:
    venue, order = await tasks(world), world.buy(SOL)
    books: Any = venue.core.parts.books
    real, failures = books.run.append_entries, [2]

    def busy(entries: Any) -> None:
        if failures[0]:
            failures[0] -= 1
            raise StorageError("database is locked", hint="wait")
        real(entries)

    books.run.append_entries = busy
    venue.submit(order, world.clock.now_ns())
    (outcome,) = await told(world, venue)
    assert isinstance(outcome, Filled)
    assert venue.obstacle() == ""
    assert failures == [0]
    await books.check(world.node)


@pytest.mark.asyncio
async def test_an_order_that_cannot_be_read_is_an_obstacle_and_keeps_no_other_from_being_told(world: World) -> None:
    venue: Any = await tasks(world)
    first, second = world.buy(SOL // 10), world.buy(SOL // 10, pool=world.another_pool())
    real = venue.core._interpret

    def drifting(order: Order, *rest: Any) -> Any:
        if order == first and not second_is_told:
            raise LedgerMismatch("cannot be read", hint="look")
        return real(order, *rest)

    second_is_told: list[bool] = []
    venue.core._interpret = drifting
    venue.submit(first, world.clock.now_ns())
    venue.submit(second, world.clock.now_ns())
    (outcome,) = await told(world, venue)
    assert outcome.order_id == second.order_id
    while not venue.obstacle():
        await asyncio.sleep(0)
    assert venue.obstacle() == f"order {first.order_id}: cannot be read"
    second_is_told.append(True)
    (outcome,) = await told(world, venue)
    assert outcome.order_id == first.order_id
    assert venue.obstacle() == ""


@pytest.mark.asyncio
async def test_a_bug_in_one_order_is_raised_after_all_that_is_known_was_told(world: World) -> None:
    venue: Any = await tasks(world)
    first, second = world.buy(SOL // 10), world.buy(SOL // 10, pool=world.another_pool())
    real = venue.core._interpret

    def broken(order: Order, *rest: Any) -> Any:
        if order == first:
            raise ZeroDivisionError
        return real(order, *rest)

    venue.core._interpret = broken
    venue.submit(first, world.clock.now_ns())
    venue.submit(second, world.clock.now_ns())
    await venue.drain(30)
    heard: list[Outcome] = []
    with pytest.raises(ZeroDivisionError):
        heard.extend(venue.settle(world.clock.now_ns()))
    assert [order.order_id for order in venue.core.parts.books.unresolved()] == [first.order_id]
    assert venue.wallet.balances()[second.mint] > 0, "the other was told first"


@pytest.mark.asyncio
async def test_a_live_venue_does_not_promise_more_than_the_wallet_holds(world: World) -> None:
    venue = await tasks(world)
    venue.deposit(10 * SOL)
    with pytest.raises(InsufficientFunds):
        venue.deposit(1)


@pytest.mark.asyncio
async def test_whatever_is_done_for_an_order_knows_its_number(world: World) -> None:
    """So that a log can tell what it was about."""
    about: list[str] = []

    async def sleep(_seconds: float) -> None:
        about.append(ORDER.get())
        world.chain.advance(1)
        await asyncio.sleep(0)

    venue = VenueTasks(await world.open(), before=lambda: about.append(ORDER.get()), sleep=sleep)
    order = world.buy(SOL)
    hide(world)
    venue.submit(order, world.clock.now_ns())
    await told(world, venue)
    show(world)
    await told(world, venue)
    assert len(about) > 1
    assert set(about) == {order.order_id}
    assert ORDER.get() == ""
