"""One suite that every venue passes: on paper and on the practice chain an order ends the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pumpswap.amm import BuyQuote, PoolState, SellQuote, buy_exact_quote, sell_exact_base
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.venue import Venue
from pumpswap.execution.venue_tasks import VenueTasks
from pumpswap.localnet.pools import schedule_of
from pumpswap.market.book import PoolBook
from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import Denied, Filled, Order, Outcome
from pumpswap.portfolio.booking import moves_of
from tests.execution.live_world import SOL, World
from tests.support.market import always, seen
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

START = 10 * SOL


@dataclass
class Bench:
    """A venue with 10 SOL and one pool, and how the pool looks now."""

    world: World
    venue: Venue
    state: Callable[[], PoolState]
    runner: asyncio.Runner | None = None

    def buy(self, lamports: int = SOL, **changes: Any) -> Order:
        return self.world.buy(lamports, **changes)

    def sell(self, units: int, **changes: Any) -> Order:
        return self.world.sell(units, **changes)

    def land(self, *orders: Order) -> list[Outcome]:
        """Outcomes of these orders, in the order in which they are told."""
        if self.runner is not None:
            return self.runner.run(self._told(orders))
        for order in orders:
            self.venue.submit(order, self.world.clock.now_ns())
        told: list[Outcome] = []
        while (landing := self.venue.next_landing_ns()) is not None:
            told += self.venue.settle(landing)
        return told

    async def _told(self, orders: Sequence[Order]) -> list[Outcome]:
        assert isinstance(self.venue, VenueTasks)
        for order in orders:
            self.venue.submit(order, self.world.clock.now_ns())
        told: list[Outcome] = []
        while self.venue.on_the_way or self.venue.next_landing_ns() is not None:
            await self.venue.news()
            told += self.venue.settle(self.world.clock.now_ns())
        return told

    def fill(self, order: Order) -> Filled:
        (outcome,) = self.land(order)
        assert isinstance(outcome, Filled), outcome
        return outcome


def paper_bench(world: World) -> Bench:
    """Paper on the very state and schedule of the practice chain."""
    book = PoolBook()
    book.put(str(world.pool.address), world.now())
    book._observed_ns[str(world.pool.address)] = world.clock.now_ns()
    schedule = schedule_of(world.chain)
    venue = PaperVenue(book, world.settings.paper, lambda _: schedule, max_state_age_seconds=3_600)

    def state() -> PoolState:
        found = book.state(str(world.pool.address))
        assert found is not None
        return found

    made = Bench(world, venue, state)
    # Orders are planned on what the venue's market looks like, not on the chain that nobody trades on here.
    world.now = lambda pool=None: state()  # type: ignore[method-assign]
    return made


@pytest.fixture(params=["paper", "chain"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    world = World(tmp_path, lamports=START)
    if request.param == "paper":
        made = paper_bench(world)
        made.venue.deposit(START)
        yield made
    else:
        with asyncio.Runner() as runner:
            venue = VenueTasks(runner.run(world.open()))
            venue.deposit(START)
            yield Bench(world, venue, world.now, runner)
    world.close()


def moved_by(order: Order, outcome: Outcome) -> dict[str, int]:
    sums: dict[str, int] = {}
    for asset, units, _ in moves_of(order, outcome):
        sums[asset] = sums.get(asset, 0) + units
    return {asset: units for asset, units in sums.items() if units}


def change(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    every = before.keys() | after.keys()
    moved = {asset: after.get(asset, 0) - before.get(asset, 0) for asset in every}
    return {asset: units for asset, units in moved.items() if units}


def test_a_buy_fills_at_the_exact_quote_of_the_state_it_landed_on(bench: Bench) -> None:
    before = bench.state()
    filled = bench.fill(bench.buy())
    assert filled.executed == buy_exact_quote(before, schedule_of(bench.world.chain), SOL)
    assert isinstance(filled.executed, BuyQuote)
    assert bench.state().base_reserve == before.base_reserve - filled.executed.base_out


def test_a_sale_fills_at_the_exact_quote_of_the_state_it_landed_on(bench: Bench) -> None:
    bought = bench.fill(bench.buy()).executed
    assert isinstance(bought, BuyQuote)
    before = bench.state()
    filled = bench.fill(bench.sell(bought.base_out // 3))
    assert filled.executed == sell_exact_base(before, schedule_of(bench.world.chain), bought.base_out // 3)
    assert isinstance(filled.executed, SellQuote)


def test_p07_a_limit_that_is_exceeded_never_trades(bench: Bench) -> None:
    before = bench.state()
    quote = buy_exact_quote(before, schedule_of(bench.world.chain), SOL)
    (outcome,) = bench.land(bench.buy(limit=quote.base_out + 1))
    assert not isinstance(outcome, Filled)
    assert bench.state() == before
    assert list(bench.venue.wallet.balances()) == [SOL_ASSET]


def test_what_the_wallet_cannot_pay_is_denied_and_nothing_is_paid(bench: Bench) -> None:
    (outcome,) = bench.land(bench.buy(START))
    assert isinstance(outcome, Denied)
    assert outcome.rule == "insufficient funds"
    assert bench.venue.wallet.balances() == {SOL_ASSET: START}


def test_p25_the_sum_of_the_moves_is_the_wallets_change_and_every_cost_is_itemised(bench: Bench) -> None:
    order = bench.buy()
    start = bench.venue.wallet.balances()
    filled = bench.fill(order)
    bought = bench.venue.wallet.balances()
    assert moved_by(order, filled) == change(start, bought)
    assert filled.costs.network_fee == 5_000
    assert filled.costs.priority_fee > 0
    assert filled.costs.tip == 0
    assert filled.costs.rent_paid > 0
    order = bench.sell(bought[order.mint])
    sold = bench.fill(order)
    assert moved_by(order, sold) == change(bought, bench.venue.wallet.balances())


def test_a_sale_of_everything_closes_the_account_and_gets_its_rent_back(bench: Bench) -> None:
    bought = bench.fill(bench.buy()).executed
    assert isinstance(bought, BuyQuote)
    part = bench.fill(bench.sell(bought.base_out // 2))
    rest = bench.fill(bench.sell(bought.base_out - bought.base_out // 2))
    assert part.costs.rent_returned == 0
    assert rest.costs.rent_returned == bench.world.chain.rent(165)


def test_two_orders_of_one_token_settle_one_after_the_other(bench: Bench) -> None:
    schedule, before = schedule_of(bench.world.chain), bench.state()
    orders = [bench.buy(SOL // 2), bench.buy(SOL // 2)]
    first, second = bench.land(*orders)
    assert [first.order_id, second.order_id] == [order.order_id for order in orders]
    assert isinstance(first, Filled) and isinstance(second, Filled)
    assert first.executed == buy_exact_quote(before, schedule, SOL // 2)
    assert second.executed.base_reserve == before.base_reserve - first.executed.base_out


def test_every_order_has_exactly_one_outcome(bench: Bench) -> None:
    quote = buy_exact_quote(bench.state(), schedule_of(bench.world.chain), SOL)
    orders = [bench.buy(SOL // 4), bench.buy(START), bench.buy(limit=2 * quote.base_out), bench.buy(SOL // 4)]
    told = bench.land(*orders)
    assert sorted(outcome.order_id for outcome in told) == [order.order_id for order in orders]
    assert bench.land() == []
    assert bench.venue.next_landing_ns() is None


@pytest.mark.asyncio
async def test_the_engine_trades_on_the_chain_and_its_ledger_is_the_wallet(tmp_path: Path) -> None:
    """The same loop as on paper, from snapshot to exit; ``Engine`` compares ledger and wallet at every outcome."""
    world = World(tmp_path, lamports=START)
    settings = world.settings.model_copy(
        update={"exits": world.settings.exits.model_copy(update={"max_hold_seconds": 1})}
    )
    venue = VenueTasks(await world.open())
    book, schedule = PoolBook(), schedule_of(world.chain)
    engine = Engine(EngineParts(book, venue, always(90.0), lambda _: schedule, settings))
    engine.clock.advance_to(world.clock.now_ns())
    engine.deposit(START)
    engine.step(at_chain_time(world, scored=True))
    await venue.news()
    engine.tick(world.clock.now_ns())
    (held,) = engine.portfolio.positions.open_positions()
    assert held.base_units > 0
    world.chain.advance(20)
    engine.step(at_chain_time(world, scored=False))
    await venue.news()
    engine.tick(world.clock.now_ns())
    assert engine.portfolio.positions.open_positions() == []
    assert engine.portfolio.ledger.balances() == venue.wallet.balances()
    world.close()


def at_chain_time(world: World, *, scored: bool) -> Any:
    update = seen(world.now(), 0, scored=scored)
    at_ns = world.clock.now_ns()
    told = update.snapshot and update.snapshot.__class__(
        **{name: getattr(update.snapshot, name) for name in update.snapshot.__dataclass_fields__} | {"at_ns": at_ns}
    )
    return update.__class__(at_ns, update.pool, update.state, told)
