"""Loading: every problem at once, the nearest right name, and where each value comes from."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import ConfigError
from pumpswap.settings import LoadedSettings, load_settings, read_settings
from pumpswap.settings.keys import all_keys
from pumpswap.settings.loading import check_document
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import parse_yaml


def loaded(tmp_path: Path, text: str, environment: dict[str, str] | None = None, **more: Any) -> LoadedSettings:
    file = tmp_path / "pumpswap.yaml"
    file.write_text(text)
    return read_settings(file, environment=environment or {}, **more)


def problems(tmp_path: Path, text: str, environment: dict[str, str] | None = None, **more: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, environment, **more)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("risk: {max_positon_sol: 1}", "risk.max_positon_sol: no such key; did you mean max_position_sol?"),
        ("risk: {stop_loss_bps: 1}", "risk.stop_loss_bps: no such key; did you mean exits.stop_loss_bps?"),
        ("exit: {stop_loss_bps: 1}", "exit: no such key; did you mean exits?"),
        ("max_position_sol: 1", "max_position_sol: no such key; did you mean risk.max_position_sol?"),
        ("risk: {max_position_sol: lots}", "risk.max_position_sol: is no number"),
        ("risk: {max_position_sol: -1}", "risk.max_position_sol: must be at least 0"),
        ("risk: 5", "risk: is a section: write its keys below it, for example risk."),
        ("run: {mode: automatic}", "run.mode: must be 'analysis', 'paper', 'approve' or 'auto'"),
        ("exits: {max_slippage_bps: 1}", "exits: max_slippage_bps is below slippage_bps"),
        (
            "alerts: {quiet_from: '00:00', quiet_until: '00:00'}",
            "alerts: quiet_from and quiet_until are both 00:00, and it would be quiet for ever: leave both out for no",
        ),
        ("chain: {endpoints: [{url: http://a, tiemout_ms: 5}]}", "chain.endpoints.0.tiemout_ms: no such key"),
        ("signal_analysis: {}", "signal_analysis: no such key; it is the plan's section: `pumpswap config import`"),
        ("profile: dev", "profile dev: no such profile; there is none"),
        ("profile: dev\nprofiles: {devnet: {}}", "profile dev: no such profile; did you mean devnet?"),
        ("profile: a\nprofiles: {a: 3}", "profiles.a: is no mapping of sections"),
        ("profiles: 3", "profiles: is no mapping of names to sections"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_right_name(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(problem)


@pytest.mark.parametrize("value", ["true", "no", "[yes]"])
def test_truth_is_no_number_and_no_text(value: str) -> None:
    """Python's True is 1, and YAML's yes is True."""
    for key in all_keys().values():
        if isinstance(key.default, bool):
            continue
        document = yaml.safe_load(f"{{{key.path[0]}: {{{key.path[-1]}: {value}}}}}" if len(key.path) > 1 else "{}")
        if document:
            with pytest.raises(ConfigError, match=re.escape(key.name)):
                check_document(document, "the file")
    with pytest.raises(ConfigError, match=r"chain\.endpoints\.0\.timeout_ms: is neither a number nor a text"):
        check_document({"chain": {"endpoints": [{"url": "http://a", "timeout_ms": True}]}}, "the file")


def test_a_list_of_coins_has_mints_in_it_and_nothing_else() -> None:
    mint = "So11111111111111111111111111111111111111112"
    document = {"risk": {"deny_tokens": [f"solana_{mint}"], "allow_tokens": [f" {mint} "]}}
    risk = check_document(document, "the file").risk
    assert (risk.deny_tokens, risk.allow_tokens) == ((mint,), (mint,))
    with pytest.raises(ConfigError, match=r"risk\.deny_tokens\.0: .* is no mint"):
        check_document({"risk": {"deny_tokens": [f"{mint}x"]}}, "the file")


def test_what_a_merge_brings_in_may_be_overridden() -> None:
    text = """
base: &base {risk: {max_position_sol: 0.1, slippage_bps: 7}, exits: {stop_loss_bps: 3}}
one: &one
  <<: *base
  risk: {max_position_sol: 0.2}
two: {<<: *one, exits: {stop_loss_bps: 4}}
three: {<<: [*one, *base]}
"""
    found = parse_yaml(text, "the file")
    assert found["one"] == {"risk": {"max_position_sol": 0.2}, "exits": {"stop_loss_bps": 3}}
    assert found["two"] == {"risk": {"max_position_sol": 0.2}, "exits": {"stop_loss_bps": 4}}
    assert found["three"] == found["one"]


@pytest.mark.parametrize(
    "text", ["a: 1\na: 1", "x: {a: 1, 'a': 2}", "a: &a {}\nb: {<<: *a, <<: *a}", "x: {1: a, 0x1: b}"]
)
def test_a_key_that_is_written_twice_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"line \d+: the key '.*' is there twice"):
        parse_yaml(text, "the file")


def test_a_passed_check_cannot_count_for_ever() -> None:
    with pytest.raises(ConfigError, match=r"run\.live_check_hours: must be at most 168"):
        check_document({"run": {"live_check_hours": 169}}, "the file")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "risk: {max_positon_sol: 1, slippage_bps: -1}\nexits: {stop_loss_bps: 10001}\nfoo: 1\n"
    environment = {"PUMPSWAP_RISK__MAX_TOKN_SOL": "1", "PUMPSWAP_EXITS__TAKE_PROFIT_BPS": "x"}
    found = problems(tmp_path, text, environment)
    assert len(found) == 6
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, environment)
    assert caught.value.what.startswith(f"{tmp_path / 'pumpswap.yaml'}: 6 problems: (1) ")
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("risk: {a: 1", "no readable YAML"),
        ("risk:\n  max_position_sol: 1\n  max_position_sol: 2\n", "line 3: the key 'max_position_sol' is there twice"),
        ("- 1\n", "is no mapping of sections"),
        ("5: {a: 1}\n", "is no mapping of sections"),
    ],
)
def test_a_file_that_is_no_settings_file_says_so(tmp_path: Path, text: str, told: str) -> None:
    (found,) = problems(tmp_path, text)
    assert told in found


def test_a_file_that_is_no_text_and_one_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "pumpswap.yaml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="no UTF-8 text"):
        read_settings(file, environment={})
    with pytest.raises(ConfigError, match="does not exist"):
        read_settings(tmp_path / "none.yaml", environment={})
    with pytest.raises(ConfigError, match="does not exist"):
        read_settings(tmp_path, environment={})


def test_a_word_as_long_as_a_key_is_never_repeated(tmp_path: Path) -> None:
    key = "5x" * 44
    found = problems(tmp_path, f"risk: {{{key}: 1}}\n{key}: 1\n", {f"PUMPSWAP_{key}": "1"})
    assert len(found) == 3
    assert key not in str(found)


def test_later_layers_win_and_are_named(tmp_path: Path) -> None:
    text = (
        "risk: {max_position_sol: 1, slippage_bps: 100, min_liquidity_sol: 20}\n"
        "profiles:\n  small: {risk: {max_position_sol: 2, slippage_bps: 150}}\n"
    )
    environment = {"PUMPSWAP_RISK__SLIPPAGE_BPS": "200", "NAUTILUS_MAX_POSITION_SIZE": "0.3"}
    found = loaded(tmp_path, text, environment, profile="small", exits={"stop_loss_bps": 7})
    file = str(tmp_path / "pumpswap.yaml")
    assert found.settings.risk.max_position_sol == 2
    assert found.settings.risk.slippage_bps == 200
    assert found.settings.risk.min_liquidity_sol == 20
    assert found.settings.risk.max_position_fraction == Decimal("0.3")
    assert found.settings.exits.stop_loss_bps == 7
    assert found.origins == {
        "risk.max_position_sol": "profile small",
        "risk.slippage_bps": "PUMPSWAP_RISK__SLIPPAGE_BPS",
        "risk.min_liquidity_sol": file,
        "risk.max_position_fraction": "NAUTILUS_MAX_POSITION_SIZE",
        "exits.stop_loss_bps": "option",
    }
    assert found.profile == "small"
    assert found.file == tmp_path / "pumpswap.yaml"


def test_the_profile_of_the_file_and_of_the_environment(tmp_path: Path) -> None:
    text = "profile: a\nprofiles: {a: {risk: {slippage_bps: 1}}, b: {risk: {slippage_bps: 2}}, devnet: {}}\n"
    assert loaded(tmp_path, text).settings.risk.slippage_bps == 1
    assert loaded(tmp_path, text, {"PUMPSWAP_PROFILE": "b"}).settings.risk.slippage_bps == 2
    assert loaded(tmp_path, text, {"NAUTILUS_ENVIRONMENT": "testnet"}).profile == "a"  # the file wins
    assert loaded(tmp_path, text.removeprefix("profile: a"), {"NAUTILUS_ENVIRONMENT": "testnet"}).profile == "devnet"
    assert loaded(tmp_path, text, {"PUMPSWAP_PROFILE": "b"}, profile="a").profile == "a"
    network = loaded(tmp_path, "{}", {"NAUTILUS_ENVIRONMENT": "testnet"})
    assert network.settings.chain.network == "devnet"
    assert network.origins == {"chain.network": "NAUTILUS_ENVIRONMENT"}


def test_a_section_whose_keys_are_all_commented_out_is_empty(tmp_path: Path) -> None:
    assert loaded(tmp_path, "risk:\n  # max_position_sol: 1\nexits:\n").settings == Settings(
        data_dir=Settings().data_dir
    )


def test_without_a_file_everything_is_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read_settings(environment={})
    assert (found.settings, found.origins, found.file) == (Settings(), {}, None)


def test_overrides_may_be_sections_that_are_made_already(tmp_path: Path) -> None:
    from pumpswap.settings import RiskLimits

    found = loaded(tmp_path, "risk: {slippage_bps: 7}", risk=RiskLimits(max_position_sol=Decimal(3)))
    assert found.settings.risk == RiskLimits(max_position_sol=Decimal(3))


def test_the_process_s_own_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_RISK__MAX_POSITION_SOL", "0.25")
    assert load_settings().risk.max_position_sol == Decimal("0.25")
    monkeypatch.setenv("PUMPSWAP_RISK__MAX_POSITON_SOL", "0.25")
    with pytest.raises(ConfigError, match="did you mean PUMPSWAP_RISK__MAX_POSITION_SOL"):
        load_settings()


def test_a_document_is_checked_with_all_its_profiles() -> None:
    body = {"risk": {"max_position_sol": 1}, "profiles": {"a": {"risk": {"slipage_bps": 1}}, "b": {"exits": {"x": 1}}}}
    with pytest.raises(ConfigError) as caught:
        check_document(body, "it")
    assert caught.value.problems == (
        "profile a: risk.slipage_bps: no such key; did you mean slippage_bps?",
        "profile b: exits.x: no such key",
    )
    assert check_document({"risk": {"max_position_sol": 1}}, "it").risk.max_position_sol == 1


def test_every_key_has_a_line_of_help_and_a_place_in_the_tree() -> None:
    for name, key in all_keys().items():
        assert key.help, name
        assert len(key.path) == (1 if name == "data_dir" else 2)


@given(st.sampled_from(sorted(all_keys())), st.integers(0, 30), st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
def test_one_wrong_letter_in_any_key_is_refused_and_guessed(name: str, place: int, letter: str) -> None:
    section, _, key = name.partition(".")
    if not key:
        return
    place %= len(key)
    wrong = key[:place] + letter + key[place + 1 :]
    if f"{section}.{wrong}" in all_keys():
        return
    with pytest.raises(ConfigError) as caught:
        check_document({section: {wrong: 1}}, "it")
    (problem,) = caught.value.problems
    assert problem.startswith(f"{section}.{wrong}: no such key; did you mean ")


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8899", "[http://127.0.0.1:8899]", "[{url: 'http://127.0.0.1:8899'}]"]
)
def test_an_endpoint_may_be_its_bare_url(text: str, tmp_path: Path) -> None:
    file = tmp_path / "pumpswap.yaml"
    file.write_text(f"chain:\n  endpoints: {text}\n")
    (endpoint,) = read_settings(file, environment={}).settings.chain.endpoints
    assert endpoint.url.get_secret_value() == "http://127.0.0.1:8899"
