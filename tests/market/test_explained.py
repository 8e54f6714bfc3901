"""What nobody told is worked out only where it explains every figure."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.acting import acted_state
from pumpswap.amm.acts import BoostBurn, BuyQuote, Deposit, PoolAct, PoolChange, SweepFees, VaultGift, Withdraw
from pumpswap.amm.events import FeeBucket
from pumpswap.errors import TradeRefused
from pumpswap.market.explained import PoolSeen, explain, seen_of
from tests.support.market import graduate

FEES = current_schedule()
OTHER = Pubkey.from_bytes(b"\x07" * 32)


@st.composite
def states(draw: st.DrawFn, *, boosted: bool | None = None) -> PoolState:
    """Pools of every size, with fees owed."""
    base, quote = draw(st.integers(10**3, 10**15)), draw(st.integers(10**4, 10**13))
    protocol, creator = draw(st.integers(0, quote // 4)), draw(st.integers(0, quote // 4))
    boost = draw(st.integers(1, 10**12)) if boosted or (boosted is None and draw(st.booleans())) else 0
    state = graduate()
    pool = state.pool.with_changes(
        virtual_quote_reserves=boost - protocol - creator,
        protocol_fees=protocol,
        creator_fees=creator,
        lp_supply=draw(st.integers(100, 10**13)),
    )
    return msgspec.structs.replace(state, pool=pool, base_reserve=base, quote_vault=quote)


def after(state: PoolState, *acts: PoolAct) -> PoolState:
    for act in acts:
        state = acted_state(state, FEES, act)
    return state


def without_liquidity(seen: PoolSeen) -> PoolSeen:
    """As an event tells it: no LP supply."""
    return msgspec.structs.replace(seen, lp_supply=None)


@given(states())
def test_nothing_is_explained_by_nothing(state: PoolState) -> None:
    assert explain(state, seen_of(state)) == ()


@given(states(), st.sampled_from([(0,), (1,), (0, 1)]))
def test_sweeps_are_found(state: PoolState, buckets: tuple[int, ...]) -> None:
    sweeps = [SweepFees(FeeBucket(bucket)) for bucket in buckets]
    truth = after(state, *sweeps)
    acts = explain(state, without_liquidity(seen_of(truth)))
    assert acts is not None
    assert after(state, *acts) == truth
    assert all(isinstance(act, SweepFees) for act in acts)


@given(states(), st.integers(2, 10**12), st.booleans())
def test_a_boost_is_found_with_or_without_a_sweep(state: PoolState, spent: int, is_swept: bool) -> None:
    first = [SweepFees(FeeBucket.PROTOCOL)] if is_swept else []
    truth = after(state, *first, BoostBurn(spent))
    assume(truth.base_reserve < state.base_reserve)  # it bought something
    acts = explain(state, without_liquidity(seen_of(truth)))
    assert acts is not None
    assert after(state, *acts) == truth
    assert acts[-1] == BoostBurn(spent)


@given(states(), st.lists(st.integers(10**6, 10**11), min_size=2, max_size=5))
def test_several_boosts_leave_a_little_behind_and_that_is_said(state: PoolState, spent: list[int]) -> None:
    truth = after(state, *[BoostBurn(one) for one in spent])
    assume(truth.base_reserve < state.base_reserve)
    acts = explain(state, seen_of(truth))
    assert acts is not None
    assert after(state, *acts) == truth
    if len(acts) > 1:
        assert isinstance(acts[-1], VaultGift)
        worth = state.base_reserve // state.effective_quote_reserve + 1
        assert acts[-1].base <= len(spent) * worth + len(spent)


@given(states(), st.integers(5, 10**6), st.booleans())
def test_a_purchase_that_is_missing_is_no_boost(state: PoolState, spent: int, knows_supply: bool) -> None:
    """However small it is: nothing was burned."""
    try:
        truth = after(state, BuyQuote(spent, 1, 1))
    except TradeRefused:
        return
    assume(truth.base_reserve < state.base_reserve)
    seen = seen_of(truth)
    if not knows_supply:
        assume(not state.pool.is_boosted)
        seen = msgspec.structs.replace(seen, base_supply=None)
    assert explain(state, seen) is None


@given(states(boosted=False), st.integers(1, 10**13), st.booleans(), st.booleans())
def test_liquidity_that_comes_or_goes_is_found_in_lp_units(
    state: PoolState, units: int, is_deposit: bool, knows_supply: bool
) -> None:
    units = units if is_deposit else units % state.pool.lp_supply + 1
    try:
        truth = after(state, Deposit(units) if is_deposit else Withdraw(units))
    except TradeRefused:
        return
    seen = seen_of(truth)
    moved = truth.base_reserve - state.base_reserve, truth.quote_vault - state.quote_vault
    assume(all(moved))
    acts = explain(state, seen if knows_supply else without_liquidity(seen))
    assert acts is not None
    found = after(state, *acts)
    assert (found.base_reserve, found.quote_vault) == (truth.base_reserve, truth.quote_vault)
    assert type(acts[0]) is (Deposit if is_deposit else Withdraw)
    if knows_supply:
        assert found == truth


@given(states(), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-5, 5))
def test_a_gift_is_called_one_and_what_is_gone_has_no_explanation(
    state: PoolState, base: int, quote: int, burned: int
) -> None:
    assume(base == 0 or quote == 0)
    truth = after(state, VaultGift(base, quote), PoolChange(coin_creator=OTHER, supply_change=burned))
    acts = explain(state, seen_of(truth))
    assert acts is not None
    assert after(state, *acts) == truth
    gone = msgspec.structs.replace(seen_of(state), quote_vault=state.quote_vault - 1)
    assert explain(state, gone) is None
    assert explain(state, msgspec.structs.replace(seen_of(state), base_reserve=state.base_reserve - 1)) is None


@given(states(boosted=True), st.integers(1, 10**9))
def test_virtual_reserves_that_no_bucket_explains_are_not_guessed(state: PoolState, more: int) -> None:
    pool = state.pool
    assume(more not in (pool.protocol_fees, pool.creator_fees, pool.fees_owed))
    virtual = pool.virtual_quote_reserves
    for change in (more, -more):
        moved = msgspec.structs.replace(
            seen_of(state), virtual_quote_reserves=virtual + change, quote_vault=state.quote_vault - change
        )
        assert explain(state, moved) is None


@given(states(boosted=False), st.integers(1, 10**9))
def test_the_beginning_of_a_boost_is_quote_that_becomes_virtual(state: PoolState, moved: int) -> None:
    pool = state.pool
    assume(moved not in (pool.protocol_fees, pool.creator_fees, pool.fees_owed) and moved <= state.quote_vault)
    truth = after(state, PoolChange(virtual_quote_change=moved))
    assert explain(state, seen_of(truth)) == (PoolChange(virtual_quote_change=moved),)
