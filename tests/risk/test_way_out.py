"""The exit search: what it returns has passed exactly, and no larger budget would have."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.amm.fees import FeeConfig, Fees, FeeTier
from pumpswap.errors import TradeRefused
from pumpswap.risk.quotes import PoolQuotes, round_trip_loss
from pumpswap.risk.way_out import largest_with_way_out
from pumpswap.units import BPS
from tests.support.market import SOL, graduate
from tests.support.random_pools import random_state


def schedule(*tiers: tuple[int, int]) -> FeeSchedule:
    """Tiers as (market cap in SOL, protocol fee in bps)."""
    usual = current_schedule()
    flat = usual.fee_config
    rows = tuple(FeeTier(cap * SOL, Fees(20, protocol, 0)) for cap, protocol in tiers)
    return FeeSchedule(
        usual.global_config,
        FeeConfig(flat.flat_fees, rows, flat.stable_fee_tiers, flat.exotic_flat_fees, flat.admin, flat.bump),
    )


def passes(quotes: PoolQuotes, budget: int, bps: int) -> bool:
    try:
        return quotes.round_trip_loss(budget) * BPS <= bps
    except TradeRefused:
        return False


def cap_of(state: PoolState) -> int:
    return state.market_cap // SOL


def test_a_round_trip_loses_both_ways_of_fees() -> None:
    assert round_trip_loss(graduate(), current_schedule(), SOL) > Fraction(2 * 120, BPS)


def test_what_passes_whole_is_taken_whole() -> None:
    quotes = PoolQuotes(graduate(), current_schedule())
    assert largest_with_way_out(quotes, 5 * SOL, 300) == 5 * SOL


def test_where_fees_alone_are_too_much_nothing_is_left() -> None:
    quotes = PoolQuotes(graduate(), current_schedule())
    assert largest_with_way_out(quotes, 5 * SOL, 100) == 0


def test_a_dearer_tier_above_keeps_the_trade_below_it() -> None:
    """After a buy of some size the sale pays another tier: the search stops to the lamport before it."""
    state = graduate()
    quotes = PoolQuotes(state, schedule((0, 50), (cap_of(state) + 20, 900)))
    found = largest_with_way_out(quotes, 10 * SOL, 300)
    assert 0 < found < 10 * SOL
    assert passes(quotes, found, 300)
    assert not passes(quotes, found + 1, 300)


def test_of_three_tiers_the_highest_that_passes_is_found() -> None:
    state = graduate()
    cap = cap_of(state)
    quotes = PoolQuotes(state, schedule((0, 900), (cap - 1, 700), (cap + 10, 50), (cap + 40, 900)))
    found = largest_with_way_out(quotes, 20 * SOL, 800)
    reached = quotes.after_buy(found).market_cap
    assert cap + 10 < reached // SOL < cap + 40
    assert not passes(quotes, found + 1, 800)


@hypothesis_settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(0, 3_000), st.integers(1, 10**12))
def test_what_is_returned_passes_exactly(seed: int, bps: int, most: int) -> None:
    quotes = PoolQuotes(random_state(random.Random(seed)), current_schedule())
    found = largest_with_way_out(quotes, most, bps)
    assert 0 <= found <= most
    assert found == 0 or passes(quotes, found, bps)


@hypothesis_settings(max_examples=80)
@given(
    vault=st.integers(20 * SOL, 5_000 * SOL),
    bps=st.integers(150, 900),
    most=st.integers(SOL // 100, 20 * SOL),
    tiers=st.lists(st.tuples(st.integers(1, 60_000), st.integers(0, 400)), min_size=1, max_size=5),
    shares=st.lists(st.integers(1, 999), min_size=5, max_size=20),
)
def test_no_larger_budget_would_have_passed(
    vault: int, bps: int, most: int, tiers: list[tuple[int, int]], shares: list[int]
) -> None:
    """In pools of the size that is traded, where rounding is nothing."""
    quotes = PoolQuotes(graduate(quote_vault=vault), schedule((0, 95), *tiers))
    found = largest_with_way_out(quotes, most, bps)
    for share in shares:
        budget = found + (most - found) * share // 1_000
        if budget > found + 1_000 and passes(quotes, budget, bps):
            pytest.fail(f"{budget} passes, {found} was found")
