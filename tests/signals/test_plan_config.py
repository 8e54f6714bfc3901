"""The plan's keys for the enhanced score, as a caller of the plan's constructor passes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pumpswap.errors import ConfigError
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals import PumpSwapSignalAnalyzer
from pumpswap.signals.plan_config import feasibility_of_plan

PLAN = {
    "signal_analysis": {"pumpswap_boost_factor": 1.1, "liquidity_weight": "0.25", "execution_feasibility_weight": 0.15},
    "pumpswap": {"min_liquidity_sol": 1.0, "max_slippage_percent": 10.0, "max_price_impact_percent": 15.0, "x": "y"},
    "auto_watchlist_threshold": 60,
}


def test_the_plans_keys_are_read_and_its_per_cent_become_bps() -> None:
    assert feasibility_of_plan(PLAN) == FeasibilitySettings(
        boost_factor=Decimal("1.1"),
        liquidity_weight=Decimal("0.25"),
        feasibility_weight=Decimal("0.15"),
        min_liquidity_sol=Decimal(1),
        max_slippage_bps=1_000,
        max_impact_bps=1_500,
    )


@pytest.mark.parametrize("config", [None, {}, {"pumpswap": None}, {"signal_analysis": "none"}, {"pumpswap": {"a": 1}}])
def test_what_is_left_out_is_the_default(config: dict[str, object] | None) -> None:
    assert feasibility_of_plan(config) == FeasibilitySettings()


def test_the_analyser_takes_the_plans_configuration_unless_settings_are_given() -> None:
    assert PumpSwapSignalAnalyzer(PLAN).settings.max_impact_bps == 1_500
    assert PumpSwapSignalAnalyzer(PLAN).auto_watchlist_threshold == 60
    assert PumpSwapSignalAnalyzer(PLAN, settings=FeasibilitySettings()).settings.max_impact_bps == 1_000


@pytest.mark.parametrize(
    ("section", "key", "value", "complaint"),
    [
        ("signal_analysis", "liquidity_weight", "much", "signal_analysis.liquidity_weight is 'much'"),
        ("signal_analysis", "pumpswap_boost_factor", 0.5, "signal_analysis.pumpswap_boost_factor: "),
        ("signal_analysis", "liquidity_weight", 0.9, "together are more than 1"),
        ("pumpswap", "max_slippage_percent", 200, "pumpswap.max_slippage_percent: "),
        ("pumpswap", "max_price_impact_percent", 0.123456, "pumpswap.max_price_impact_percent: "),
        ("pumpswap", "min_liquidity_sol", float("nan"), "pumpswap.min_liquidity_sol is nan"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(section: str, key: str, value: object, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        feasibility_of_plan({section: {key: value}})
