"""What we hold on paper stays out of the pools that a chain tells, exactly on the curve."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import PoolState, current_schedule, execute_buy_exact_quote_in, execute_sell
from pumpswap.market.shadow_book import ShadowBook, without_units
from pumpswap.model import MarketUpdate
from tests.support.market import SOL, START_NS, graduate, moved

POOL = str(graduate().address)
SCHEDULE = current_schedule()


def told(state: PoolState, at_ns: int = START_NS) -> MarketUpdate:
    return MarketUpdate(at_ns, POOL, state)


def known(book: ShadowBook) -> PoolState:
    state = book.state(POOL)
    assert state is not None
    return state


def bought(book: ShadowBook, lamports: int) -> int:
    """Buy on paper; how many units that was."""
    before = known(book)
    done = execute_buy_exact_quote_in(before, SCHEDULE, lamports, 1, generation=2)
    book.put(POOL, done.state)
    return before.base_reserve - done.state.base_reserve


def test_a_reading_that_does_not_know_our_trade_does_not_undo_its_impact() -> None:
    book, chain = ShadowBook(), graduate()
    book.apply(told(chain))
    units = bought(book, 2 * SOL)
    book.apply(told(chain))
    assert book.held(POOL) == units
    assert known(book).base_reserve == chain.base_reserve - units
    assert known(book).spot_price > chain.spot_price


def test_when_all_is_sold_again_the_chain_is_taken_as_it_is() -> None:
    book, chain = ShadowBook(), graduate()
    book.apply(told(chain))
    units = bought(book, 2 * SOL)
    later = moved(chain, 50)
    book.apply(told(later))
    book.put(POOL, execute_sell(known(book), SCHEDULE, units, 1, generation=2).state)
    assert book.held(POOL) == 0
    book.apply(told(later))
    assert known(book) == later


def test_what_an_earlier_process_holds_is_missing_from_the_first_reading_on() -> None:
    book = ShadowBook({POOL: 10**12, "other": 0})
    book.apply(told(graduate()))
    assert known(book).base_reserve == graduate().base_reserve - 10**12


def test_what_has_no_curve_is_left_as_it_is() -> None:
    state = graduate()
    assert without_units(state, state.base_reserve) == state
    empty: Any = msgspec.structs.replace(state, quote_vault=0)
    assert without_units(empty, 1) == empty


@given(st.integers(1, 200_000_000_000_000), st.integers(-90, 400))
def test_the_product_of_the_reserves_stays_and_never_falls(units: int, percent: int) -> None:
    chain = moved(graduate(), percent)
    if units >= chain.base_reserve:
        assert without_units(chain, units) == chain
        return
    shadow = without_units(chain, units)
    before = chain.effective_quote_reserve * chain.base_reserve
    after = shadow.effective_quote_reserve * shadow.base_reserve
    assert before <= after < before + shadow.base_reserve


@given(st.integers(SOL // 10, 20 * SOL), st.integers(-50, 300))
def test_bought_and_sold_at_once_costs_the_fees_and_no_more_whatever_the_chain_tells_between(
    lamports: int, percent: int
) -> None:
    book, chain = ShadowBook(), graduate()
    book.apply(told(chain))
    units = bought(book, lamports)
    book.apply(told(moved(chain, percent)))
    sold = execute_sell(known(book), SCHEDULE, units, 1, generation=2)
    # Sold back into the pool that lacks them, the units bring what a buyer of them would pay there, fees apart.
    fair = known(book).effective_quote_reserve - moved(chain, percent).effective_quote_reserve
    assert sold.quote.gross_quote <= fair <= sold.quote.gross_quote + 2
