"""Live books under bad endpoints and sudden deaths: no order twice, no trade lost, the ledger is the wallet."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pumpswap.chain.node import Commitment
from pumpswap.errors import ChainError, LedgerMismatch, StaleNode
from pumpswap.execution.chain_venue import ChainVenue
from pumpswap.execution.live_books import LiveBooks
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import EntryKind, Filled, ReconciliationStatus, Rejected
from tests.execution.live_world import SOL, WALLET, World
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

# How often, at most, of a thousand calls: building an order takes about ten reads, and all of them must succeed.
RATES = {
    FaultKind.DROP_BEFORE: 300,
    FaultKind.DROP_AFTER: 300,
    FaultKind.FALSE_ERROR: 300,
    FaultKind.FALSE_OK: 300,
    FaultKind.RATE_LIMITED: 20,
    FaultKind.SERVER_ERROR: 20,
    FaultKind.STALE: 20,
}


class Killed(BaseException):
    """The process is gone."""


def mined(venue: ChainVenue, rng: random.Random) -> None:
    """The process dies before or after one of its next writes."""
    left = rng.randrange(20)
    targets: tuple[tuple[Any, str], ...] = (
        (venue.parts.books, "admit"),
        (venue.parts.books, "settle"),
        (venue.parts.sender._parts.store, "add"),
        (venue.parts.sender._parts.store, "mark"),
    )

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    for owner, name in targets:
        real = getattr(owner, name)

        def dying(*args: Any, _real: Any = real, **named: Any) -> Any:
            step()
            result = _real(*args, **named)
            step()
            return result

        try:
            setattr(owner, name, dying)
        except AttributeError:
            continue


async def opened(world: World) -> ChainVenue:
    while True:
        try:
            return await world.open()
        except ChainError:
            world.chain.advance(1)


async def live(world: World, rng: random.Random) -> tuple[int, int]:
    """A few processes with bad luck, then one with good luck. How often one died, and how many transactions landed."""
    deaths = 0
    with world.hurried(20):
        for number in range(6):
            faults = [
                Fault(kind, per_mille=rng.randrange(most), amount=rng.randrange(1, 20)) for kind, most in RATES.items()
            ]
            world.node.faults = FaultPlan(faults, seed=number)
            try:
                venue = await opened(world)
                mined(venue, rng)
                await venue.resolve_open()
                held = venue.parts.books.balance(str(world.pool.pool.base_mint))
                sells = held > 0 and rng.random() < 0.4
                await venue.execute(world.sell(held) if sells else world.buy(SOL // 2))
            except Killed:
                deaths += 1
            except ChainError:
                pass
    world.node.faults = FaultPlan()
    world.chain.advance(400)
    venue = await world.open()
    await venue.resolve_open()
    return deaths, await judged(world, venue)


async def judged(world: World, venue: ChainVenue) -> int:
    """Compare the books with the chain. How many transactions landed."""
    books = venue.parts.books
    assert isinstance(books, LiveBooks)
    assert books.unresolved() == ()
    landed = [outcome for outcome in books.run.outcomes() if isinstance(outcome, Filled | Rejected)]
    assert sorted(one.signature for one in world.chain.history(WALLET)) == sorted(one.signature for one in landed)
    assert len({outcome.order_id for outcome in landed}) == len(landed)
    assert [entry for entry in books.portfolio.ledger.entries if entry.kind is EntryKind.FOREIGN] == []
    await books.check(world.node)
    assert (await books.reconcile(world.node)).status is ReconciliationStatus.CLEAN
    return len(landed)


@pytest.mark.asyncio
async def test_p23_p24_whatever_fails_no_order_trades_twice_and_the_ledger_is_the_wallet(tmp_path: Path) -> None:
    deaths = landed = 0
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(folder)
        died, traded = await live(world, random.Random(seed))
        deaths, landed = deaths + died, landed + traded
        world.close()
    assert (deaths > 20, landed > 30) == (True, True), (deaths, landed)  # or nothing was tested


@pytest.mark.asyncio
async def test_the_first_opening_books_what_the_wallet_really_holds_and_later_ones_do_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = await LiveBooks.open(world.database, world.node, WALLET, world.clock)
    again = await LiveBooks.open(world.database, world.node, WALLET, world.clock)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.run.run_id == again.run.run_id
    (entry,) = again.run.ledger()
    assert (entry.asset, entry.units, entry.kind) == ("SOL", 10 * SOL, EntryKind.DEPOSIT)
    world.close()


@pytest.mark.asyncio
async def test_a_node_that_lags_makes_no_foreign_entries(tmp_path: Path) -> None:
    world = World(tmp_path)
    venue = await world.open()
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)
    books = venue.parts.books
    assert isinstance(books, LiveBooks)
    with pytest.raises(StaleNode):
        await books.reconcile(LocalNode(world.chain, lag_slots=20))
    with pytest.raises(StaleNode):
        await books.check(LocalNode(world.chain, lag_slots=20))
    assert (await books.reconcile(world.node)).status is ReconciliationStatus.CLEAN
    assert (await world.node.height(Commitment.CONFIRMED)).slot >= books.portfolio.ledger.entries[-1].slot
    world.close()


@pytest.mark.asyncio
async def test_the_chain_is_not_compared_while_an_order_may_still_land(tmp_path: Path) -> None:
    world = World(tmp_path)
    venue = await world.open()
    order = world.buy(SOL)
    venue.parts.books.admit(order)
    with pytest.raises(LedgerMismatch):
        await venue.parts.books.reconcile(world.node)
    assert (await venue.parts.books.reconcile(world.node, order.order_id)).status is ReconciliationStatus.CLEAN
    world.close()


@pytest.mark.asyncio
async def test_order_ids_go_on_over_processes(tmp_path: Path) -> None:
    world = World(tmp_path)
    venue = await world.open()
    books = venue.parts.books
    assert isinstance(books, LiveBooks)
    assert books.next_order_id() == "l000001"
    await venue.execute(world.buy(SOL // 10))
    again = await LiveBooks.open(world.database, world.node, WALLET, world.clock)
    assert again.next_order_id() == books.next_order_id() == "l000002"
    world.close()


@pytest.mark.asyncio
async def test_a_position_has_the_name_that_its_signal_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    venue = await world.open()
    books = venue.parts.books
    assert isinstance(books, LiveBooks)
    order = world.buy(SOL // 10)
    books.know_name(order.pool, "TEAPOT / SOL")
    await venue.execute(order)
    assert [position.name for position in books.run.open_positions()] == ["TEAPOT / SOL"]
    world.close()
