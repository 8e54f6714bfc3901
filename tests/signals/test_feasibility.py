"""Feasibility: exact figures of a pool, and every reason that speaks against a trade."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.amm.addresses import NATIVE_MINT_2022, USDC_MINT, WSOL_MINT
from pumpswap.amm.largest import cost_over_spot
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.model import ScreenCheck, ScreenReport, ScreenVerdict
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals.feasibility import Assessor, Feasibility, assess
from pumpswap.signals.pool_facts import PoolFacts, PoolKind
from tests.support.market import SOL, START_NS, graduate
from tests.support.vectors import schedule

DEFAULTS = FeasibilitySettings()


def facts(screen: ScreenReport | None = None, fees: FeeSchedule | None = None, **changes: Any) -> PoolFacts:
    return PoolFacts(graduate(**changes), fees or current_schedule(), START_NS, screen)


def screened(*verdicts: ScreenVerdict) -> ScreenReport:
    checks = tuple(ScreenCheck(f"check {at}", one, f"reason {at}") for at, one in enumerate(verdicts))
    return ScreenReport("mint", START_NS, checks)


def found(given: PoolFacts, settings: FeasibilitySettings = DEFAULTS, size: int | None = None) -> Feasibility:
    return assess(given, settings, size)


def impact_of(given: PoolFacts) -> Fraction:
    impact = found(given).intended.impact
    assert impact is not None
    return impact


def test_a_graduate_can_be_traded_and_every_figure_is_that_of_its_quotes() -> None:
    pool = facts()
    result = found(pool)
    quote = buy_exact_quote(pool.state, pool.schedule, SOL)
    assert (result.can_buy, result.can_sell, result.min_liquidity_met, result.intended_fits) == (True,) * 4
    assert result.reasons == ()
    assert result.is_tradeable
    assert (result.intended.impact, result.intended.cost_over_spot) == (quote.impact, cost_over_spot(quote))
    assert result.intended.base_units == quote.base_out
    assert [size.quote_lamports for size in result.ladder] == [SOL // 10, SOL // 2, SOL, 5 * SOL, 10 * SOL]
    assert [size.impact for size in result.ladder] == [
        buy_exact_quote(pool.state, pool.schedule, size.quote_lamports).impact for size in result.ladder
    ]
    assert result.depth_lamports == 84_990_359_057
    assert result.kind is PoolKind.CANONICAL
    assert result.screen == "not_requested"


def test_the_largest_size_is_within_both_limits_and_one_lamport_more_is_not() -> None:
    pool = facts()
    result = found(pool)
    for limits, fits in ((0, True), (1, False)):
        quote = buy_exact_quote(pool.state, pool.schedule, result.largest_lamports + limits)
        assert (quote.impact <= Fraction(1, 10) and cost_over_spot(quote) <= Fraction(1, 20)) is fits
    assert result.max_buy_lamports == result.largest_lamports < 10 * SOL


def test_the_largest_size_of_the_score_ends_at_its_reference() -> None:
    deep = facts(base_reserve=206_900_000_000_000 * 50, quote_vault=84_990_359_057 * 50)
    result = found(deep)
    assert result.max_buy_lamports == 10 * SOL < result.largest_lamports
    assert result.score.size == 1


def test_the_score_is_made_of_depth_impact_and_size() -> None:
    result = found(facts())
    depth, impact = Fraction(84_990_359_057, 100 * SOL), 1 - impact_of(facts()) * 10
    size = Fraction(result.max_buy_lamports, 10 * SOL)
    assert (result.score.depth, result.score.impact, result.score.size) == (depth, impact, size)
    assert result.score.total == (4 * depth + 4 * impact + 2 * size) / 10


def test_depth_is_what_can_be_paid_out() -> None:
    """Virtual reserves price a sale and cannot pay it; fees owed lie in the vault and belong to others."""
    boosted = facts(virtual_quote_reserves=17 * SOL)
    owing = facts(virtual_quote_reserves=-30 * SOL, protocol_fees=20 * SOL, creator_fees=10 * SOL)
    assert found(boosted).depth_lamports == 84_990_359_057
    assert found(owing).depth_lamports == 84_990_359_057 - 30 * SOL
    assert impact_of(boosted) < impact_of(facts()) < impact_of(owing)


def test_fees_are_those_of_this_moment_in_bps() -> None:
    pool = facts()
    fees = found(pool).fees
    assert fees is not None
    assert (fees.lp_bps, fees.protocol_bps, fees.creator_bps) == pool.schedule.rates(pool.state)
    assert fees.total_bps == sum(pool.schedule.rates(pool.state)) > 0
    assert not fees.cashback
    returned = found(facts(is_cashback_coin=True)).fees
    assert returned is not None and returned.cashback


@pytest.mark.parametrize(
    ("verdicts", "can_buy", "shown", "reason"),
    [
        ((ScreenVerdict.SAFE,), True, "safe", ()),
        ((ScreenVerdict.SAFE, ScreenVerdict.UNSAFE), False, "unsafe", ("the token is not safe: reason 1",)),
        (
            (ScreenVerdict.UNKNOWN, ScreenVerdict.SAFE),
            False,
            "unknown",
            ("whether the token is safe is not known: reason 0",),
        ),
        ((), False, "unknown", ("whether the token is safe is not known: no check was made",)),
    ],
)
def test_only_a_token_that_is_known_to_be_safe_can_be_bought_once_a_screen_was_asked_for(
    verdicts: tuple[ScreenVerdict, ...], can_buy: bool, shown: str, reason: tuple[str, ...]
) -> None:
    result = found(facts(screened(*verdicts)))
    assert (result.can_buy, result.screen, result.reasons) == (can_buy, shown, reason)
    assert result.can_sell  # leaving is not stopped by what speaks against entering
    assert result.is_tradeable is can_buy
    assert (result.max_buy_lamports > 0, result.score.size > 0) == (can_buy, can_buy)
    assert result.largest_lamports > 0


def test_without_a_screen_a_token_can_be_bought_unless_the_settings_require_one() -> None:
    strict = FeasibilitySettings(require_screen=True)
    assert found(facts()).can_buy
    assert found(facts(), strict).reasons == ("the token was not screened",)
    assert not found(facts(), strict).can_buy
    assert found(facts(screened(ScreenVerdict.SAFE)), strict).can_buy


def test_a_size_beyond_a_limit_is_named_with_its_numbers() -> None:
    result = found(facts(), size=9 * SOL)
    assert not result.intended_fits
    assert result.can_buy  # a smaller one is within the limits
    assert result.reasons == (
        "the pool holds 84.990359057 SOL, at least 90 are asked for",
        "a buy of 9 SOL moves the price by 10.46 %, at most 10.00 %",
        "a buy of 9 SOL costs 11.84 % over spot, at most 5.00 %",
    )


def test_a_pool_below_the_least_liquidity_is_not_tradeable() -> None:
    thin = found(facts(base_reserve=20_000_000_000_000, quote_vault=9 * SOL), size=SOL // 100)
    assert thin.can_buy and thin.can_sell
    assert not thin.min_liquidity_met
    assert not thin.is_tradeable
    assert thin.reasons == ("the pool holds 9 SOL, at least 10 are asked for",)


@pytest.mark.parametrize(
    ("flags", "can_buy", "can_sell", "reason"),
    [
        (0b0000_1000, False, True, "the program takes no buys at the moment"),
        (0b0001_0000, True, False, "the program takes no sales at the moment"),
    ],
)
def test_a_program_that_is_switched_off_is_not_traded(flags: int, can_buy: bool, can_sell: bool, reason: str) -> None:
    result = found(facts(fees=schedule(disable_flags=flags)))
    assert (result.can_buy, result.can_sell, result.reasons) == (can_buy, can_sell, (reason,))


def test_an_account_of_an_unknown_layout_is_not_bought() -> None:
    result = found(facts(account_len=333, tail=b"\0" * 32))
    assert "the pool account has a layout that this version does not know" in result.reasons
    assert not result.can_buy


def test_an_empty_pool_scores_nothing_and_says_why() -> None:
    empty = found(facts(base_reserve=0, quote_vault=0))
    assert (empty.can_buy, empty.can_sell, empty.max_buy_lamports, empty.fees) == (False, False, 0, None)
    assert empty.score.total == 0
    assert "no size is within the limits of impact and cost" in empty.reasons
    assert "a buy of 1 SOL is refused: the pool has no reserves" in empty.reasons


def test_what_the_buy_brings_must_be_sellable_again() -> None:
    """A boosted pool that owes more than it has prices a sale that it cannot pay."""
    broke = facts(virtual_quote_reserves=30 * SOL, protocol_fees=90 * SOL)
    bought = buy_exact_quote(broke.state, broke.schedule, SOL)
    with pytest.raises(TradeRefused, match="6063"):
        sell_exact_base(broke.state.after(bought), broke.schedule, bought.base_out)
    result = found(broke)
    assert result.can_buy
    assert not result.can_sell
    assert not result.is_tradeable
    assert result.depth_lamports == 0
    assert any(reason.startswith("it could not be sold again: ") for reason in result.reasons)


def test_what_the_buy_brings_is_sold_to_the_pool_that_the_buy_leaves() -> None:
    """All that this vault holds is owed to others; the buy itself brings the money for the way back."""
    owing = facts(protocol_fees=84_990_359_057)
    bought = buy_exact_quote(owing.state, owing.schedule, SOL)
    with pytest.raises(TradeRefused, match="6063"):
        sell_exact_base(owing.state, owing.schedule, bought.base_out)
    assert found(owing).can_sell


def test_dust_that_sells_for_nothing_cannot_be_sold() -> None:
    result = found(facts(), size=5)
    assert result.intended.base_units > 0
    assert not result.can_sell
    assert "a sale of it would pay nothing" in result.reasons


def test_the_least_liquidity_is_inclusive() -> None:
    exactly = facts(base_reserve=20_000_000_000_000, quote_vault=10 * SOL)
    assert found(exactly, size=SOL).min_liquidity_met
    assert not found(exactly, size=SOL + 1).min_liquidity_met


def test_a_pool_in_another_currency_has_no_depth_in_sol() -> None:
    with pytest.raises(TradeRefused, match="not in wrapped SOL"):
        found(facts(quote_mint=USDC_MINT))


@pytest.mark.parametrize("size", [0, -1, True, 1.0])
def test_a_size_of_nothing_is_refused(size: int) -> None:
    with pytest.raises(UsageError, match="intended size"):
        found(facts(), size=size)


def test_kinds_and_prices_of_pools() -> None:
    assert facts().kind is PoolKind.CANONICAL
    assert facts(creator=USDC_MINT).kind is PoolKind.PERMISSIONLESS
    assert facts(quote_mint=USDC_MINT).kind is PoolKind.OTHER
    assert facts().price_sol == Decimal(84_990_359_057) / Decimal(206_900_000_000_000) / 1_000
    assert facts(base_reserve=0).price_sol is None


@given(
    shape=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)),
    scale=st.integers(1, 10**9),
    more=st.integers(2, 50),
    size=st.integers(1, 10**11),
)
def test_a_deeper_pool_at_the_same_price_is_never_worse(
    shape: tuple[int, int], scale: int, more: int, size: int
) -> None:
    """Not only the formula: the exact quotes, with all their roundings, are monotone too."""
    assessor = Assessor(DEFAULTS)

    def of(times: int) -> Feasibility:
        # Without a coin creator, and with the same price, both pools pay the same rates.
        return assessor.assess(
            facts(base_reserve=shape[0] * times, quote_vault=shape[1] * times, base_supply=shape[0]), size
        )

    shallow, deep = of(scale), of(scale * more)
    assert deep.depth_lamports >= shallow.depth_lamports
    assert deep.largest_lamports >= shallow.largest_lamports
    if shallow.intended.impact is not None:
        assert deep.intended.impact is not None
        assert deep.intended.impact <= shallow.intended.impact
    assert deep.score.total >= shallow.score.total
    for before, after in (
        (shallow.can_buy, deep.can_buy),
        (shallow.min_liquidity_met, deep.min_liquidity_met),
        (shallow.intended_fits, deep.intended_fits),
    ):
        assert after or not before


@pytest.mark.parametrize(("coin", "quote"), [(WSOL_MINT, NATIVE_MINT_2022), (NATIVE_MINT_2022, WSOL_MINT)])
def test_sol_in_another_wrapping_is_no_coin(coin: Pubkey, quote: Pubkey) -> None:
    with pytest.raises(TradeRefused, match="SOL itself"):
        found(facts(base_mint=coin, quote_mint=quote))
