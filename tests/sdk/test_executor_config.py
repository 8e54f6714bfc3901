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


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"max_slippage_percent": 1.0}, "max_slippage_percent: put it below pumpswap:"),
        ({"max_trades_per_day": 2}, "max_trades_per_day: put it below nautilus_poc.security: or risk:"),
        ({"stop_loss_bps": 2_000}, "stop_loss_bps: put it below exits:"),
        ({"max_positon_sol": "0.1"}, "max_positon_sol: no such key; did you mean risk.max_position_sol?"),
        ({"environments": {"mainnet": {}}}, "environments: put it below nautilus_poc:"),
        ({"dexes": {}, "enabled": False}, "enabled: put it below pumpswap:"),
    ],
)
def test_a_limit_outside_of_its_section_is_refused_with_its_place(config: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        settings_of_config(config)
    assert told in str(refused.value)


def test_what_changes_nothing_here_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    settings_of_config({"trading": {"max_portfolio_risk": 0.02}, "monitoring": {"max_acceptable_slippage_percent": 3}})
    settings_of_config({"dexes": {}, "pumpswap": {"private_key_path": "key.json", "max_position_size": 0.2}})
    first, second = caplog.messages
    assert "max_portfolio_risk" in first and "risk.max_daily_loss_fraction" in first
    assert "max_acceptable_slippage_percent" in first and "risk.max_slippage_bps" in first
    assert "private_key_path" in second and "max_position_size" not in second


def test_token_lists_of_the_plan_hold(tmp_path: Path) -> None:
    mint = "So11111111111111111111111111111111111111112"
    only, never = tmp_path / "only.json", tmp_path / "never.txt"
    only.write_text(f'{{"tokens": ["{mint}"]}}', encoding="utf-8")
    never.write_text(f"{mint}\n", encoding="utf-8")
    lists = {"token_whitelist_path": str(only), "token_blacklist_path": str(never)}
    risk = settings_of_config({"security": lists}).risk
    assert (list(risk.allow_tokens), list(risk.deny_tokens)) == ([mint], [mint])
    with pytest.raises(ConfigError, match="token_whitelist_path"):
        settings_of_config({"security": {"token_whitelist_path": str(tmp_path / "gone.json")}})
