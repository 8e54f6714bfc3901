"""Environment variables: nothing that begins with PUMPSWAP_ is ignored; those of others are translated."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pumpswap.errors import ConfigError
from pumpswap.settings import load_settings, read_settings
from pumpswap.settings.environment import BORROWED, OTHERS, value_of_text
from pumpswap.settings.keys import all_keys, find_key
from pumpswap.settings.reload import value_at

TOO_WIDE = "of another program is ignored: risk: slippage_bps is above max_slippage_bps"


@pytest.fixture(autouse=True)
def nowhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


def value(key: str, **environment: str) -> Any:
    return value_at(read_settings(environment=environment).settings, key)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("PUMPSWAP_RISK__MAX_POSITON_SOL", "did you mean PUMPSWAP_RISK__MAX_POSITION_SOL?"),
        ("PUMPSWAP_RISKS__MAX_POSITION_SOL", "did you mean PUMPSWAP_RISK__MAX_POSITION_SOL?"),
        ("PUMPSWAP_RISK_MAX_POSITION_SOL", "did you mean PUMPSWAP_RISK__MAX_POSITION_SOL?"),
        ("PUMPSWAP_MAX_POSITION_SOL", "did you mean PUMPSWAP_RISK__MAX_POSITION_SOL?"),
        ("PUMPSWAP_RISK__FOO", "PUMPSWAP_RISK__SCALE_BY_VOLATILITY and others: `pumpswap config show`"),
        ("PUMPSWAP_DATADIR", "did you mean PUMPSWAP_DATA_DIR?"),
        ("PUMPSWAP_WALLET_PASWORD", "did you mean PUMPSWAP_WALLET_PASSWORD?"),
        ("PUMPSWAP_PROFIL", "did you mean PUMPSWAP_PROFILE?"),
        ("PUMPSWAP_CHAIN__ENDPOINTS__0__URL", "did you mean PUMPSWAP_CHAIN__ENDPOINTS?"),
        ("PUMPSWAP_QQQQQQ", "`pumpswap config show` lists all keys"),
    ],
)
def test_a_misspelt_variable_is_refused_and_the_right_one_named(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(environment={name: "1"})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{name}: no such setting")
    assert problem.endswith(told)


def test_an_empty_variable_is_refused() -> None:
    with pytest.raises(ConfigError, match="PUMPSWAP_DATA_DIR is empty"):
        read_settings(environment={"PUMPSWAP_DATA_DIR": ""})


def test_a_bad_value_names_the_variable() -> None:
    with pytest.raises(
        ConfigError, match=r"^the settings: PUMPSWAP_RISK__SLIPPAGE_BPS: risk\.slippage_bps: is no whole number"
    ):
        read_settings(environment={"PUMPSWAP_RISK__SLIPPAGE_BPS": "many"})
    with pytest.raises(ConfigError, match="PUMPSWAP_RUN__SIGNALS: is no readable list"):
        read_settings(environment={"PUMPSWAP_RUN__SIGNALS": "[a"})
    with pytest.raises(ConfigError, match="a section is written like"):
        read_settings(environment={"PUMPSWAP_RISK": "5"})


def test_the_documented_others_are_left_to_their_readers() -> None:
    assert read_settings(environment=dict.fromkeys(OTHERS, "x") | {"PUMPSWAP_PROFILE": ""}).origins == {}


def test_values_of_every_kind() -> None:
    assert value("risk.max_position_sol", PUMPSWAP_RISK__MAX_POSITION_SOL="0.5") == Decimal("0.5")
    assert value("risk.require_screen", pumpswap_risk__require_screen="true") is True
    assert value("run.signals", PUMPSWAP_RUN__SIGNALS="q50, analyser") == ("q50", "analyser")
    assert value("run.signals", PUMPSWAP_RUN__SIGNALS='["q50"]') == ("q50",)
    assert value("q50.instruments", PUMPSWAP_Q50__INSTRUMENTS="{a: b}") == {"a": "b"}
    assert value("chain.network", PUMPSWAP_CHAIN__NETWORK="null") is None
    assert value("risk.slippage_bps", PUMPSWAP_RISK="{slippage_bps: 7}") == 7
    ladder = value("exits.take_profit_ladder", PUMPSWAP_EXITS__TAKE_PROFIT_LADDER="[{gain_bps: 5, sell_bps: 6}]")
    assert (ladder[0].gain_bps, ladder[0].sell_bps) == (5, 6)


@pytest.mark.parametrize(
    ("name", "text", "key", "expected"),
    [
        # By mistake, upstream sets another key with this one: trap W16.
        ("NAUTILUS_MAX_POSITION_SIZE", "0.25", "risk.max_position_fraction", Decimal("0.25")),
        ("NAUTILUS_BASE_POSITION_SIZE", "0.05", "risk.base_position_fraction", Decimal("0.05")),
        ("NAUTILUS_KELLY_MULTIPLIER", "2", "risk.kelly_fraction", Decimal("0.5")),
        ("NAUTILUS_STOP_LOSS_PERCENT", "12.5", "exits.stop_loss_bps", 1_250),
        ("NAUTILUS_TAKE_PROFIT_PERCENT", "50", "exits.take_profit_bps", 5_000),
        ("NAUTILUS_MAX_SLIPPAGE", "4", "risk.slippage_bps", 400),
        ("NAUTILUS_MAX_SLIPPAGE", "4", "risk.max_slippage_bps", 400),
        ("NAUTILUS_MAX_DAILY_TRADES", "42", "risk.max_trades_per_day", 42),
        ("NAUTILUS_Q50_SIGNAL_TOLERANCE", "5", "q50.tolerance_seconds", 300),
        ("NAUTILUS_SOLANA_NETWORK", "testnet", "chain.network", "devnet"),
        ("BUY_SLIPPAGE", "0.3", "risk.slippage_bps", 30),
        ("SELL_SLIPPAGE", "0.3", "exits.slippage_bps", 30),
        ("SWAP_PRIORITY_FEE", "1500000", "sending.priority_cap_micro_lamports", 1_500_000),
    ],
)
def test_names_of_other_programs_set_what_they_say(name: str, text: str, key: str, expected: object) -> None:
    assert value(key, **{name: text}) == expected


def test_w16_the_largest_position_is_what_the_name_says_and_nothing_else() -> None:
    found = read_settings(environment={"NAUTILUS_MAX_POSITION_SIZE": "0.25"})
    assert found.origins == {"risk.max_position_fraction": "NAUTILUS_MAX_POSITION_SIZE"}


def test_ours_win_over_theirs_and_the_file_over_other_programs(tmp_path: Any) -> None:
    both = {"NAUTILUS_MAX_POSITION_SIZE": "0.25", "PUMPSWAP_RISK__MAX_POSITION_FRACTION": "0.4"}
    assert value("risk.max_position_fraction", **both) == Decimal("0.4")
    file = tmp_path / "pumpswap.yaml"
    file.write_text("risk: {slippage_bps: 200, max_slippage_bps: 300, max_position_fraction: 0.1}\n")
    theirs = {"BUY_SLIPPAGE": "1", "NAUTILUS_MAX_POSITION_SIZE": "0.25", "NAUTILUS_MAX_SLIPPAGE": "10"}
    found = read_settings(file, environment=theirs | {"NAUTILUS_MAX_DAILY_TRADES": "42"})
    risk = found.settings.risk
    assert (risk.slippage_bps, risk.max_slippage_bps, risk.max_position_fraction) == (200, 300, Decimal("0.1"))
    assert risk.max_trades_per_day == 42  # about which the file says nothing
    assert found.borrowed == {"NAUTILUS_MAX_DAILY_TRADES": ("risk.max_trades_per_day",)}
    assert found.ignored == ()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("NAUTILUS_STOP_LOSS_PERCENT", "much", "is no number"),
        ("BUY_SLIPPAGE", "0.001", "has more digits than there are basis points or seconds"),
        ("BUY_SLIPPAGE", "15", "risk: slippage_bps is above max_slippage_bps"),
        ("NAUTILUS_MAX_POSITION_SIZE", "1.5", "risk.max_position_fraction: must be at most 1"),
        ("NAUTILUS_PAYER_PUBLIC_KEY", "me", "wallet.public_key: string should match pattern"),
        ("NAUTILUS_ENVIRONMENT", "production", "chain.network: must be 'mainnet', 'devnet' or 'localnet'"),
        ("HTTPS_RPC_ENDPOINT", "5", ""),
    ],
)
def test_a_variable_of_another_program_that_does_not_fit_is_ignored(name: str, text: str, reason: str) -> None:
    found = read_settings(environment={name: text, "SELL_SLIPPAGE": "12"})
    if reason:
        (told,) = found.ignored
        assert told.startswith(f"the variable {name} of another program is ignored: {reason}")
        assert found.borrowed == {"SELL_SLIPPAGE": ("exits.slippage_bps",)}
    assert found.settings.exits.slippage_bps == 1_200


def test_only_what_does_not_fit_is_ignored(tmp_path: Any) -> None:
    file = tmp_path / "pumpswap.yaml"
    file.write_text("risk: {max_slippage_bps: 300}\n")
    theirs = {"NAUTILUS_MAX_SLIPPAGE": "10", "SELL_SLIPPAGE": "2", "NAUTILUS_KELLY_MULTIPLIER": "x"}
    found = read_settings(file, environment=theirs)
    assert (found.settings.risk.slippage_bps, found.settings.risk.max_slippage_bps) == (300, 300)
    assert found.borrowed == {"SELL_SLIPPAGE": ("exits.slippage_bps",)}
    assert found.ignored == (
        "the variable NAUTILUS_KELLY_MULTIPLIER of another program is ignored: is no number",
        f"the variable NAUTILUS_MAX_SLIPPAGE {TOO_WIDE}",
    )


def test_what_is_wrong_with_ours_is_still_refused_and_is_not_put_on_theirs() -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(environment={"BUY_SLIPPAGE": "15", "PUMPSWAP_EXITS__SLIPPAGE_BPS": "many"})
    (problem,) = caught.value.problems
    assert problem.startswith("PUMPSWAP_EXITS__SLIPPAGE_BPS: exits.slippage_bps: ")


def test_without_the_names_of_their_sources_they_are_told_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BUY_SLIPPAGE", "15")
    assert load_settings().risk.slippage_bps == 300
    assert [record.message for record in caplog.records] == [f"the variable BUY_SLIPPAGE {TOO_WIDE}"]


def test_an_endpoint_of_the_sdk_is_kept_secret() -> None:
    found = read_settings(environment={"HTTPS_RPC_ENDPOINT": "https://host.example/S3CR3T"}).settings
    assert found.chain.endpoints[0].url.get_secret_value() == "https://host.example/S3CR3T"
    assert "S3CR3T" not in repr(found)


def test_every_borrowed_name_sets_keys_that_exist() -> None:
    for borrowed in BORROWED.values():
        for key in borrowed.keys.split(", "):
            assert find_key(key) is not None, key


def test_a_list_is_read_alike_from_commas_and_from_yaml() -> None:
    key = all_keys()["risk.allow_tokens"]
    assert value_of_text(key, "a,b") == value_of_text(key, "[a, b]") == ["a", "b"]
