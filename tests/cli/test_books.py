"""Looking at books: runs, positions, ledger. Figures are those of the run that made them, on both databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import click
import pytest

from pumpswap.cli.ledger import show
from pumpswap.clock import SystemClock
from pumpswap.model import EntryKind, Mark, Position
from pumpswap.storage.database import open_database
from tests.cli.books_of import place, with_demo
from tests.cli.running import answer, refusal, run

Where = tuple[str, ...]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Where:
    return with_demo(tmp_path_factory.mktemp("books"), request.param)


@pytest.fixture(scope="module")
def summary(where: Where) -> dict[str, Any]:
    """What the demo said of itself: the same seed again, elsewhere."""
    return answer("demo", "--minutes", "30", "--seed", "7", *where)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    return place(tmp_path, request.param)


def shown(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if not line.startswith("in ")]  # a path is never folded
    assert max(map(len, lines)) <= 80, result.stdout
    return result.stdout


# ---------------------------------------------------------------------------------------------- nothing there


def test_before_the_first_run_lists_are_empty_and_friendly(empty: Where) -> None:
    assert answer("positions", "list", *empty)["positions"] == []
    assert answer("runs", "list", *empty)["runs"] == []
    for command in (("positions", "list"), ("runs", "list")):
        assert "pumpswap demo" in shown(*command, *empty)


def test_before_the_first_run_what_needs_books_says_so(empty: Where) -> None:
    for command in (("positions", "show", "X"), ("ledger", "check"), ("ledger", "show"), ("export", "trades")):
        error = refusal(3, *command, *empty)
        assert error["what"].startswith("there are no books in ")
    assert "there is no run 9" in refusal(3, "positions", "list", "--run", "9", *empty)["what"]


def test_looking_makes_no_database(tmp_path: Path) -> None:
    where = place(tmp_path, "sqlite")
    run("positions", "list", *where)
    run("ledger", "check", *where)
    assert not (tmp_path / "data").exists()


def test_a_run_without_entries_balances_and_holds_nothing(tmp_path: Path) -> None:
    where = place(tmp_path, "sqlite")
    with open_database(tmp_path / "data" / "pumpswap.sqlite") as database:
        database.start_run("live", SystemClock().now_ns(), wallet="W" * 43, network="N" * 43)
    assert "No open positions." in shown("positions", "list", *where)
    assert "No closed rounds." in shown("positions", "list", "--all", *where)
    assert answer("positions", "list", *where)["totals"]["value_lamports"] == "0"
    assert "balance, there is no entry yet" in shown("ledger", "check", *where)
    assert "No entries." in shown("ledger", "show", *where)
    text = shown("runs", "list", *where)
    assert "goes on" in text
    assert f"run 1 is of wallet {'W' * 43}\n" in text


# ---------------------------------------------------------------------------------------------- figures


def test_the_list_adds_up_to_what_the_run_said(where: Where, summary: dict[str, Any]) -> None:
    found = answer("positions", "list", "--all", *where)
    assert len([each for each in found["positions"] if each["is_open"]]) == summary["positions"]["open"] > 1
    assert len([each for each in found["positions"] if not each["is_open"]]) == summary["positions"]["closed"] > 1
    totals = found["totals"]
    assert totals["unrealised_lamports"] == summary["unrealised_lamports"]
    assert totals["realised_lamports"] == summary["realised_lamports"]
    assert totals["value_lamports"] == summary["marks_lamports"]
    assert totals["without_value"] == 0
    only_open = answer("positions", "list", *where)
    assert [each for each in found["positions"] if each["is_open"]] == only_open["positions"]


def test_a_position_has_its_value_its_profit_and_its_exits(where: Where) -> None:
    for each in answer("positions", "list", *where)["positions"]:
        cost, value = int(each["cost_lamports"]), int(each["value_lamports"])
        assert int(each["unrealised_lamports"]) == value - cost
        assert each["mark"]["base_units"] == each["base_units"]
        assert each["base_decimals"] == 6
        assert each["exits"]["stop_loss"] == pytest.approx(cost * 0.8 / value - 1)
        assert each["exits"]["take_profit"] == pytest.approx(cost * 2 / value - 1)
        assert 0 < each["exits"]["seconds_left"] < 86_400


def test_people_see_the_list_in_eighty_columns(where: Where) -> None:
    text = shown("positions", "list", "--all", *where)
    assert "open, in SOL" in text
    for each in answer("positions", "list", *where)["positions"]:
        assert f"  pool  {each['pool']}\n  mint  {each['mint']}\n" in text
        assert each["name"] in text
    assert "stop-loss 20 % below cost (" in text
    assert "rounds, " in text


def test_a_position_is_shown_by_pool_mint_and_name(where: Where) -> None:
    first = answer("positions", "list", *where)["positions"][0]
    name = first["name"].removesuffix(" / SOL").lower()
    told = [answer("positions", "show", text, *where) for text in (first["pool"], first["mint"], name)]
    assert told[0] == told[1] == told[2]
    (story, *_) = told
    assert story["position"] == first
    assert len(story["trades"]) == sum(each["buys"] + each["sells"] for each in story["rounds"])
    assert sum(int(lot["base_units"]) for lot in story["lots"] if lot["end"] == "held") == int(first["base_units"])
    moved = sum(int(entry["units"]) for entry in story["ledger"] if entry["asset"] == first["mint"])
    assert moved == int(first["base_units"])
    assert story["marks"][0]["value_lamports"] == first["value_lamports"]
    text = shown("positions", "show", first["pool"], *where)
    for part in ("profit", "slippage", "lot of", "entry", "would bring"):
        assert part in text


def test_a_closed_round_is_shown_without_a_value(where: Where) -> None:
    rounds = answer("positions", "list", "--all", *where)["positions"]
    still = {each["pool"] for each in rounds if each["is_open"]}
    closed = next(each for each in rounds if each["pool"] not in still)
    story = answer("positions", "show", closed["pool"], *where)
    assert (story["position"]["value_lamports"], story["position"]["exits"]) == (None, None)
    gains = [int(lot["gain_lamports"]) for lot in story["lots"]]
    assert sum(gains) == sum(int(each["realised_lamports"]) for each in story["rounds"])
    assert "closed, round" in shown("positions", "show", closed["pool"], *where)


def test_what_the_books_do_not_know_is_not_found(where: Where) -> None:
    assert "has no position 'NOBODY'" in refusal(3, "positions", "show", "NOBODY", *where)["what"]
    assert "no run 99" in refusal(3, "positions", "list", "--run", "99", *where)["what"]
    assert "no run 0" in refusal(3, "positions", "list", "--run", "0", *where)["what"]
    for text in (str(2**63), "-1", "one"):
        assert "runs list" in refusal(2, "positions", "list", "--run", text, *where)["hint"]


def test_what_was_on_no_chain_cannot_be_refreshed(where: Where) -> None:
    error = refusal(2, "positions", "list", "--refresh", "--url", "http://127.0.0.1:9", *where)
    assert "is a demo run" in error["what"]


def test_the_ledger_shows_what_every_kind_has_cost(where: Where, summary: dict[str, Any]) -> None:
    found = answer("ledger", "show", "--last", "1000", *where)
    assert len(found["entries"]) == summary["ledger_entries"]
    sums = {asset: str(sum(map(int, kinds.values()))) for asset, kinds in found["units_by_asset_and_kind"].items()}
    assert {asset: units for asset, units in sums.items() if units != "0"} == summary["balances"]
    lamports = found["units_by_asset_and_kind"]["SOL"]
    for kind, paid in summary["costs_lamports"].items():
        assert -int(lamports.get(kind, 0)) == int(paid)
    only = answer("ledger", "show", "--kind", "deposit", "--asset", "SOL", *where)
    assert [entry["units"] for entry in only["entries"]] == [summary["start_lamports"]]
    assert "trade quote" in shown("ledger", "show", *where)


def test_every_kind_of_entry_can_be_asked_for() -> None:
    (option,) = [param for param in show.params if param.name == "kind"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == [kind.value for kind in EntryKind]


# ---------------------------------------------------------------------------------------------- the check


def test_the_books_of_every_run_balance(where: Where, summary: dict[str, Any]) -> None:
    found = answer("ledger", "check", "--all-runs", *where)
    assert found["balanced"] is True
    assert len(found["runs"]) == len(answer("runs", "list", *where)["runs"]) >= 2
    assert {report["entries"] for report in found["runs"]} == {summary["ledger_entries"]}
    assert "the books balance" in shown("ledger", "check", *where)
    refusal(2, "ledger", "check", "--all-runs", "--run", "1", *where)


def test_books_that_somebody_has_changed_are_named_with_their_numbers(tmp_path: Path) -> None:
    where = with_demo(tmp_path, "sqlite")
    with sqlite3.connect(tmp_path / "data" / "pumpswap.sqlite") as connection:
        connection.execute("UPDATE pumpswap_ledger SET units = units - 1 WHERE sequence = 2")
    result = run("ledger", "check", *where)
    assert result.exit_code == 1
    assert "✗ Run 1: " in result.stdout
    assert "trade_quote" in result.stdout
    found = run("ledger", "check", "--json", *where)
    assert found.exit_code == 1
    assert '"balanced": false' in found.stdout
    assert '"check": "sum"' in found.stdout


# ---------------------------------------------------------------------------------------------- which run


def test_the_live_books_that_go_on_are_the_default(tmp_path: Path) -> None:
    where = place(tmp_path, "sqlite")
    with open_database(tmp_path / "data" / "pumpswap.sqlite") as database:
        live = database.start_run("live", SystemClock().now_ns(), wallet="W" * 43, network="N" * 43)
        live.save_position(Position("P" * 43, "M" * 43, 1, 1, base_units=5, cost_lamports=7, name="=HYPER\x1b[31m"))
        live.save_mark(Mark("P" * 43, 5, 4, 5, 0, "the pool is empty"))
        live.save_position(Position("Q" * 43, "M" * 43, 1, 1, base_units=6, cost_lamports=0))
    answer("demo", "--fast", *where)
    found = answer("positions", "list", *where)
    assert (found["run"]["run_id"], found["run"]["network"]) == ("1", "localnet")
    assert [each["value_lamports"] for each in found["positions"]] == [None, None]
    assert found["totals"]["without_value"] == 2
    text = shown("positions", "list", *where)
    assert "=HYPER\\x1b[31m" in text
    assert "no value: the pool is empty" in text
    assert "no value: not marked since its last trade" in text
    assert "5 raw" in text
    assert answer("positions", "list", "--run", "2", *where)["run"]["kind"] == "demo"
    error = refusal(2, "positions", "show", "M" * 43, *where)
    assert "2 pools" in error["what"]
    assert "Q" * 43 in error["hint"]
