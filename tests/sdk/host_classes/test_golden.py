"""The host's own outputs beside ours: where they must agree, and where a decision makes ours another one, and why."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from pumpswap.clock import ManualClock
from pumpswap.sdk.host_classes import KellyPositionSizer, LiquidityValidator, RiskManager
from pumpswap.settings import ExitRules, RiskLimits, Settings
from tests.support.market import START_NS
from tests.support.material import material, requires_material

pytestmark = requires_material("host", "golden_vectors.json")


@cache
def golden(part: str) -> list[dict[str, Any]]:
    path = material("host", "golden_vectors.json")
    assert path is not None
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[part]
    return found


def test_exit_rules_agree_in_every_case() -> None:
    """With the take-profit of 50 % that these cases were made with; ours is 100 % unless it is set (D03)."""
    rules = ExitRules(take_profit_bps=5_000)
    manager = RiskManager(Settings(exits=rules), clock=ManualClock(START_NS))
    for case in golden("exit_rules"):
        position = {"entry_price": 1.0, "hours_held": case["hours_held"]}
        found = manager.assess_position_risk(position, case["price_over_entry"])
        expected = dict(case["expect"])
        assert found.pnl_percent == pytest.approx(expected.pop("pnl_percent"))
        assert {key: found[key] for key in expected} == expected
        assert manager.should_close_position(position, case["price_over_entry"]) is expected["close"]
    assert len(golden("exit_rules")) == 9


def test_trade_validation_agrees_on_what_is_valid_except_for_oversize() -> None:
    """The host calls a trade above its maximum valid and caps it; ours refuses it and says what would fit (W4, D11)."""
    limits = RiskLimits(max_position_sol="0.5", max_token_fraction="1")  # type: ignore[arg-type]
    for case in golden("risk_validate_full"):
        manager = RiskManager(Settings(risk=limits), clock=ManualClock(START_NS))
        found = manager.validate_trade(case["size"], case["signal"], case["balance"])
        is_oversize = case["size"] > 0.5
        assert bool(found) is (case["expect"]["is_valid"] and not is_oversize), (case, found.reasons)
        assert bool(found.reasons) is not bool(found)
        if is_oversize:
            assert (found.recommended_action, found.max_position_size) == ("reduce_size", 0.5)
        elif found:
            assert (found.risk_level, found.recommended_action) == (
                case["expect"]["risk_level"], case["expect"]["recommended_action"],
            )  # fmt: skip


def test_sizes_are_never_above_the_hosts_caps_and_0_where_the_host_guesses() -> None:
    """The host's sizes are SOL whatever the balance, and 0.01 at least; ours are fractions of it under the same caps
    (D06), smaller in turbulence (D02), and 0 for what is missing (D11) and for q50 that is 0.
    """
    settings = Settings(risk=RiskLimits(max_position_sol="0.5"))  # type: ignore[arg-type]
    sizer = KellyPositionSizer(settings)
    for case in golden("kelly_sizer_mainnet"):
        signal, pool, balance = case["signal"], case["pool"], case["balance"]
        found = sizer.calculate_position_size({"regime": "medium", **signal}, pool, balance)
        assert set(case["expect"]) <= set(found)
        assert 0 <= found.final_size <= 0.5
        if balance is None or pool is None or "reserve_in_usd" in pool:
            # No balance, no pool, or dollars without the price of SOL in dollars (D18).
            assert found.final_size == 0
            continue
        if signal["q50"] <= 0:
            assert (found.final_size, found.reasoning[:3]) == (0, "q50")  # the host sizes by its amount alone
            continue
        assert found.final_size <= min(0.25 * pool["reserve_sol"], 0.9 * (balance - 0.01))
        assert found.final_size == 0 or found.final_size >= 0.01
        assert found.regime_multiplier == {"low_variance": 1.1}.get(signal.get("regime"), 1.0)


def test_the_base_of_a_size_is_the_hosts_below_its_cap() -> None:
    """R3.1: 0.1 / max(1000 · vol_risk, 0.1), of the balance; above it base_position_fraction is the cap, not 0.5."""
    sizer = KellyPositionSizer(Settings(risk=RiskLimits(kelly_fraction="0")))  # type: ignore[arg-type]
    for vol_risk in (0.0015, 0.002, 0.005):
        signal = {"q50": 0.02, "vol_risk": vol_risk, "regime": "medium"}
        found = sizer.calculate_position_size(signal, {"reserve_sol": 10_000}, 10)
        host = 0.1 / max(1000 * vol_risk, 0.1)
        assert found.recommended_size == pytest.approx(host * 10, rel=1e-3)


def test_impact_is_that_of_the_program_where_the_hosts_is_another_curve() -> None:
    """Below 5 % the host's impact of a buy is t/(R + t); ours is the exact average price before fees against spot, t/R.
    Above 5 % the host's is no constant product any more.
    """
    validator = LiquidityValidator(Settings())
    for case in golden("price_impact_percent"):
        reserve, trade = case["reserve_sol"], case["trade_sol"]
        if case["side"] != "buy" or not trade:
            continue
        found = validator.validate_liquidity_detailed({"reserve_sol": reserve}, {"position_size": trade})
        assert found.estimated_price_impact is not None
        # What reaches the curve is the trade without its fees, which are at most 1.3 %.
        ratio = 100 * trade / reserve
        assert ratio * 0.985 <= found.estimated_price_impact <= ratio
        if ratio < 5:
            assert found.estimated_price_impact == pytest.approx(case["expect"], rel=0.06)


def test_recommended_sizes_of_an_empty_pool_are_nothing() -> None:
    """The host recommends 0.01 SOL even for an empty pool; ours recommends what fits, which is nothing there."""
    validator = LiquidityValidator(Settings())
    for case in golden("liquidity_sizes"):
        found = validator.validate_liquidity_detailed({"reserve_sol": case["reserve_sol"]}, {"position_size": 0.1})
        if case["reserve_sol"] == 0:
            assert (found.status, found.recommended_trade_size_sol, bool(found)) == ("no_data", 0.0, False)
            assert case["expect"]["recommended_trade_size_sol"] == 0.01
        elif case["reserve_sol"] < 10:
            assert found.status == "insufficient"
        else:
            assert found
            assert 0 < found.max_trade_size_sol < case["reserve_sol"] * 0.1
