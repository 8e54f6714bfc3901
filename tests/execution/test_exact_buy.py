"""Buys of an exact amount on both venues: the program's ``buy``, its refusal, the guard, and books to the lamport."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, buy_exact_base, current_schedule, execute_buy
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.amm.instructions.swap import swap_kind
from pumpswap.analytics import charts
from pumpswap.analytics.record import Trade
from pumpswap.chain.transaction import ComputeBudget, build_message
from pumpswap.cli import why_fate
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import GuardRefused
from pumpswap.execution.costs import priority_fee
from pumpswap.execution.paper import V2_SINCE, PaperVenue
from pumpswap.execution.reservations import Reservation
from pumpswap.execution.swap_plan import Denial, SwapChoices, SwapPlan, WalletView, plan_swap
from pumpswap.localnet.pools import PoolSpec, schedule_of
from pumpswap.market.book import PoolBook
from pumpswap.model import Costs, Decision, Denied, Filled, Intent, Order, Position, Rejected, TradeSide
from pumpswap.settings import PaperVenueSettings
from pumpswap.storage.database import open_database
from pumpswap.units import format_sol
from pumpswap.wallet.guard import check_message
from tests.execution.live_world import LIMITS, WALLET, World, agree, books_of
from tests.support.market import SOL, START_NS, at, graduate, moved, seen
from tests.support.material import requires_material

SCHEDULE, BUDGET = current_schedule(), ComputeBudget(200_000, 50_000)
UNITS = 10**13


def exact(state: PoolState, units: int = UNITS, slippage_bps: int = 300, number: int = 1) -> Order:
    quote = buy_exact_base(state, SCHEDULE, units)
    most = quote.limit(slippage_bps)
    pool, mint = str(state.address), str(state.pool.base_mint)
    return Order(f"o{number}", "d", TradeSide.BUY, pool, mint, START_NS, most, quote, most, units, slippage_bps)


def venue(state: PoolState, lamports: int = 10 * SOL) -> PaperVenue:
    book = PoolBook()
    book.apply(seen(state, 0))
    made = PaperVenue(book, PaperVenueSettings(), lambda _: SCHEDULE, max_state_age_seconds=60)
    made.deposit(lamports)
    return made


# ------------------------------------------------------------------------------------------ paper


@pytest.mark.parametrize("is_cashback", [False, True])
def test_on_paper_it_fills_exactly_at_the_price_of_its_landing(is_cashback: bool) -> None:
    before = graduate(is_cashback_coin=is_cashback)
    made, now = venue(before), moved(before, 1)
    made.submit(exact(before), START_NS)
    made._book.apply(seen(now, 1))
    (filled,) = made.settle(at(1.2))
    generation = 1 if is_cashback or START_NS // NS_PER_SECOND < V2_SINCE else 2
    expected = execute_buy(now, SCHEDULE, UNITS, 10**12, generation=generation)
    assert isinstance(filled, Filled)
    assert (filled.executed, made._book.state(str(before.address))) == (expected.quote, expected.state)
    assert made.wallet.tokens == {str(before.pool.base_mint): UNITS}
    spent = expected.quote.total_quote + filled.costs.spent + filled.costs.rent_paid
    assert made.wallet.lamports == 10 * SOL - spent


def test_on_paper_a_price_beyond_the_limit_is_refused_with_the_programs_code() -> None:
    before = graduate()
    made = venue(before)
    made.submit(exact(before), START_NS)
    made._book.apply(seen(moved(before, 10), 1))
    (rejected,) = made.settle(at(1.2))
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.name) == (6004, "ExceededSlippage")
    assert made.wallet.lamports == 10 * SOL - 5_000 - priority_fee(PaperVenueSettings())


def test_on_paper_the_wallet_must_have_what_it_may_cost() -> None:
    state = graduate()
    order = exact(state)
    made = venue(state, order.limit)
    made.submit(order, START_NS)
    (denied,) = made.settle(at(1.2))
    assert isinstance(denied, Denied)
    assert denied.rule == "insufficient funds"


# ------------------------------------------------------------------------------------------ plan and guard


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token-2022"])
def test_the_plan_is_the_programs_buy_and_passes_the_guard(generation: int, program: Pubkey) -> None:
    state = graduate(base_token_program=program)
    order = exact(state)
    view = WalletView(WALLET, 0, 10 * SOL, 1_000, None, False)
    plan = plan_swap(order, state, SCHEDULE, view, SwapChoices(generation), Reservation())
    assert isinstance(plan, SwapPlan), plan
    (swap,) = [one for one in plan.instructions if len(one.accounts) > 12]
    kind = swap_kind(bytes(swap.data))
    assert (kind.generation, kind.is_buy, kind.is_exact_quote) == (generation, True, False)
    amounts = [int.from_bytes(bytes(swap.data)[place : place + 8], "little") for place in (8, 16)]
    assert amounts == [UNITS, order.limit]
    allowed = plan.spend_plan(BUDGET)
    assert (allowed.max_pay_units, allowed.min_receive_units) == (order.limit, UNITS)
    assert (plan.wrap_lamports, plan.from_wrapped_lamports) == (order.limit - 1_000, 1_000)
    message = build_message(plan.instructions, WALLET, Hash.hash(b"h"), BUDGET)
    check_message(message, allowed, LIMITS)
    for worse in (replace(allowed, max_pay_units=order.limit - 1), replace(allowed, min_receive_units=UNITS + 1)):
        with pytest.raises(GuardRefused):
            check_message(message, worse, LIMITS)


def test_it_reserves_lamports_and_none_of_the_tokens_that_it_buys() -> None:
    state = graduate()
    view = WalletView(WALLET, 0, 10 * SOL, None, None, False)
    plan = plan_swap(exact(state), state, SCHEDULE, view, SwapChoices(1), Reservation())
    assert isinstance(plan, SwapPlan)
    reserved = plan.reservation(BUDGET, 0)
    assert (reserved.native_lamports, reserved.base_units) == (exact(state).limit + BUDGET.fee(), 0)


def test_no_transaction_is_built_when_it_costs_more_than_its_limit() -> None:
    state = graduate()
    view = WalletView(WALLET, 0, 10 * SOL, None, None, False)
    denial = plan_swap(exact(state), moved(state, 10), SCHEDULE, view, SwapChoices(1), Reservation())
    assert isinstance(denial, Denial)
    assert denial.rule == "limit"


# ------------------------------------------------------------------------------------------ store


def test_order_and_decision_come_back_from_the_store_as_they_were(tmp_path: Path) -> None:
    state = graduate()
    order = exact(state)
    wish = Intent(TradeSide.BUY, order.pool, order.mint, START_NS, "exactly", base_units=UNITS, slippage_bps=300)
    decision = Decision("d", wish, True, (), (), order.quote_lamports, UNITS)
    with open_database(tmp_path / "x.sqlite") as database:
        run = database.start_run("demo", START_NS, 1, {})
        run.save_decision(decision)
        run.save_order(order)
        assert list(run.orders(unresolved=True)) == [order]
        assert list(run.decisions()) == [decision]


def test_why_and_charts_tell_amount_and_most_of_an_exact_buy() -> None:
    state = graduate()
    order = exact(state)
    assert why_fate._order_text(order, 6) == (
        f"o1: exactly 10,000,000 tokens for at most {format_sol(order.limit)} SOL (slippage 3 %)"
    )
    done = execute_buy(state, SCHEDULE, UNITS, order.limit, generation=2)
    filled = Filled("o1", START_NS, 1, done.quote, Costs(), "")
    told = charts._told(Trade(order, filled, Position(order.pool, order.mint, 1, START_NS)), {order.pool: "CAT"})
    assert told == f"Bought CAT for {format_sol(done.quote.total_quote)} SOL"  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------ the real program


def ordered(world: World, units: int, slippage_bps: int = 300, pool: PoolState | None = None) -> Order:
    quote = buy_exact_base(world.now(pool), schedule_of(world.chain), units)
    most = quote.limit(slippage_bps)
    return replace(world.buy(SOL, pool=pool), quote=quote, limit=most, quote_lamports=most, base_units=units)


@requires_material("chain", "programs")
@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["graduate", "cashback", "mayhem", "permissionless"])
async def test_the_real_program_gives_exactly_the_amount_and_the_books_agree(tmp_path: Path, kind: str) -> None:
    world = World(tmp_path, spec=PoolSpec(kind=kind))
    venue = await world.open()
    before, schedule = world.now(), schedule_of(world.chain)
    units = before.base_reserve // 977 + 1
    order = ordered(world, units)
    bought = await venue.execute(order)
    assert isinstance(bought, Filled), bought
    assert bought.executed == buy_exact_base(before, schedule, units)
    assert bought.executed.total_quote < order.limit  # type: ignore[union-attr]
    await agree(world, venue)
    (position,) = books_of(venue).portfolio.positions.open_positions()
    assert position.base_units == units
    sold = await venue.execute(world.sell(units))
    assert isinstance(sold, Filled), sold
    assert sold.costs.rent_returned > 0
    await agree(world, venue)
    assert books_of(venue).portfolio.positions.open_positions() == []
    world.close()


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_on_chain_more_than_the_limit_is_denied_before_a_byte_is_out(world: World) -> None:
    venue = await world.open()
    order = ordered(world, world.now().base_reserve // 1_000)
    short = replace(order, limit=order.limit * 9 // 10, quote_lamports=order.limit * 9 // 10)
    denied = await venue.execute(short)
    assert isinstance(denied, Denied), denied
    assert denied.rule == "limit"
    await agree(world, venue)
