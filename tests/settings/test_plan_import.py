"""The plan's keys become ours; each is accounted for, none silently dropped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.settings.keys import find_key
from pumpswap.settings.loading import check_document
from pumpswap.settings.plan_import import import_plan
from pumpswap.settings.plan_keys import ENVIRONMENT, PLAN_ROWS, PLAN_SECTIONS
from pumpswap.settings.plan_rows import Fate, without_password
from tests.support.material import ROOT, material, requires_material


def plan() -> dict[str, Any]:
    path = material("host", "plan_config.yaml")
    assert path is not None
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def leaves(body: Any, path: str = "") -> list[str]:
    if not isinstance(body, dict) or not body:
        return [path]
    return [leaf for name, value in body.items() for leaf in leaves(value, f"{path}.{name}" if path else name)]


@requires_material("host", "plan_config.yaml")
def test_the_whole_plan_is_imported_and_every_key_accounted_for() -> None:
    document = plan()
    result = import_plan(document)
    assert result.problems == []
    assert [row.plan for row in result.rows] == leaves(document)
    for row in result.rows:
        assert row.keys if row.fate in (Fate.TAKEN, Fate.EMPTY) else row.note, row.plan
    settings = check_document(result.document, "the plan")
    assert settings.risk.max_position_fraction * 2 == 1
    assert settings.risk.max_open_positions == 5
    assert (settings.exits.stop_loss_bps, settings.exits.take_profit_bps) == (2_000, 10_000)  # D03: 100 %, not 50 %
    assert settings.run.check_seconds == 300
    assert (settings.run.strategy, settings.run.mode) == ("plan-loop", "paper")
    assert settings.regimes.low_multiplier == check_document({}, "").regimes.low_multiplier  # D02
    assert settings.q50.tolerance_seconds is None  # D07
    profiles = result.document["profiles"]
    assert list(profiles) == ["devnet", "mainnet"]  # D13
    assert profiles["devnet"]["risk"]["max_position_fraction"] == 0.1
    assert "allow_mainnet" not in str(profiles)


@requires_material("host", "plan_config.yaml")
def test_the_table_knows_exactly_the_plan_s_keys() -> None:
    known = {re.sub(r"environments\.\w+", "environments.*", leaf) for leaf in leaves(plan())}
    assert known == set(PLAN_ROWS)


def test_every_row_leads_to_a_key_or_to_a_reason() -> None:
    for row in PLAN_ROWS.values():
        for key in row.keys:
            assert key == "profile" or find_key(key) is not None, row.plan
        assert row.keys or row.why, row.plan
    assert {name.partition(".")[0] for name in PLAN_ROWS} == set(PLAN_SECTIONS)
    assert any(name.startswith(ENVIRONMENT) for name in PLAN_ROWS)


def test_the_page_has_the_same_table() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z0-9_.*]+)` \| (.*?) \|", text, flags=re.MULTILINE))
    missing = set(PLAN_ROWS) - set(listed)
    assert missing == set()
    for name, row in PLAN_ROWS.items():
        for key in row.keys:
            assert f"`{key}`" in listed[name], name
        if not row.keys and row.decision:
            assert row.decision in listed[name], name


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"pumpswap": {"stop_los_percent": 1}}, "pumpswap.stop_los_percent: no such key of the plan; did you mean"),
        ({"pumpswap": 3}, "pumpswap: is a section"),
        ({"pumpswap": {"stop_loss_percent": "much"}}, "pumpswap.stop_loss_percent: is no number"),
        ({"pumpswap": {"enabled": "perhaps"}}, "pumpswap.enabled: is neither true nor false"),
        (
            {"nautilus_trader": {"strategy_config": {"database_uri": "postgresql://me:secret@host/db"}}},
            "nautilus_trader.strategy_config.database_uri: has a password in it",
        ),
        (
            {"pumpswap": {"stop_loss_percent": 10}, "nautilus_poc": {"trading": {"stop_loss_percent": 20}}},
            "nautilus_poc.trading.stop_loss_percent and pumpswap.stop_loss_percent contradict each other about exits.",
        ),
    ],
)
def test_what_cannot_be_translated_is_refused(document: dict[str, Any], problem: str) -> None:
    (found,) = import_plan(document).problems
    assert found.startswith(problem)
    assert "secret" not in found


def test_a_value_of_the_user_s_own_wins_over_a_decision_about_the_default() -> None:
    poc = {"trading": {"take_profit_percent": 60}, "q50": {"signal_tolerance_minutes": 90}}
    document = import_plan({"nautilus_poc": poc}).document
    assert document == {"exits": {"take_profit_bps": 6_000}, "q50": {"tolerance_seconds": 5_400}}


def test_lists_of_coins_are_read_from_their_files(tmp_path: Path) -> None:
    one, other = "pumpCmXqMfrsAkQ5r49WcJnRayYRqmXz6ae8H7H9Dfn", "So11111111111111111111111111111111111111112"
    (tmp_path / "never.json").write_text(f'["solana_{one}"]')
    (tmp_path / "only.txt").write_text(f"{other}\n")
    lists = {"token_blacklist_path": str(tmp_path / "never.json"), "token_whitelist_path": str(tmp_path / "only.txt")}
    result = import_plan({"nautilus_poc": {"security": lists}})
    assert result.problems == []
    assert result.document == {"risk": {"deny_tokens": [one], "allow_tokens": [other]}}
    assert check_document(result.document, "the plan").risk.deny_tokens == (one,)


@pytest.mark.parametrize("key", ["token_blacklist_path", "token_whitelist_path"])
@pytest.mark.parametrize(
    ("text", "problem"), [(None, "does not exist"), ('["no mint"]', "is no mint"), (5, "is no path of a file")]
)
def test_a_list_of_coins_that_cannot_be_read_is_refused(tmp_path: Path, key: str, text: Any, problem: str) -> None:
    file = tmp_path / "list.json"
    if isinstance(text, str):
        file.write_text(text)
    value = 5 if text == 5 else str(file)
    result = import_plan({"nautilus_poc": {"security": {key: value}}})
    (found,) = result.problems
    assert found.startswith(f"nautilus_poc.security.{key}: ")
    assert problem in found
    assert result.document == {}


def test_an_empty_list_of_allowed_coins_does_not_allow_all(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text("[]")
    (found,) = import_plan({"nautilus_poc": {"security": {"token_whitelist_path": str(file)}}}).problems
    assert "names no token" in found
    denied = import_plan({"nautilus_poc": {"security": {"token_blacklist_path": str(file)}}})
    assert (denied.document, denied.problems) == ({"risk": {"deny_tokens": []}}, [])


def test_the_plan_s_own_lists_count_where_somebody_has_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan_s_own = {"nautilus_poc": {"security": {"token_blacklist_path": "security/token_blacklist.json"}}}
    (row,) = import_plan(plan_s_own).rows
    assert (row.fate, row.note) == (Fate.NOT_NEEDED, PLAN_ROWS[row.plan].why)
    Path("security").mkdir()
    Path("security/token_blacklist.json").write_text("{")
    (found,) = import_plan(plan_s_own).problems
    assert "no readable JSON" in found


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host/db",
        "postgresql://me:a@b:secret@host/db",
        "postgresql://host/db?user=me&password=secret",
        "postgresql://host/db?sslmode=require&PASSWORD=secret",
        "postgresql://host/db?passfile=secret",
        "postgresql://host/db?sslpassword=secret",
        "postgresql://host/db?pass%77ord=secret",
        "mysql://host/db?passwd=secret",
    ],
)
def test_a_password_is_seen_wherever_it_stands(url: str) -> None:
    with pytest.raises(ValueError, match="has a password in it") as refused:
        without_password(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://me@host:5432/db?sslmode=require", "sqlite:///C:/me@home/gecko.db", "gecko.db", "postgresql://h/p"],
)
def test_a_url_without_a_password_is_kept(url: str) -> None:
    assert without_password(url) == url


def test_a_key_that_is_never_in_an_argument_or_a_file_is_not_taken() -> None:
    (row,) = import_plan({"pumpswap": {"private_key_path": "id.json"}}).rows
    assert row.fate is Fate.DECIDED
    assert row.note.startswith("D16: ")


def test_switching_off_is_analysis_and_wins_over_automatic_trading() -> None:
    result = import_plan({"pumpswap": {"enabled": False, "enable_auto_trading": True}})
    assert result.document == {"run": {"mode": "analysis"}}
    assert result.problems == []
    assert import_plan({"pumpswap": {"enable_auto_trading": True}}).document == {"run": {"mode": "auto"}}
    assert import_plan({"pumpswap": {"enable_auto_trading": False}}).document == {}
