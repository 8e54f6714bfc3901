"""``pumpswap export``: sums are those of the books, spreadsheets are safe, files are whole or not there."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.exports import COLUMNS, Export
from pumpswap.storage.database import open_database
from tests.cli.books_of import place, with_demo
from tests.cli.running import answer, environment, refusal, run
from tests.storage import samples

Where = tuple[str, ...]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Where:
    return with_demo(tmp_path_factory.mktemp("exports"), request.param)


def as_csv(*arguments: str) -> list[dict[str, str]]:
    result = run("export", *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def as_json(*arguments: str) -> list[dict[str, Any]]:
    result = run("export", *arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("export", list(Export), ids=lambda export: export.value)
def test_csv_and_json_say_the_same(where: Where, export: Export) -> None:
    rows, objects = as_csv(export.value, *where), as_json(export.value, *where)
    assert len(rows) == len(objects) > 3
    for row, each in zip(rows, objects, strict=True):
        assert tuple(row) == tuple(each) == COLUMNS[export]
        assert row == {name: "" if value is None else str(value) for name, value in each.items()}
    amounts = [name for name in COLUMNS[export] if name.endswith(("_lamports", "_units", "_ns"))]
    assert all(isinstance(each[name], str | None) for each in objects for name in amounts)


def test_the_exported_ledger_adds_up_to_the_wallet(where: Where) -> None:
    held: dict[str, int] = {}
    for row in as_csv("ledger", *where):
        held[row["asset"]] = held.get(row["asset"], 0) + int(row["units"])
        assert Decimal(row["units"]) == Decimal(row["amount"]).scaleb(int(row["decimals"]))
    balances = answer("ledger", "check", *where)["runs"][0]["balances"]
    assert {asset: str(units) for asset, units in held.items() if units} == balances


def test_the_exported_trades_add_up_to_what_orders_moved(where: Where) -> None:
    trades = as_csv("trades", *where)
    ordered = {trade["order_id"] for trade in trades}
    entries = [row for row in as_csv("ledger", *where) if row["asset"] == "SOL" and row["order_id"] in ordered]
    assert sum(int(trade["wallet_change_lamports"]) for trade in trades) == sum(int(row["units"]) for row in entries)
    assert all(Decimal(trade["tokens"]).scaleb(6) == int(trade["base_units"]) for trade in trades)
    assert {trade["name"].endswith(" / SOL") for trade in trades} == {True}


def test_the_exported_lots_add_up_to_the_positions(where: Where) -> None:
    lots = as_csv("tax-lots", *where)
    totals = answer("positions", "list", "--all", *where)["totals"]
    assert sum(int(lot["gain_lamports"] or 0) for lot in lots) == int(totals["realised_lamports"])
    held = [lot for lot in lots if lot["end"] == "held"]
    assert sum(int(lot["cost_lamports"]) for lot in held) == int(totals["cost_lamports"])
    year = as_csv("tax-lots", "--since", "2026-01-01", "--until", "2027-01-01", *where)
    assert year == [lot for lot in lots if lot["end"] != "held"]
    assert as_csv("tax-lots", "--since", "2027-01-01", *where) == []


def test_a_period_is_kept(where: Where) -> None:
    trades = as_csv("trades", *where)
    middle = trades[len(trades) // 2]["time_utc"]
    before, after = as_csv("trades", "--until", middle, *where), as_csv("trades", "--since", middle, *where)
    assert before + after == trades
    assert before
    assert after
    error = refusal(2, "export", "trades", "--since", "2026-02-01", "--until", "2026-02-01", *where)
    assert error["what"] == "--since is not before --until"


def test_standard_output_is_data_only(where: Where) -> None:
    result = run("--json", "export", "trades", *where)
    assert result.exit_code == 0
    assert all(json.loads(line)["order_id"] for line in result.stdout.splitlines())
    assert "contradict" in refusal_of_json(2, "export", "trades", "--format", "csv", *where)["what"]


def refusal_of_json(exit_code: int, *arguments: str) -> dict[str, Any]:
    result = run("--json", *arguments)
    assert result.exit_code == exit_code
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_file_is_written_whole_and_never_over_another(where: Where, tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    told = answer("export", "trades", "--output", str(path), *where)
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert (told["rows"], told["format"], told["path"]) == (len(rows), "csv", str(path))
    assert rows == as_csv("trades", *where)
    before = path.read_bytes()
    assert "--force" in refusal(2, "export", "ledger", "--output", str(path), *where)["hint"]
    refusal(2, "export", "ledger", "--output", str(tmp_path), *where)
    refusal(1, "export", "ledger", "--output", str(tmp_path / "no" / "folder.csv"), *where)
    assert path.read_bytes() == before
    for overwrite in ("--force", "--yes"):
        result = run("export", "ledger", "--output", str(path), overwrite, *where)
        assert (result.exit_code, f" rows of run 1 in {path}" in result.stdout) == (0, True)
    assert path.read_text(encoding="utf-8").startswith("run_id,sequence,")
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_that_fails_leaves_no_file(tmp_path: Path) -> None:
    where = with_demo(tmp_path, "sqlite")
    with sqlite3.connect(tmp_path / "data" / "pumpswap.sqlite") as connection:
        connection.execute("UPDATE pumpswap_ledger SET kind = 'nonsense' WHERE sequence = 20")
    out = tmp_path / "out"
    out.mkdir()
    error = refusal(1, "export", "ledger", "--output", str(out / "ledger.csv"), *where)
    assert "cannot be read" in error["what"]
    assert list(out.iterdir()) == []


def test_a_reader_who_leaves_early_is_no_error(where: Where) -> None:
    command = [sys.executable, "-m", "pumpswap", "export", "ledger", *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"run_id,")
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ('=HYPERLINK("http://evil","x")', """'=HYPERLINK("http://evil","x")"""),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("＝1", "'＝1"),
        ("a,b\n=1", "a,b\\n=1"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("x;=cmd|' /C calc'!A0;y", "x;'=cmd|' /C calc'!A0;y"),
        ('x; "@SUM(A1)', """x;' "@SUM(A1)"""),
        ("a; b-c", "a; b-c"),
        ("harmless = 1", "harmless = 1"),
        ("Münze 🪙", "Münze 🪙"),
    ],
)
def test_a_name_is_never_a_formula(tmp_path: Path, name: str, cell: str) -> None:
    where = place(tmp_path, "sqlite")
    with open_database(tmp_path / "data" / "pumpswap.sqlite") as database:
        stored = database.start_run("test", samples.NS)
        stored.save_decision(samples.decision())
        stored.save_order(samples.order(reason=name))
        stored.save_outcome(samples.filled())
        stored.save_position(samples.position(name=name))
    (row,) = as_csv("trades", *where)
    assert (row["name"], row["reason"]) == (cell, cell)
    assert row["wallet_change_lamports"].startswith("-")
    (exact,) = as_json("trades", *where)
    assert exact["name"] == name
