"""What a position is worth by a mark that was made before its last trade."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import current_schedule, sell_exact_base
from pumpswap.model import Costs, Filled, Mark, Order, Position, TradeSide
from pumpswap.portfolio.valuation import after_sale, value_by
from tests.execution.exit_world import bought, sold
from tests.support.market import SOL, START_NS, always, at, engine, graduate, seen

HELD = Position("pool", "mint", 1, START_NS, base_units=1_000, cost_lamports=SOL)


def mark(units: int, value: int) -> Mark:
    return Mark("pool", at(1), at(1), units, value)


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (None, SOL),  # nobody has valued it yet
        (mark(1_000, 7), 7),
        (mark(2_000, SOL), SOL // 2),  # half is sold since
        (mark(3_000, 10), 3),
        (mark(600, 2 * SOL), 2 * SOL + SOL * 4 // 10),  # 400 were bought since
    ],
)
def test_units_that_are_gone_count_nothing_and_new_ones_what_they_have_cost(found: Mark | None, value: int) -> None:
    assert value_by(found, HELD) == value


@given(st.integers(1, 10**15), st.integers(0, 10**18), st.integers(1, 10**15))
def test_a_sale_never_makes_what_is_left_worth_more(units: int, value: int, marked: int) -> None:
    held = Position("pool", "mint", 1, START_NS, base_units=units, cost_lamports=SOL)
    found = value_by(mark(marked, value), held)
    assert 0 <= found <= (value if units <= marked else value + SOL)


def test_equity_takes_a_sale_into_account_that_was_booked_before_anybody_marked() -> None:
    made = engine(always(100.0))
    made.clock.advance_to(START_NS)
    made.deposit(5 * SOL)
    made.step(seen(graduate(), 0, scored=True))
    made.step(seen(graduate(), 3))
    (position,) = made.portfolio.positions.open_positions()
    state = made.parts.book.state(position.pool)
    assert state is not None
    books, half = made.portfolio, position.base_units // 2
    before = books.equity_at(at(4)).equity_lamports
    quote = sell_exact_base(state, current_schedule(), half)
    order = Order(
        "x1",
        "d",
        TradeSide.SELL,
        position.pool,
        position.mint,
        at(4),
        quote.limit(1_000),
        quote,
        0,
        half,
        1_000,
        "half",
    )
    books.book(order, Filled("x1", at(4), 1, quote, Costs(), "s"))
    after = books.equity_at(at(4)).equity_lamports
    assert after == before  # half of the coins is money now, and the other half brings what is left
    other = sell_exact_base(state.after(quote), current_schedule(), position.base_units - half).user_quote_out
    assert abs(books.marks[position.pool].value_lamports - other) < other // 100


@given(st.integers(2, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.data())
def test_no_sale_makes_anybody_richer_by_a_mark_nor_poorer(
    units: int, value: int, brought: int, data: st.DataObject
) -> None:
    left = data.draw(st.integers(1, units - 1))
    before, after = replace(HELD, base_units=units), replace(HELD, base_units=left)
    found = after_sale(mark(units, value), before, after, sold(units - left, 1, brought))
    assert (found.base_units, found.sellable_units) == (left, None)
    assert 0 <= found.value_lamports <= value * left // units
    assert found.value_lamports + brought <= max(value, brought)
    assert found.value_lamports >= min(value - brought, value * left // units)


def test_a_buy_leaves_the_mark_as_it_was() -> None:
    assert after_sale(mark(1_000, 7), HELD, replace(HELD, base_units=2_000), bought(1_000, 1, graduate())) == mark(
        1_000, 7
    )
