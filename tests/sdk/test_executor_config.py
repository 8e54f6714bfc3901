"""What a host may hand to our classes as their configuration."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.errors import ConfigError
from pumpswap.sdk.executor import settings_of_config
from pumpswap.settings import Settings
from tests.support.material import material, requires_material


def test_nothing_means_our_own_file_and_settings_are_taken_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_of_config(None) == Settings()
    ours = Settings(data_dir=tmp_path)
    assert settings_of_config(ours) is ours
    tmp_path.joinpath("pumpswap.yaml").write_text("risk: {max_open_positions: 3}\n", encoding="utf-8")
    assert settings_of_config().risk.max_open_positions == 3
    laid_over = settings_of_config({"risk": {"max_position_sol": "0.2"}})
    assert (laid_over.risk.max_open_positions, laid_over.risk.max_position_sol) == (3, Decimal("0.2"))


def test_sections_of_the_plan_become_ours_and_ours_win() -> None:
    config = {
        "pumpswap": {
            "base_position_size": 0.2, "max_position_size": 0.3, "min_liquidity_sol": 20, "max_slippage_percent": 4,
            "max_price_impact_percent": 2, "stop_loss_percent": 15, "take_profit_percent": 80,
        },
        "signal_analysis": {"pumpswap_boost_factor": 1.1},
        "q50_pumpswap_strategy": {"max_concurrent_positions": 7},
        "risk": {"max_position_fraction": "0.25"},
        "dexes": {"targets": ["pumpswap"]},
    }  # fmt: skip
    found = settings_of_config(config)
    risk = found.risk
    assert (float(risk.base_position_fraction), float(risk.max_position_fraction)) == (0.2, 0.25)
    assert (risk.min_liquidity_sol, risk.slippage_bps, risk.max_impact_bps) == (20, 400, 200)
    assert (found.exits.stop_loss_bps, found.exits.take_profit_bps, risk.max_open_positions) == (1_500, 8_000, 7)
    assert found.feasibility.boost_factor == Decimal("1.1")


@requires_material("host", "plan_config.yaml")
def test_the_plans_own_file_can_be_used_whole() -> None:
    path = material("host", "plan_config.yaml")
    assert path is not None
    found = settings_of_config(yaml.safe_load(path.read_text(encoding="utf-8")))
    # Its environment is "testnet", which means devnet (D13), with that profile's limits.
    assert (found.chain.network, found.risk.slippage_bps, float(found.risk.max_position_fraction)) == (
        "devnet", 1_000, 0.1,
    )  # fmt: skip
    assert found.exits.take_profit_bps == 10_000  # decided: 100 % (D03)
    assert float(found.regimes.extreme_multiplier) == 0.6  # smaller in turbulence (D02)


@requires_material("host", "config.yaml")
def test_the_hosts_whole_configuration_is_left_alone() -> None:
    path = material("host", "config.yaml")
    assert path is not None
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert settings_of_config(config) == Settings()
    found = settings_of_config({**config, "pumpswap": {"max_position_size": 0.4}})
    assert float(found.risk.max_position_fraction) == 0.4


def test_sections_of_the_proof_of_concept_may_come_without_its_name() -> None:
    config = {
        "q50": {"features_path": "macro.pkl"},
        "trading": {"stop_loss_percent": 10},
        "security": {"max_trades_per_minute": 4},
    }
    found = settings_of_config(config)
    assert (found.q50.path, found.exits.stop_loss_bps, found.risk.max_trades_per_minute) == (
        Path("macro.pkl"), 1_000, 4,
    )  # fmt: skip
    assert settings_of_config({"q50": {"tolerance_seconds": 60}}).q50.tolerance_seconds == 60


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"pumpswap": {"max_positon_size": 1}}, "did you mean pumpswap.max_position_size"),
        ({"pumpswp": {}}, "did you mean pumpswap"),
        ({"pumpswap": {"max_position_size": "much"}}, "max_position_size"),
        ({"pumpswap": {"max_position_size": 7}}, "max_position_fraction"),
        ({"pumpswap": {"min_liquidity_sol": 1}, "q50_pumpswap_strategy": {"min_liquidity_sol": 2}}, "contradict"),
        ({"risk": {"max_position_soll": 1}}, "max_position_sol"),
        ({"pumpswap": 3}, "pumpswap"),
        (
            {
                "nautilus_poc": {
                    "environment": "moon",
                    "environments": {"mainnet": {"pumpswap": {"max_slippage_percent": 5}}},
                }
            },
            "moon",
        ),
        ([], "mapping"),
        ("pumpswap.yaml", "mapping"),
    ],
)
def test_what_cannot_be_used_is_named(config: Any, told: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        settings_of_config(config)
    assert told in f"{wrong.value.what} {wrong.value.hint}"
