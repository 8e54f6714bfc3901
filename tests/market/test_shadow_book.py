"""What we hold on paper stays out of the pools that a chain tells, exactly on the curve."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import (
    PoolState,
    current_schedule,
    execute_buy_exact_quote_in,
    execute_deposit,
    execute_sell,
    execute_withdraw,
    sell_exact_base,
)
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


@given(st.integers(SOL // 10, 20 * SOL), st.integers(-50, 0))
def test_bought_and_sold_at_once_costs_the_fees_and_no_more_whatever_is_sold_between(
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


# ---------------------------------------------------------------------------------------------- against the real thing


class Both:
    """The chain, which does not know our trade, with the shadow of it, and a pool that really contains it. What the
    others do, they do to both with the same amounts: buyers spend quote, sellers sell tokens, providers move a share.
    """

    def __init__(self, lamports: int, **pool: Any) -> None:
        self.book, self.chain = ShadowBook(), graduate(**pool)
        self.book.apply(told(self.chain))
        self.units = bought(self.book, lamports)
        # Without the fee of the providers, as the shadow has it: it is theirs in the end.
        self.real = without_units(self.chain, self.units)
        self.spent = lamports
        self._tell()

    def buy(self, lamports: int) -> None:
        self._each(lambda one: one.effective_quote_reserve + lamports)

    def sell(self, share_bps: int) -> None:
        units = self.chain.base_reserve * share_bps // 10_000
        self._each(lambda one: -(-one.effective_quote_reserve * one.base_reserve // (one.base_reserve + units)))

    def pull(self, share_bps: int) -> None:
        for name in ("chain", "real"):
            state = getattr(self, name)
            setattr(self, name, execute_withdraw(state, state.pool.lp_supply * share_bps // 10_000, 0, 0))
        self._tell()

    def add(self, share_bps: int) -> None:
        for name in ("chain", "real"):
            state = getattr(self, name)
            lp = state.pool.lp_supply * share_bps // 10_000
            setattr(self, name, execute_deposit(state, lp, 2**63, 2**63))
        self._tell()

    def paper(self) -> int:
        return sell_exact_base(known(self.book), SCHEDULE, self.units).user_quote_out

    def really(self) -> int:
        return sell_exact_base(self.real, SCHEDULE, self.units).user_quote_out

    def _each(self, quote_of: Callable[[PoolState], int]) -> None:
        for name in ("chain", "real"):
            state = getattr(self, name)
            quote = quote_of(state)
            base = -(-state.effective_quote_reserve * state.base_reserve // quote)
            vault = state.quote_vault + quote - state.effective_quote_reserve
            setattr(self, name, msgspec.structs.replace(state, base_reserve=base, quote_vault=vault))
        self._tell()

    def _tell(self) -> None:
        self.book.apply(told(self.chain))


@given(st.integers(SOL // 10, 20 * SOL), st.booleans(), st.lists(st.integers(1, 5_000), max_size=6))
def test_with_swaps_of_others_a_paper_sale_pays_what_the_pool_with_our_trade_would(
    lamports: int, buys: bool, moves: list[int]
) -> None:
    both = Both(lamports)
    for move in moves:
        both.buy(move * SOL // 10) if buys else both.sell(move)
    assert abs(both.paper() - both.really()) <= 20


@given(
    st.integers(SOL // 10, 20 * SOL),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["swap", "pull", "add"]), st.integers(1, 9_900)), max_size=6),
    st.sampled_from([0, SOL, 20 * SOL]),
)
def test_when_liquidity_is_pulled_or_added_a_paper_sale_pays_no_more_and_no_less(
    lamports: int, buys: bool, moves: list[tuple[str, int]], owed: int
) -> None:
    both = Both(lamports, virtual_quote_reserves=-owed, protocol_fees=owed)
    for kind, amount in moves:
        if kind == "pull" and both.chain.real_quote_reserve > SOL // 10:
            both.pull(amount)
        elif kind == "add":
            both.add(min(amount, 5_000))
        elif kind == "swap":
            both.buy(amount * SOL // 1_000) if buys else both.sell(min(amount, 3_000))
    assert both.paper() <= both.really() + 30
    assert both.paper() >= both.really() - 30


def test_a_rug_is_no_profit() -> None:
    both = Both(5 * SOL)
    both.pull(9_000)
    assert both.paper() < both.spent
    assert abs(both.paper() - both.really()) <= 20


def test_a_pump_does_not_multiply_what_we_hold() -> None:
    """Tokens that are missing from a pool that others have nearly emptied are no licence to empty the other side."""
    both = Both(5 * SOL)
    both.buy(900 * SOL)
    assert both.book.held(POOL) > both.chain.base_reserve // 2
    assert abs(both.paper() - both.really()) <= 20
    both = Both(20 * SOL)
    both.buy(5_000 * SOL)
    assert both.book.held(POOL) > both.chain.base_reserve
    assert abs(both.paper() - both.really()) <= 20


def test_half_sold_after_a_pump_the_other_half_meets_its_impact() -> None:
    both = Both(5 * SOL)
    both.buy(100 * SOL)
    half = both.units // 2
    both.book.put(POOL, execute_sell(known(both.book), SCHEDULE, half, 1, generation=2).state)
    both.units -= half
    after = known(both.book)
    both._tell()
    again = known(both.book)
    assert abs(again.base_reserve - after.base_reserve) <= 1
    assert again.effective_quote_reserve <= after.effective_quote_reserve
    both.book.put(POOL, execute_sell(again, SCHEDULE, both.units, 1, generation=2).state)
    both._tell()
    assert known(both.book) == both.chain


def test_the_next_process_goes_on_with_what_is_remembered() -> None:
    both = Both(5 * SOL)
    kept = json.loads(json.dumps(both.book.memory()))
    both.pull(9_000)
    restarted = ShadowBook({POOL: both.units}, kept)
    restarted.apply(told(both.chain))
    assert known(restarted) == known(both.book)
    assert restarted.memory() == kept
    other = ShadowBook({POOL: both.units - 1}, kept)  # of other books: not believed
    assert other.memory() == {}


def test_an_older_slot_changes_nothing_here_either() -> None:
    book, chain = ShadowBook(), msgspec.structs.replace(graduate(), slot=9)
    book.apply(told(chain))
    bought(book, SOL)
    before = known(book)
    book.apply(told(msgspec.structs.replace(moved(chain, 50), slot=8)))
    assert known(book) == before
