"""The paper venue: exact fills at landing time, real refusals, real costs, a wallet that moves as a chain's would."""

from __future__ import annotations

from typing import Any

from pumpswap.amm import PoolState, buy_exact_quote, current_schedule, execute_buy_exact_quote_in, sell_exact_base
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.costs import priority_fee, rents_at
from pumpswap.execution.paper import V2_SINCE, PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import Denied, Filled, Order, Rejected, TradeSide
from pumpswap.settings import PaperVenueSettings
from tests.support.market import SOL, START_NS, at, graduate, moved, seen

SETTINGS = PaperVenueSettings()
LANDING = at(1.2)


def venue(state: PoolState, lamports: int = 10 * SOL) -> PaperVenue:
    book = PoolBook()
    book.apply(seen(state, 0))
    made = PaperVenue(book, SETTINGS, lambda _: current_schedule(), max_state_age_seconds=60)
    made.deposit(lamports)
    return made


def buy(state: PoolState, budget: int = SOL, *, limit: int | None = None, number: int = 1) -> Order:
    quote = buy_exact_quote(state, current_schedule(), budget)
    return Order(
        f"o{number}", "d", TradeSide.BUY, str(state.address), str(state.pool.base_mint), START_NS,
        quote.limit(300) if limit is None else limit, quote, budget,
    )  # fmt: skip


def sell(state: PoolState, units: int, *, number: int = 2) -> Order:
    quote = sell_exact_base(state, current_schedule(), units)
    return Order(
        f"o{number}", "d", TradeSide.SELL, str(state.address), str(state.pool.base_mint), START_NS, quote.limit(300),
        quote, 0, units,
    )  # fmt: skip


def settled(made: PaperVenue, order: Order, until_ns: int = LANDING) -> Any:
    made.submit(order, START_NS)
    return list(made.settle(until_ns))


def test_an_order_lands_after_its_latency_and_not_before() -> None:
    made = venue(graduate())
    made.submit(buy(graduate()), START_NS)
    assert made.next_landing_ns() == LANDING
    assert made.landings_ns() == [LANDING]
    assert list(made.settle(LANDING - 1)) == []
    assert len(list(made.settle(LANDING))) == 1
    assert made.next_landing_ns() is None


def test_a_fill_is_the_programs_result_on_the_pool_at_landing_time() -> None:
    made, before = venue(graduate()), graduate()
    made.submit(buy(before), START_NS)
    now = moved(before, 2)  # the price rises by 2 % while the order travels
    made._book.apply(seen(now, 1))
    (filled,) = made.settle(LANDING)
    expected = execute_buy_exact_quote_in(now, current_schedule(), SOL, 1, generation=2)
    assert isinstance(filled, Filled)
    assert filled.executed == expected.quote
    assert made._book.state(str(before.address)) == expected.state


def test_a_price_that_ran_away_is_rejected_with_the_programs_code_and_costs_the_network_fees() -> None:
    made, before = venue(graduate()), graduate()
    made.submit(buy(before), START_NS)
    made._book.apply(seen(moved(before, 10), 1))
    (rejected,) = made.settle(LANDING)
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.name) == (6040, "BuySlippageBelowMinBaseAmountOut")
    assert made.wallet.lamports == 10 * SOL - 5_000 - priority_fee(SETTINGS)
    assert made.wallet.tokens == {}


def test_the_wallet_moves_by_the_transfers_and_the_costs() -> None:
    made, state = venue(graduate()), graduate()
    (filled,) = settled(made, buy(state))
    rents = rents_at(LANDING // NS_PER_SECOND)
    assert filled.costs.rent_paid == rents.token_account + rents.user_volume_accumulator
    spent = filled.executed.total_quote + 5_000 + 30_000 + filled.costs.rent_paid
    assert made.wallet.balances() == {"SOL": 10 * SOL - spent, str(state.pool.base_mint): filled.executed.base_out}


def test_the_second_buy_of_a_token_pays_no_rent_and_the_last_sale_gets_it_back() -> None:
    made, state = venue(graduate()), graduate()
    (first,) = settled(made, buy(state))
    (second,) = settled(made, buy(state, number=3))
    assert (first.costs.rent_paid > 0, second.costs.rent_paid) == (True, 0)
    held = made.wallet.tokens[str(state.pool.base_mint)]
    (part,) = settled(made, sell(graduate(), held // 2, number=4))
    (rest,) = settled(made, sell(graduate(), held - held // 2, number=5))
    assert part.costs.rent_returned == 0
    assert rest.costs.rent_returned == rents_at(LANDING // NS_PER_SECOND).token_account
    assert list(made.wallet.balances()) == ["SOL"]


def test_token_2022_accounts_are_larger_and_cost_more() -> None:
    state = graduate(base_token_program=TOKEN_2022_PROGRAM)
    (filled,) = settled(venue(state), buy(state))
    rents = rents_at(LANDING // NS_PER_SECOND)
    assert filled.costs.rent_paid == rents.token_2022_account + rents.user_volume_accumulator


def test_a_state_that_nobody_has_seen_for_too_long_is_not_filled() -> None:
    made = venue(graduate())
    made.submit(buy(graduate()), at(60))
    (denied,) = made.settle(at(62))
    assert isinstance(denied, Denied)
    assert denied.rule == "stale state"
    assert made.wallet.lamports == 10 * SOL


def test_what_the_wallet_cannot_pay_is_not_sent() -> None:
    (denied,) = settled(venue(graduate(), SOL), buy(graduate()))
    assert isinstance(denied, Denied)
    assert denied.rule == "insufficient funds"


def test_the_instruction_generation_follows_the_date_and_the_pool() -> None:
    def pool_after(state: PoolState, unix_seconds: int) -> PoolState:
        book = PoolBook()
        made = PaperVenue(book, SETTINGS, lambda _: current_schedule(), max_state_age_seconds=60)
        made.deposit(10 * SOL)
        book.put(str(state.address), state)
        book._observed_ns[str(state.address)] = unix_seconds * NS_PER_SECOND
        made.submit(buy(state), unix_seconds * NS_PER_SECOND)
        (filled,) = made.settle((unix_seconds + 2) * NS_PER_SECOND)
        assert isinstance(filled, Filled)
        found = book.state(str(state.address))
        assert found is not None
        return found

    assert pool_after(graduate(), V2_SINCE + 10).pool.protocol_fees > 0
    assert pool_after(graduate(), V2_SINCE - 100).pool.protocol_fees == 0
    assert pool_after(graduate(is_cashback_coin=True), V2_SINCE + 10).pool.protocol_fees == 0
