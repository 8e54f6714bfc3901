"""The known defects of the program that came before, each shown not to be ours.

Handlers that nobody awaits were its Nautilus strategy's; here every coroutine of the executor is awaited. What was
wrong with its frames and regimes is in tests/market/test_q50_loader.py and tests/signals/test_regimes.py, with its
counts in tests/risk/test_tracker.py, with its database in tests/storage/host.
"""

from __future__ import annotations

import asyncio
import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.errors import ConfigError
from pumpswap.model import Q50Frame, Q50Series
from pumpswap.model.q50 import Q50_REQUIRED
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from pumpswap.sdk.executor.config import settings_of_config
from pumpswap.sdk.host_classes import (
    KellyPositionSizer,
    LiquidityValidator,
    PositionManager,
    PumpSwapExecutor,
    PumpSwapRiskManager,
    RegimeDetector,
    RiskManager,
)
from pumpswap.sdk.results import pool_data_of
from tests.sdk.executor_world import Market, signal
from tests.sdk.test_executor_answers import ask
from tests.support.market import SOL, graduate


def with_pool(**changes: Any) -> dict[str, Any]:
    """A signal that carries the exact figures of its pool."""
    state = graduate()
    return signal(pool_data={**pool_data_of(state), "base_token_address": str(state.pool.base_mint)}, **changes)


def test_no_coroutine_is_left_unawaited_and_sizing_is_synchronous(tmp_path: Path) -> None:
    assert not inspect.iscoroutinefunction(PumpSwapTradingExecutor.calculate_position_size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (result,) = ask(Market(tmp_path), signal())
    assert result["status"] == "executed"


def test_a_row_is_found_at_its_exact_time_and_within_the_tolerance() -> None:
    columns: dict[str, list[Any]] = {name: [0.001] for name in Q50_REQUIRED}
    columns |= {name: [True] for name in ("economically_significant", "high_quality", "tradeable")}
    series = Q50Frame([Q50Series("BTCUSDT", [1_000], columns)]).chosen()
    assert series.at(1_000) is not None
    assert series.at(1_005, 5) is not None
    assert series.at(1_006, 5) is None
    assert series.at(999, 5) is None


def test_the_names_of_the_real_frames_columns_are_read(tmp_path: Path) -> None:
    row = {"instrument": "BTCUSDT", "q10": -0.004, "q50": 0.0008, "q90": 0.005, "prob_up": 0.56, "vol_raw": 0.004,
           "vol_risk": 1.6e-5, "side": 1, "variance_regime_low": 0, "variance_regime_medium": 1,
           "variance_regime_high": 0, "variance_regime_extreme": 0, "signal_tier": 3}  # fmt: skip
    (result,) = ask(Market(tmp_path), {**signal(vol_regime=None), **row})
    assert result["status"] == "executed"
    assert result["execution_record"] is not None
    assert result["execution_record"]["regime_at_execution"] == "medium"


@pytest.mark.parametrize("size", [999, 1e12, 0.6 * 50, -1, 0, float("nan"), float("inf"), "much", None, True, 10**400])
def test_a_refusal_is_falsy_and_absurd_sizes_are_refused(size: Any) -> None:
    manager = PumpSwapRiskManager({}, balance_sol=50)
    result = manager.validate_trade(with_pool(), size)
    assert not result
    assert result.reasons
    assert (result.approved, result["is_valid"], manager.reservations) == (False, False, {})
    assert not RiskManager({}).validate_trade(size, {"tradeable": True}, 50)


def test_the_executor_cannot_be_made_to_exceed_its_limits(tmp_path: Path) -> None:
    data = signal(q50=1e9, position_size=999, sol_amount=999, kelly_position_size=999, regime_multiplier=1e9)
    (result,) = ask(Market(tmp_path), data)
    assert (result["status"], result["quote_lamports"]) == ("executed", SOL)


def test_a_sale_works_end_to_end_and_results_answer_to_get(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story() -> tuple[ExecutionResult, dict[str, object] | None]:
        async with market.executor() as executor:
            host = PumpSwapExecutor(executor=executor)
            assert (await host.execute_buy_signal(signal()))["status"] == "executed"
            held = await PositionManager(executor=executor).get_position(str(graduate().pool.base_mint))
            return await host.execute_sell_signal(signal()), held

    sold, held = asyncio.run(story())
    assert held is not None
    assert held.get("token_amount") == sold.get("token_amount")
    assert sold["status"] == "executed"
    found = KellyPositionSizer({}).calculate_position_size(signal(), graduate(), 10)
    assert found.get("final_size") == found["final_size"] == found.final_size


def test_positions_are_booked_with_what_really_moved(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story() -> tuple[ExecutionResult, list[dict[str, object]]]:
        async with market.executor() as executor:
            result = await executor.execute_q50_signal(signal())
            manager = PositionManager(executor=executor)
            lie = {**result, "tokens_received": 1e9, "token_amount": 1e9, "sol_received": 0.1}
            await manager.update_position(str(result["mint_address"]), 100_000, "buy", lie)
            return result, await manager.get_all_positions()

    result, (held,) = asyncio.run(story())
    assert held["base_units"] == result["base_units"]
    assert held["token_amount"] == result["tokens_received"] == result["token_amount"]
    assert held["cost_lamports"] == (result["quote_lamports"] or 0) + (result["gas_used"] or 0)


def test_a_configuration_that_cannot_be_used_is_refused_and_never_makes_a_good_pool_infeasible() -> None:
    with pytest.raises(ConfigError):
        LiquidityValidator({"feasibility": {"max_impact_bps": "wide"}})
    validator = LiquidityValidator({"pumpswap": {"max_price_impact_percent": 10}})
    check = validator.validate_liquidity_detailed({"reserve_sol": 500}, {"position_size": 1})
    assert (check.status, check.is_valid, check.pool_liquidity_sol) == ("sufficient", True, 500.0)


def test_only_failures_in_a_row_open_the_breaker_and_it_half_opens(tmp_path: Path) -> None:
    market = Market(tmp_path)
    manager = RiskManager(market.settings, clock=market.clock)

    def trade(*, succeeds: bool) -> None:
        answer = manager.validate_trade(0.1, {"tradeable": True}, 50)
        assert answer, answer.reasons
        (manager.record_trade_success if succeeds else manager.record_trade_failure)(answer)
        market.pass_seconds(61)

    for succeeds in (False, False, False, False, True, False):
        trade(succeeds=succeeds)
    assert manager.get_circuit_breaker_status()["state"] == "closed"
    for _ in range(4):
        trade(succeeds=False)
    status = manager.get_circuit_breaker_status()
    assert (status["state"], status["can_execute"], manager.can_execute_trade()) == ("open", False, False)
    assert not manager.validate_trade(0.1, {"tradeable": True}, 50)
    market.pass_seconds(300)
    assert manager.get_circuit_breaker_status()["state"] == "half-open"
    trade(succeeds=True)
    trade(succeeds=True)
    assert manager.get_circuit_breaker_status()["state"] == "closed"


def test_without_a_mint_nothing_is_bought_least_of_all_wrapped_sol(tmp_path: Path) -> None:
    market = Market(tmp_path)
    wrapped = {"base_token_address": str(WSOL_MINT)}
    results = ask(
        market, signal(pool_data={}), signal(pool_data=None), signal(pool_data=wrapped), signal(mint_address="")
    )
    assert [one["error"] for one in results[:3]] == ["invalid_mint_address"] * 3
    assert results[3]["status"] == "executed"  # an empty key beside a good one says nothing
    assert results[3]["mint_address"] != str(WSOL_MINT)


def test_a_negative_q50_sells_whatever_the_models_flags_say(tmp_path: Path) -> None:
    short = signal(
        side=0, q50=-0.0004, tradeable=False, economically_significant=False, signal_score=None, vol_regime=None
    )
    bought, sold = ask(Market(tmp_path), signal(), short)
    assert (bought["status"], sold["status"], sold["action"]) == ("executed", "executed", "sell")


def test_during_the_warm_up_there_is_no_regime_and_no_entry(tmp_path: Path) -> None:
    row = {"q50": 0.0008, "vol_risk": 1.7e-5, "vol_raw": 0.004}
    found = RegimeDetector({}).classify_regime(row)
    assert found["regime"] is None
    (result,) = ask(Market(tmp_path), {**signal(vol_regime=None), **row, **found})
    assert (result["status"], result["reason"]) == ("hold", "no_regime")


@pytest.mark.parametrize(
    ("data", "pool", "balance"),
    [
        ({}, graduate(), 10),
        (None, graduate(), 10),
        (signal(q50="x"), graduate(), 10),
        (signal(vol_risk=-1), graduate(), 10),
        (signal(), None, 10),
        (signal(), {"reserve_in_usd": 100_000}, 10),
        (signal(), {"reserve_sol": -5}, 10),
        (signal(), {"reserve_sol": "x"}, 10),
        (signal(), graduate(), None),
        (signal(), graduate(), -1),
        (signal(), graduate(), float("nan")),
        (signal(), graduate(), 0),
    ],
)
def test_bad_input_sizes_to_nothing_never_to_a_default(data: Any, pool: Any, balance: Any) -> None:
    found = KellyPositionSizer({}).calculate_position_size(data, pool, balance)
    assert (found.final_size, bool(found)) == (0.0, False)
    assert found.reasoning


def test_the_executor_needs_no_table_of_the_host(tmp_path: Path) -> None:
    market = Market(tmp_path)
    ask(market, signal())
    assert len(list(market.run().trades())) == 1


@pytest.mark.parametrize("name", ["pumpswap", "signal_analysis", "q50_pumpswap_strategy"])
def test_the_plans_sections_drive_the_executor_and_an_unknown_key_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match="no such key"):
        settings_of_config({name: {"min_liquidity_soll": 5}})


def test_the_maximum_position_size_sets_the_maximum_position_size() -> None:
    settings = settings_of_config({"pumpswap": {"max_position_size": 0.25}})
    assert float(settings.risk.max_position_fraction) == 0.25
    assert settings.risk.max_exposure_fraction == settings_of_config({}).risk.max_exposure_fraction
