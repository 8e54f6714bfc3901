"""``report``: the same figures as text, JSON, page and tables; what is there already is not lost."""

from __future__ import annotations

import csv
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pumpswap.cli.formats import printable
from pumpswap.storage.database import open_database
from tests.analytics.test_report import Page
from tests.cli.books_of import place, with_demo
from tests.cli.running import answer, refusal, run


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    return with_demo(tmp_path_factory.mktemp("books"), request.param)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def data_folder(where: tuple[str, ...]) -> Path:
    return Path(where[where.index("--data-dir") + 1])


def test_without_books_it_says_so(tmp_path: Path) -> None:
    empty = place(tmp_path, "sqlite")
    assert run("report", *empty).stdout.startswith("Nothing was earned or lost.")
    told = answer("report", *empty)
    assert (told["run"], told["money"]) == (None, None)
    assert refusal(3, "report", "--html", "page.html", *empty)["code"] == "not_found"


def test_text_json_page_and_tables_say_the_same(where: tuple[str, ...], tmp_path: Path) -> None:
    page_path, folder = tmp_path / "new" / "page.html", tmp_path / "tables"
    told = answer("report", "--html", str(page_path), "--csv", str(folder), *where)
    assert told["written"] == {"html": str(page_path), "csv": str(folder)}
    money = told["money"]
    page = Page(page_path.read_text(encoding="utf-8"))
    assert ("money.net_lamports", money["net_lamports"]) in {(path, value) for path, value, _ in page.figures}
    figures = {row["figure"]: row["value"] for row in table(folder / "figures.csv")}
    assert figures["money.net_lamports"] == money["net_lamports"]
    assert figures["rounds.win_rate.value"] == str(told["rounds"]["win_rate"]["value"])
    rounds = table(folder / "rounds.csv")
    assert len(rounds) == len(told["closed"]) + len(told["open"]) > 0
    realised = sum(int(row["gain_lamports"]) for row in rounds)
    assert realised == int(money["realised_lamports"])
    assert len(table(folder / "trades.csv")) == told["activity"]["fills"]
    text = run("report", *where).stdout
    assert f"Run {told['run']['run_id']}, demo, from its beginning" in text
    assert f"{told['rounds']['won']:,} won, {told['rounds']['lost']:,} lost" in text


def test_it_agrees_with_performance_report_and_leaves_nothing_unexplained(where: tuple[str, ...]) -> None:
    told = answer("report", *where)
    older: dict[str, Any] = answer("performance-report", "--days", "3650", *where)["figures"]
    assert older["realised_lamports"] == told["money"]["realised_lamports"]
    assert older["costs_lamports"] == told["costs_lamports"]
    assert told["money"]["unexplained_lamports"] == "0"


def test_a_period_is_one_of_the_calendar(where: tuple[str, ...]) -> None:
    whole = answer("report", *where)
    day = whole["period"]["since"][:10]
    told = answer("report", "--period", "day", "--on", day, *where)
    assert told["period"]["text"] == day
    assert told["period"]["since"] == f"{day}T00:00:00.000000000Z"
    first = date.fromisoformat(day)
    month = answer("report", "--period", "month", *where)["period"]
    assert month["text"] == f"{first:%B %Y}"
    assert answer("report", "--period", "week", *where)["period"]["text"].startswith("the week from ")
    assert refusal(2, "report", "--period", "day", "--on", "2999-01-01", *where)["what"] == "2999-01-01 has not begun"


def test_nothing_that_is_there_is_lost(where: tuple[str, ...], tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "tables"
    page.write_text("mine")
    folder.mkdir()
    (folder / "days.csv").write_text("mine")
    assert "exists" in refusal(2, "report", "--html", str(page), *where)["what"]
    assert "days.csv" in refusal(2, "report", "--csv", str(folder), *where)["what"]
    assert page.read_text() == (folder / "days.csv").read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["days.csv"]
    answer("report", "--html", str(page), "--csv", str(folder), "--force", *where)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (folder / "days.csv").read_text().startswith("day,")
    named = tmp_path / "folder.html"
    named.mkdir()
    assert refusal(2, "report", "--html", str(named), *where)["what"].endswith("folder.html is a folder")
    assert refusal(2, "report", "--csv", str(page), *where)["what"].endswith("page.html is a file")


def test_without_a_name_the_page_is_among_the_reports_and_is_listed(where: tuple[str, ...]) -> None:
    told = answer("report", "--html", *where)
    path = Path(told["written"]["html"])
    assert path.parent == data_folder(where) / "reports"
    assert path.name == f"report-all-run-{told['run']['run_id']}.html"
    answer("report", "--html", *where)  # a newer one takes its place
    listed = answer("report", "list", *where)["reports"]
    assert (str(path), "asked", "all") in {(one["path"], one["kind"], one["of"]) for one in listed}
    assert path.name in run("report", "list", *where).stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--html", "list"), "a page has a name that ends in .html"),
        (("--on", "2026-11-02"), "--on needs a period"),
        (("--period", "day", "--on", "yesterday"), "'yesterday' is no date"),
        (("--period", "week", "list"), "these options belong to the report, not to `report list`"),
    ],
)
def test_what_makes_no_sense_says_what_would(tmp_path: Path, arguments: tuple[str, ...], what: str) -> None:
    assert what in refusal(2, "report", *arguments, "--data-dir", str(tmp_path))["what"]


def test_a_name_of_a_stranger_steers_no_terminal_and_no_spreadsheet(tmp_path: Path) -> None:
    where = with_demo(tmp_path, "sqlite")
    evil = "=1+1\x1b[2J<script>alert(1)</script>\u202e"
    with open_database(tmp_path / "data" / "pumpswap.sqlite") as database:
        run_of = database.run(1)
        first = next(run_of.positions())
    with sqlite3.connect(tmp_path / "data" / "pumpswap.sqlite") as connection:
        connection.execute("UPDATE pumpswap_positions SET name = ?", (evil,))
    connection.close()
    text = run("report", *where).stdout
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert printable(evil)[:8] in text
    folder, page = tmp_path / "tables", tmp_path / "page.html"
    answer("report", "--csv", str(folder), "--html", str(page), *where)
    names = {row["name"] for row in table(folder / "rounds.csv")}
    assert all(name.startswith("'=1+1\\x1b[2J") for name in names)
    assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert first.mint in {row["mint"] for row in table(folder / "rounds.csv")}


@pytest.mark.parametrize("name", ["007", "9" * 5_000])
def test_a_coin_that_is_called_like_a_number_keeps_its_name(tmp_path: Path, name: str) -> None:
    where = with_demo(tmp_path, "sqlite")
    with sqlite3.connect(tmp_path / "data" / "pumpswap.sqlite") as connection:
        connection.execute("UPDATE pumpswap_positions SET name = ?", (name,))
    connection.close()
    answer("report", "--csv", str(tmp_path / "tables"), *where)
    assert {row["name"] for row in table(tmp_path / "tables" / "rounds.csv")} == {name}
    figures = {row["figure"]: row["value"] for row in table(tmp_path / "tables" / "figures.csv")}
    assert figures["rounds.best.name"] == name


def test_dollars_are_those_of_the_settings(where: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSWAP_REPORTS__SOL_USD", "150.5")
    told = answer("report", *where)
    assert told["sol_usd"] == {"price": "150.5", "source": "reports.sol_usd of the settings"}
    equity = int(told["money"]["equity_lamports"])
    assert f"{equity / 10**9 * 150.5:,.2f} USD" in run("report", *where).stdout
