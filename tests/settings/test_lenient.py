"""Settings for an emergency stop: what is wrong is left out, as long as it is certain where the books are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpswap.errors import ConfigError
from pumpswap.settings import read_settings
from pumpswap.settings.lenient import LenientSettings, read_leniently


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str, environment: dict[str, str] | None = None, **more: Any) -> LenientSettings:
    Path("pumpswap.yaml").write_text(text)
    return read_leniently(environment=environment or {}, **more)


def test_settings_that_are_in_order_are_read_as_always() -> None:
    text = "data_dir: books\nrisk: {max_position_sol: 0.2}\n"
    found = read(text, {"PUMPSWAP_RUN__HEARTBEAT_SECONDS": "7"})
    assert found.settings == read_settings(environment={"PUMPSWAP_RUN__HEARTBEAT_SECONDS": "7"}).settings
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("risk: {max_position_soll: 1}", "risk.max_position_soll: no such key"),
        ("risk: {slippage_bps: 900}", "risk: slippage_bps is above max_slippage_bps"),
        ("risk: 5", "risk: is a section"),
        ("rsk: {max_position_sol: 1}", "rsk: no such key"),
        ("exits: {stop_loss_bps: [a]}", "exits.stop_loss_bps: is no whole number"),
        ("chain: {endpoints: [{ulr: x}]}", "chain.endpoints.0.url: is missing"),
        ("risk: {a: 1, a: 2}", "pumpswap.yaml is no readable YAML"),
        ("risk: {max_position_sol: 1", "pumpswap.yaml is no readable YAML"),
        ("risk:\n  a: b: c", "pumpswap.yaml is no readable YAML"),
        ("profile: dev", "profile dev: no such profile"),
        ("profile: dev\nprofiles: {devnet: {risk: {slippage_bps: 1}}}", "profile dev: no such profile"),
    ],
)
def test_what_is_wrong_is_left_out_and_told(text: str, problem: str) -> None:
    right = "data_dir: books\ndatabase: {url: 'sqlite:///of-the-file.sqlite'}\nrun:\n  heartbeat_seconds: 9  # kept\n"
    for whole in (right + text + "\n", text + "\n" + right):
        found = read(whole)
        assert (found.settings.data_dir, found.settings.run.heartbeat_seconds) == (Path("books"), 9)
        assert found.settings.database_target == "sqlite:///of-the-file.sqlite"
        assert problem in found.problems[0]


@pytest.mark.parametrize(
    "environment",
    [
        {"BUY_SLIPPAGE": "15"},
        {"NAUTILUS_STOP_LOSS_PERCENT": "much"},
        {"PUMPSWAP_RISK__MAX_POSITION_SOLL": "1"},
        {"PUMPSWAP_RISK__MAX_POSITION_SOL": "lots"},
        {"PUMPSWAP_RISK__MAX_POSITION_SOL": ""},
        {"PUMPSWAP_PROFILE": "none"},
    ],
)
def test_a_stray_variable_stops_nothing(environment: dict[str, str]) -> None:
    found = read("data_dir: books\n", environment)
    assert found.settings.data_dir == Path("books")
    (problem,) = (*found.problems, *found.ignored)
    assert next(iter(environment)) in problem or "profile none: no such profile" in problem


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("databse: {url: 'sqlite:///a'}", {}),
        ("database: {ulr: 'sqlite:///a'}", {}),
        ("database: {url: [1]}", {}),
        ("database: {url: 'sqlite:///a'", {}),
        ("datadir: a", {}),
        ("data_dir: [a]", {}),
        ("data_dir: a\ndata_dir: b", {}),
        ("pumpswap: {database: {url: 'sqlite:///a'}\ndexes: {}", {}),
        ("risk: {max_position_soll: 1}", {"PUMPSWAP_DATADIR": "a"}),
        ("risk: {max_position_soll: 1}", {"PUMPSWAP_DATA_DIR": ""}),
        ("profile: dev\nprofiles: {devnet: {database: {url: 'sqlite:///a'}}}", {}),
    ],
)
def test_where_the_books_are_must_be_certain(text: str, environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r".") as refused:
        read(text, environment)
    assert refused.value.hint.startswith("name the books for this call: --data-dir DIR, or PUMPSWAP_DATABASE__URL")
    named = read(text, environment, data_dir=Path("named"))
    assert named.settings.data_dir == Path("named")
    by_url = read(text, environment | {"PUMPSWAP_DATABASE__URL": "sqlite:///named"})
    assert by_url.settings.database_target == "sqlite:///named"


def test_what_is_wrong_in_the_call_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml does not exist"):
        read_leniently(tmp_path / "none.yaml", environment={})
    with pytest.raises(ConfigError, match="profile none: no such profile"):
        read("profiles: {a: {}}", profile="none")


def test_a_file_for_both_is_read_too() -> None:
    text = "dexes: {}\ndatabase: {url: theirs}\npumpswap: {database: {url: 'sqlite:///ours'}, stop_los_percent: 1}\n"
    found = read(text)
    assert found.settings.database_target == "sqlite:///ours"
    assert "pumpswap.stop_los_percent: no such key of the plan" in found.problems[0]


def test_a_file_that_is_no_text_is_read_as_far_as_it_is_one() -> None:
    Path("pumpswap.yaml").write_bytes(b"data_dir: books\nrisk: {max_position_sol: \xff}\n")
    found = read_leniently(environment={})
    assert found.settings.data_dir == Path("books")
    assert "is no UTF-8 text" in found.problems[0]
