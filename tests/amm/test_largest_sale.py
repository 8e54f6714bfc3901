"""The largest sale that a pool can pay now: the very last unit, on pools of every kind."""

from __future__ import annotations

import random

import msgspec
import pytest

from pumpswap.amm import FeeSchedule, PoolState, sell_exact_base
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.amm.largest import largest_sale
from pumpswap.errors import TradeRefused
from pumpswap.localnet.pool_kinds import PoolKind
from pumpswap.units import U64_MAX
from tests.support.market import graduate
from tests.support.random_pools import EVERY_KIND, random_sol_state, random_state
from tests.support.vectors import schedule

BOOSTED = {"virtual_quote_reserves": 17_584_505_294, "quote_vault": 67_405_853_790}


def pays(state: PoolState, fees: FeeSchedule, units: int) -> bool:
    try:
        return sell_exact_base(state, fees, units).user_quote_out > 0
    except TradeRefused:
        return False


def virtual(rng: random.Random, state: PoolState) -> PoolState:
    """The same pool with virtual reserves beside what it holds, from none to many times as much."""
    more = rng.choice((0, state.quote_vault // 5, state.quote_vault, 50 * state.quote_vault))
    pool = state.pool.with_changes(virtual_quote_reserves=state.pool.virtual_quote_reserves + more)
    return msgspec.structs.replace(state, pool=pool)


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.name)
def test_the_largest_is_paid_and_no_larger_one(kind: PoolKind) -> None:
    rng = random.Random(EVERY_KIND.index(kind))
    fees, in_parts = schedule(), 0
    for _ in range(60):
        state = virtual(rng, random_state(rng, kind))
        most = rng.choice((U64_MAX, rng.randint(1, 3 * state.base_reserve)))
        units = largest_sale(state, fees, most=most)
        assert 0 <= units <= most
        assert units == 0 or pays(state, fees, units)
        beyond = most - units
        larger = {units + extra for extra in range(1, 12)}
        larger |= {units + 1 + int(beyond * 10 ** rng.uniform(-18, 0)) for _ in range(20)}
        assert not [size for size in sorted(larger) if size <= most and pays(state, fees, size)]
        in_parts += 0 < units < most
    assert in_parts > 3


def test_on_tiny_pools_it_is_the_largest_of_all_sales_that_are_paid() -> None:
    """Fees rounded up and reserves of a few units: here every sale is tried."""
    rng = random.Random(11)
    found = limited = 0
    for _ in range(400):
        reserves = {"base_reserve": rng.randint(1, 400), "quote_vault": rng.randint(1, 400)}
        state = msgspec.structs.replace(virtual(rng, random_state(rng)), **reserves)
        most = rng.randint(1, 1_200)
        paid = [units for units in range(1, most + 1) if pays(state, schedule(), units)]
        assert largest_sale(state, schedule(), most=most) == max(paid, default=0)
        found += bool(paid)
        limited += 0 < max(paid, default=0) < most
    assert found > 120
    assert limited > 40


def test_a_boosted_pool_pays_what_it_holds_and_no_lamport_more() -> None:
    state = graduate(**BOOSTED)
    units = largest_sale(state, schedule(), most=10**15)
    quote, real = sell_exact_base(state, schedule(), units), state.real_quote_reserve
    # One unit more would have to pay more than there is: the vault is emptied to the last units of proceeds.
    assert real - 1 <= quote.gross_quote - quote.lp_fee <= real == 67_405_853_790
    assert not pays(state, schedule(), units + 1)
    assert state.after(quote).real_quote_reserve == real - (quote.gross_quote - quote.lp_fee)


def test_what_fits_is_sold_whole() -> None:
    state = random_sol_state(random.Random(2))
    assert largest_sale(state, schedule(), most=1_000_000) == 1_000_000
    assert largest_sale(state, schedule(), most=0) == largest_sale(state, schedule(), most=-5) == 0


def test_a_pool_that_is_empty_or_owes_all_it_has_pays_nothing() -> None:
    state = random_sol_state(random.Random(2))
    for empty in ({"base_reserve": 0}, {"quote_vault": 0}):
        assert largest_sale(msgspec.structs.replace(state, **empty), schedule(), most=U64_MAX) == 0
    owing = state.pool.with_changes(protocol_fees=state.quote_vault, virtual_quote_reserves=state.quote_vault)
    assert largest_sale(msgspec.structs.replace(state, pool=owing), schedule(), most=U64_MAX) == 0


def test_dust_that_would_be_given_away_is_not_a_sale() -> None:
    state = graduate(creator=USDC_MINT, creator_fee_bps=2_500, base_reserve=10**15, quote_vault=1_000)
    paid = [units for units in range(1, 10**13, 10**10) if pays(state, schedule(), units)]
    assert largest_sale(state, schedule(), most=min(paid) - 10**10) == 0
