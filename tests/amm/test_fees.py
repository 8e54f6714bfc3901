"""Which rates a pool pays: selection by quote mint and market cap, per-pool creator rate, dates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import (
    FeeConfig,
    FeeFamily,
    Fees,
    FeeSchedule,
    PoolState,
    buy_exact_quote,
    current_schedule,
    execute_buy_exact_quote_in,
    schedule_at,
    swap_instruction,
)
from pumpswap.amm.addresses import USDC_MINT, WSOL_MINT, pool_authority
from pumpswap.amm.schedules import dated_schedules
from pumpswap.errors import TradeRefused
from tests.support.vectors import fee_config, global_config, key, load, pool, schedule

MINT = Pubkey.from_string("AAenoNcBcXdVACfkfBVRpMNL91PA2DjaRtLLK6xRvwH8")


def canonical(market_cap: int, *, quote: Pubkey = WSOL_MINT, **fields: Any) -> PoolState:
    """A canonical pool whose market cap is exactly ``market_cap``."""
    owned = pool(
        **{"creator": pool_authority(MINT), "base_mint": MINT, "quote_mint": quote, "coin_creator": MINT, **fields}
    )
    return PoolState(owned, MINT, base_reserve=10**6, quote_vault=market_cap, base_supply=10**6)


@pytest.mark.parametrize("case", load("fees")["selection"])
def test_the_schedule_is_selected_as_the_official_sdk_does(case: dict[str, Any]) -> None:
    fees = schedule("off", case["fee_config"])
    quote, is_pump = key(case["quote_mint"]), case["is_pump_pool"]
    state = canonical(int(case["market_cap"]), quote=quote, **({} if is_pump else {"creator": MINT}))
    want = case["fees"]
    expected = tuple(int(want[name]) for name in ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"))
    assert fees.listed_rates(state.pool.fee_family, int(case["market_cap"])) == expected
    if case["market_cap"] != "0":
        assert fees.rates(state) == expected


def test_thresholds_are_inclusive() -> None:
    assert schedule().rates(canonical(419_999_999_999)) == (2, 93, 30)
    assert schedule().rates(canonical(420_000_000_000)) == (20, 5, 95)


def test_without_a_coin_creator_nobody_is_paid_a_creator_fee() -> None:
    assert schedule().rates(canonical(10**12, coin_creator=Pubkey.default())) == (20, 5, 0)


def test_a_creator_rate_of_the_pool_replaces_only_the_creator_rate_and_only_when_configurable() -> None:
    state = canonical(10**12, creator_fee_bps=300)
    assert schedule("on").rates(state) == (20, 5, 300)
    assert schedule("off").rates(state) == (20, 5, 95)


def test_the_pool_index_does_not_make_a_pool_canonical_its_creator_does() -> None:
    assert canonical(1, index=7).pool.fee_family is FeeFamily.SOL
    assert canonical(1, creator=MINT).pool.fee_family is FeeFamily.FLAT


def test_unset_exotic_fees_fall_back_to_the_flat_fees() -> None:
    state = canonical(10**12, quote=MINT)
    assert schedule("off", "sep2026").rates(state) == (25, 5, 0)
    assert schedule("off", "oct2026").rates(state) == (20, 5, 5)


@pytest.mark.parametrize("quote", [USDC_MINT, WSOL_MINT])
def test_missing_tiers_are_the_programs_error_not_a_guess(quote: Pubkey) -> None:
    bare = FeeSchedule(global_config(), FeeConfig(flat_fees=Fees(25, 5, 0)))
    with pytest.raises(TradeRefused) as refused:
        bare.rates(canonical(10**12, quote=quote))
    assert refused.value.code == 6082


def test_a_usdc_pool_without_stable_tiers_can_be_quoted_but_not_traded() -> None:
    fees, state = schedule("on", "flat20_5_5"), canonical(10**12, quote=USDC_MINT)
    quote = buy_exact_quote(state, fees, 10**9)
    for refuse in (
        lambda: swap_instruction(quote, state, fees, user=MINT, limit=1),
        lambda: execute_buy_exact_quote_in(state, fees, 10**9, 1, generation=2),
    ):
        with pytest.raises(TradeRefused) as refused:
            refuse()
        assert refused.value.code == 6082


def test_todays_schedule_in_the_package_is_the_account_of_october_2026() -> None:
    today = current_schedule()
    assert today.global_config == global_config("on")
    assert today.fee_config.flat_fees == fee_config("oct2026").flat_fees
    assert today.fee_config.fee_tiers == fee_config("oct2026").fee_tiers
    assert today.fee_config.stable_fee_tiers == fee_config("oct2026").stable_fee_tiers
    assert today.fee_config.exotic_flat_fees == fee_config("oct2026").exotic_flat_fees


@pytest.mark.parametrize(
    ("date", "rates", "buyback_bps"),
    [
        ("2024-01-01", (20, 5, 0), 0),
        ("2025-03-20", (20, 5, 0), 0),
        ("2025-06-01", (20, 5, 5), 0),
        ("2025-10-04", (20, 5, 95), 0),
        ("2026-05-01", (20, 5, 95), 5000),
        ("2026-11-01", (20, 5, 95), 5000),
    ],
)
def test_schedules_of_the_past_apply_by_date(date: str, rates: tuple[int, int, int], buyback_bps: int) -> None:
    then = schedule_at(int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()))
    assert then.rates(canonical(500_000_000_000)) == rates
    assert then.buyback_bps == buyback_bps


def test_schedules_are_listed_in_order_of_time() -> None:
    since = [entry.since for entry in dated_schedules()]
    assert since == sorted(since)
    assert all(entry.note for entry in dated_schedules())
