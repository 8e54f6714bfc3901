"""A pool's state from a snapshot: what the row says, what is assumed, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import FeeFamily, PoolState, buy_exact_quote, schedule_at, sell_exact_base
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata, pool_authority
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.rebuild import ASSUMPTIONS, anchored, rebuild
from pumpswap.model import PoolSnapshot
from tests.market.export_folder import MINT, OTHER_POOL, POOL, WSOL

SEEN = PoolSnapshot(
    pool_id=f"solana_{POOL}",
    pool=POOL,
    dex="pumpswap",
    at_ns=1_759_509_718 * NS_PER_SECOND,
    base_mint=MINT,
    quote_mint=WSOL,
    base_price_usd=Decimal("0.0001"),
    base_price_quote=Decimal("4E-7"),
    quote_price_usd=Decimal("250"),
    reserve_usd=Decimal("50000"),
)


def rebuilt(**changes: object) -> PoolState:
    state = rebuild(replace(SEEN, **changes))  # type: ignore[arg-type]
    assert isinstance(state, PoolState), state
    return state


def test_depth_is_one_side_in_sol_at_the_rows_own_price() -> None:
    state = rebuilt()
    assert state.quote_vault == 100 * 10**9  # 25,000 USD at 250 USD
    assert state.base_reserve == 250_000_000 * 10**6  # 100 SOL at 4e-7 SOL
    assert state.effective_quote_reserve == state.quote_vault


def test_amounts_are_rounded_down_to_whole_units() -> None:
    state = rebuilt(reserve_usd=Decimal("100"), quote_price_usd=Decimal("237.13"))
    assert state.quote_vault == int(Fraction(50) / Fraction("237.13") * 10**9)
    assert state.base_reserve == int(state.quote_vault / (Fraction("4E-7") * 1_000))


@pytest.mark.parametrize("missing", [None, Decimal(0), Decimal("NaN")])
def test_without_a_price_in_sol_the_usd_price_counts(missing: Decimal | None) -> None:
    assert rebuilt(base_price_quote=missing) == rebuilt()


def test_the_price_in_sol_goes_before_the_usd_price() -> None:
    assert rebuilt(base_price_quote=Decimal("5E-7")).base_reserve == 200_000_000 * 10**6


def test_a_pool_at_the_canonical_address_of_its_mint_pays_tiered_fees_with_a_creator() -> None:
    state = rebuilt()
    assert state.pool.is_canonical
    assert state.pool.creator == pool_authority(Pubkey.from_string(MINT))
    assert state.pool.fee_family is FeeFamily.SOL
    assert state.pool.has_coin_creator
    assert schedule_at(SEEN.at_ns // NS_PER_SECOND).rates(state)[2] > 0


def test_a_pool_at_another_address_is_permissionless_with_flat_fees_and_no_creator() -> None:
    state = rebuilt(pool=OTHER_POOL, pool_id=f"solana_{OTHER_POOL}")
    assert str(state.address) == OTHER_POOL
    assert state.pool.fee_family is FeeFamily.FLAT
    assert not state.pool.has_coin_creator
    assert schedule_at(SEEN.at_ns // NS_PER_SECOND).rates(state)[2] == 0


def test_address_and_vaults_are_the_recorded_pools_own() -> None:
    state = rebuilt()
    assert str(state.address) == POOL
    assert state.pool.pool_base_token_account == ata(state.address, Pubkey.from_string(MINT), TOKEN_PROGRAM)
    assert state.pool.pool_quote_token_account == ata(state.address, WSOL_MINT, TOKEN_PROGRAM)


def test_the_assumed_account_is_one_of_its_era_and_can_be_encoded() -> None:
    pool = rebuilt().pool
    assert len(pool.encode()) == 243
    assert type(pool).decode(pool.encode()) == pool


def test_a_rebuilt_pool_can_be_traded() -> None:
    state, schedule = rebuilt(), schedule_at(SEEN.at_ns // NS_PER_SECOND)
    bought = buy_exact_quote(state, schedule, 10**9)
    sold = sell_exact_base(state.after(bought), schedule, bought.base_out)
    assert 0 < sold.user_quote_out < 10**9


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({"dex": "meteora-dbc"}, "traded on meteora-dbc, not on PumpSwap"),
        ({"dex": "pump-fun"}, "traded on pump-fun, not on PumpSwap"),
        ({"dex": ""}, "an unknown exchange"),
        ({"pool_id": "base_0xabc"}, "on base, not on Solana"),
        ({"base_mint": None}, "the mint of the pool is not known"),
        ({"base_mint": WSOL}, "wrapped SOL itself"),
        ({"base_mint": "l0l"}, "'l0l' is no mint"),
        ({"quote_mint": None}, "the quote token of the pool is not known"),
        ({"quote_mint": MINT}, "not in wrapped SOL"),
        ({"pool": "nowhere"}, "'nowhere' is no address"),
        ({"reserve_usd": None}, "no reserve"),
        ({"reserve_usd": Decimal(0)}, "no reserve"),
        ({"reserve_usd": Decimal(-5)}, "no reserve"),
        ({"reserve_usd": Decimal("1E-12")}, "less than one unit"),
        ({"reserve_usd": Decimal("1E30")}, "beyond 64 bits"),
        ({"quote_price_usd": None}, "the price of SOL is not known"),
        ({"quote_price_usd": Decimal(0)}, "the price of SOL is not known"),
        ({"base_price_usd": None, "base_price_quote": None}, "the price of the token is not known"),
        ({"base_price_usd": Decimal("0.66")}, "its prices contradict each other"),
    ],
)
def test_what_cannot_be_rebuilt_is_an_obstacle_in_words(changes: dict[str, object], obstacle: str) -> None:
    result = rebuild(replace(SEEN, **changes))  # type: ignore[arg-type]
    assert isinstance(result, str)
    assert obstacle in result


def test_prices_that_only_lag_behind_each_other_are_no_contradiction() -> None:
    assert rebuilt(base_price_usd=Decimal("0.0003")) == rebuilt()


def test_every_assumption_is_one_plain_sentence() -> None:
    assert len(ASSUMPTIONS) == len(set(ASSUMPTIONS)) >= 6
    assert all(text.endswith(".") and "\n" not in text for text in ASSUMPTIONS)


figures = st.one_of(st.none(), st.decimals())


@given(figures, figures, figures, figures)
def test_no_figures_make_it_raise(
    reserve: Decimal | None, quote_usd: Decimal | None, base_usd: Decimal | None, base_quote: Decimal | None
) -> None:
    result = rebuild(
        replace(
            SEEN, reserve_usd=reserve, quote_price_usd=quote_usd, base_price_usd=base_usd, base_price_quote=base_quote
        )
    )
    if isinstance(result, PoolState):
        assert 0 < result.base_reserve < 2**64
        assert 0 < result.quote_vault < 2**64
    else:
        assert result


@given(st.text(), st.one_of(st.none(), st.text()))
def test_no_names_make_it_raise(pool: str, mint: str | None) -> None:
    assert isinstance(rebuild(replace(SEEN, pool=pool, pool_id=pool, base_mint=mint)), str)


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**6))
def test_anchoring_meets_the_price_and_keeps_the_product(price: Fraction) -> None:
    state = rebuilt()
    moved = anchored(state, price)
    assert moved is not None
    product, before = moved.base_reserve * moved.quote_vault, state.base_reserve * state.quote_vault
    assert before - moved.quote_vault < product <= before
    assert abs(moved.spot_price / price - 1) < Fraction(1, 10**7)
    assert (moved.pool, moved.base_supply) == (state.pool, state.base_supply)


@pytest.mark.parametrize("price", [Fraction(0), Fraction(-1), Fraction(1, 10**30), Fraction(10**30)])
def test_a_price_that_no_curve_reaches_anchors_nothing(price: Fraction) -> None:
    assert anchored(rebuilt(), price) is None
