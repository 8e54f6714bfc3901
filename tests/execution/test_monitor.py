"""Monitoring: exact values of what is held, and the distance to every exit."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pumpswap.amm import Quote, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.execution.exits import due_exit
from pumpswap.execution.monitor import Monitoring, monitor, put_in
from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import Costs, EntryKind, ExitState, Filled, Mark, Order, TradeSide
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.valuation import mark_position
from pumpswap.settings import ExitRules
from tests.support.market import SOL, at, graduate, moved

STATE = graduate()
POOL, MINT = str(STATE.address), str(STATE.pool.base_mint)
COSTS = Costs(5_000, 1_000, 0, 2_039_280)
RULES = ExitRules(take_profit_bps=5_000, stop_loss_bps=2_000, max_hold_seconds=600)


def booked(portfolio: Portfolio, number: int, quote: Quote, side: TradeSide) -> None:
    order = Order(f"o{number}", f"d{number}", side, POOL, MINT, at(number), 1, quote, SOL)
    portfolio.book(order, Filled(order.order_id, at(number), number, quote, COSTS, f"s{number}"))


@pytest.fixture
def portfolio() -> Portfolio:
    """10 SOL; 1 SOL of a coin, a third of it sold."""
    books = Portfolio()
    books.deposit(10 * SOL, at(0))
    quote = buy_exact_quote(STATE, current_schedule(), SOL)
    booked(books, 1, quote, TradeSide.BUY)
    booked(books, 2, sell_exact_base(STATE, current_schedule(), quote.base_out // 3), TradeSide.SELL)
    return books


def seen_at(portfolio: Portfolio, percent: int, *, seconds: int = 100) -> Monitoring:
    (held,) = portfolio.positions.open_positions()
    state, seen_ns = moved(STATE, percent), at(seconds - 1)
    mark = mark_position(held, state, current_schedule(), at_ns=at(seconds), state_ns=seen_ns)
    return monitor(portfolio, {POOL: mark}, RULES, at_ns=at(seconds))


def test_value_is_the_exact_sell_quote_and_profit_is_equity_less_own_money(portfolio: Portfolio) -> None:
    found = seen_at(portfolio, 30)
    (one,) = found.positions
    held = portfolio.positions.open_positions()[0]
    value = sell_exact_base(moved(STATE, 30), current_schedule(), held.base_units).user_quote_out
    assert (one.position, one.mark.value_lamports, one.mark.age_ns) == (held, value, 10**9)
    assert one.unrealised_lamports == found.unrealised_lamports == value - held.cost_lamports
    assert found.equity.equity_lamports == portfolio.cash + value + 2 * 2_039_280
    assert found.equity.put_in_lamports == 10 * SOL
    # Nothing failed, and nobody else moved anything.
    assert found.profit_lamports == value - held.cost_lamports + held.realised_lamports
    assert portfolio.marks == {}  # pure: the caller stores them


@pytest.mark.parametrize("percent", [-40, -21, -15, 0, 20, 55, 80])
def test_a_distance_says_how_far_the_value_is_from_the_exit(portfolio: Portfolio, percent: int) -> None:
    (one,) = seen_at(portfolio, percent).positions
    cost, value = one.position.cost_lamports, one.mark.value_lamports
    assert one.exits.stop_loss == Fraction(cost * 8_000, 10_000 * value) - 1
    assert one.exits.take_profit == Fraction(cost * 15_000, 10_000 * value) - 1
    due = one.exits.stop_loss >= 0 or one.exits.take_profit <= 0
    known = ExitState(one.position.pool, one.position.round)
    assert (due_exit(one.position, one.mark, RULES, known) is not None) == due


def test_the_time_that_is_left(portfolio: Portfolio) -> None:
    (one,) = seen_at(portfolio, 0, seconds=101).positions
    assert one.exits.seconds_left == 500


def test_what_nobody_has_seen_is_worth_nothing_and_says_so(portfolio: Portfolio) -> None:
    (held,) = portfolio.positions.open_positions()
    mark = mark_position(held, None, current_schedule(), at_ns=at(5), state_ns=None)
    found = monitor(portfolio, {POOL: mark}, RULES, at_ns=at(5))
    (one,) = found.positions
    assert one.mark.obstacle == "no state of this pool is known"
    assert one.unrealised_lamports is None
    assert (one.exits.stop_loss, one.exits.take_profit) == (None, None)
    assert found.equity.marks_lamports == 0
    assert found.unrealised_lamports == -one.position.cost_lamports


def test_a_mark_of_other_units_values_nothing(portfolio: Portfolio) -> None:
    mark = Mark(POOL, at(5), at(5), 7, 10**9)
    (one,) = monitor(portfolio, {POOL: mark}, RULES, at_ns=at(6)).positions
    assert (one.mark.value_lamports, one.mark.obstacle) == (0, "not valued since it has changed")
    found = monitor(portfolio, {}, RULES, at_ns=at(6))
    assert found.positions == (one,)
    assert found.equity.marks_lamports == one.position.cost_lamports  # what was not seen is not lost


def test_own_money_is_what_was_put_in_less_what_was_taken_out() -> None:
    totals = {
        (SOL_ASSET, EntryKind.DEPOSIT): 10,
        (SOL_ASSET, EntryKind.WITHDRAWAL): -3,
        (SOL_ASSET, EntryKind.FOREIGN): 99,
        ("coin", EntryKind.DEPOSIT): 5,
    }
    assert put_in(totals) == 7
