"""Orders of the chain venue whose fate is open: nothing is sent twice, nothing is lost, a restart finds it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pumpswap.chain.balances import wallet_holdings
from pumpswap.errors import StorageError
from pumpswap.execution.compare import balances_of
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.model import Denied, Filled, Order, ReconciliationStatus, TradeSide, Unknown
from tests.execution.live_world import SOL, WALLET, World, agree, books_of, unknown_order
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.mark.asyncio
async def test_p02_an_order_whose_fate_is_unknown_blocks_its_token_until_the_chain_tells(world: World) -> None:
    venue = await world.open()
    first = world.buy(SOL)
    await unknown_order(world, venue, first)
    blocked = await venue.execute(world.buy(SOL))
    assert isinstance(blocked, Denied)
    assert blocked.rule == "unresolved order"
    world.node.faults = FaultPlan()
    ((order, outcome),) = await venue.resolve_open()
    assert order == first
    assert isinstance(outcome, Filled)
    await agree(world, venue)
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)


@pytest.mark.asyncio
async def test_a_known_fate_is_told_though_another_order_waits(world: World) -> None:
    other = world.another_pool()
    venue = await world.open()
    first = world.buy(SOL)
    await unknown_order(world, venue, first)
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=5_000)])  # the second never arrives
    second = world.buy(SOL, pool=other)
    running = asyncio.create_task(venue.execute(second))
    while not books_of(venue).run.attempts.of_order(second.order_id):
        await asyncio.sleep(0)
    fate = await venue.resolve(first)
    assert isinstance(fate.outcome, Filled)
    (waiting,) = books_of(venue).run.attempts.of_order(second.order_id)
    assert waiting.state.is_open
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.asyncio
async def test_each_of_several_orders_is_booked_as_soon_as_it_is_known(world: World) -> None:
    venue = await world.open()
    first, second = world.buy(SOL), world.buy(SOL, pool=world.another_pool())
    for order in (first, second):
        await unknown_order(world, venue, order)
    again = await world.open()
    before_ns = world.clock.now_ns()
    left = await again.resolve_open(is_patient=False)
    assert [type(outcome) for _, outcome in left] == [Unknown, Unknown]
    assert world.clock.now_ns() == before_ns  # one look
    world.node.faults = FaultPlan()
    world.chain.advance(10)
    found = await again.resolve_open()
    assert [(order, type(outcome)) for order, outcome in found] == [(first, Filled), (second, Filled)]
    await agree(world, again)


@pytest.mark.asyncio
async def test_an_order_that_blocks_its_token_is_looked_at_again_before_the_next(world: World) -> None:
    """A process that runs for weeks must not be unable to sell until it is started again."""
    venue = await world.open()
    await unknown_order(world, venue, world.buy(SOL))
    world.node.faults = FaultPlan()
    world.chain.advance(10)
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)
    (position,) = books_of(venue).portfolio.positions.open_positions()
    assert position.buys == 2
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p23_p24_a_restart_finds_what_landed_and_books_it_once(world: World) -> None:
    venue = await world.open()
    order = world.buy(SOL)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    books_of(venue).settle = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await venue.execute(order)
    again = await world.open()
    ((found, outcome),) = await again.resolve_open()
    assert found == order
    assert isinstance(outcome, Filled)
    await agree(world, again)
    third = await world.open()
    assert await third.resolve_open() == []
    assert list(books_of(third).run.outcomes()) == [outcome]
    assert books_of(third).portfolio.positions.open_positions()[0].base_units == outcome.executed.base_out  # type: ignore[union-attr]
    assert (await books_of(third).reconcile(world.node)).status is ReconciliationStatus.CLEAN


@pytest.mark.asyncio
async def test_an_order_is_executed_once(world: World) -> None:
    venue = await world.open()
    order = world.buy(SOL // 10)
    assert isinstance(await venue.execute(order), Filled)
    with pytest.raises(StorageError):
        await venue.execute(order)
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p08_each_attempt_pays_a_step_more_and_only_after_the_one_before_has_expired(world: World) -> None:
    venue = await world.open()
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    with world.hurried(40):
        denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied), denied
    assert denied.rule == "expired"
    attempts = books_of(venue).run.attempts.of_order(denied.order_id)
    assert [one.compute_unit_price_micro_lamports for one in attempts] == [10_000, 15_000, 22_500]
    assert balances_of(await wallet_holdings(world.node, WALLET)) == {"SOL": 10 * SOL}
    world.node.faults = FaultPlan()
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)


@pytest.mark.asyncio
async def test_a_buy_that_has_expired_is_not_signed_again_once_entries_have_stopped(world: World) -> None:
    venue, asked = await world.open(), []
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)

    def held_back(order: Order) -> str:
        asked.append(order.side)
        return "" if len(asked) == 1 or order.side is TradeSide.SELL else "trading is exits-only: paused by me"

    venue.parts = replace(venue.parts, held_back=held_back)
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    with world.hurried(40):
        denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied), denied
    assert (denied.rule, denied.text) == ("trading state", "trading is exits-only: paused by me")
    assert len(books_of(venue).run.attempts.of_order(denied.order_id)) == 1
    world.node.faults = FaultPlan()
    first = await venue.execute(world.buy(SOL))
    assert isinstance(first, Denied) and first.rule == "trading state", "nor for the first time"
    assert isinstance(await venue.execute(world.sell(bought.executed.base_out)), Filled)  # type: ignore[union-attr]
    assert asked == [TradeSide.BUY] * 3 + [TradeSide.SELL], "a sale asks too: only a halt holds it back"
    await agree(world, venue)


@pytest.mark.asyncio
async def test_a_halt_holds_back_the_next_signature_of_a_sale(world: World) -> None:
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    asked: list[Order] = []

    def held_back(order: Order) -> str:
        asked.append(order)
        return "" if len(asked) == 1 else "trading is halted: halted by me"

    venue.parts = replace(venue.parts, held_back=held_back)
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    order = world.sell(bought.executed.base_out)  # type: ignore[union-attr]
    with world.hurried(40):
        denied = await venue.execute(order)
    assert isinstance(denied, Denied), denied
    assert (denied.rule, denied.text) == ("trading state", "trading is halted: halted by me")
    assert len(books_of(venue).run.attempts.of_order(order.order_id)) == 1
    world.node.faults = FaultPlan()
    venue.parts = replace(venue.parts, held_back=lambda _: "")
    assert isinstance(await venue.execute(world.sell(order.base_units)), Filled), "it goes on afterwards"
    await agree(world, venue)
