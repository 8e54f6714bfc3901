"""``pumpswap data``: what is in the lake is shown, checked and exported, and what is wrong is said."""

from __future__ import annotations

import base64
import csv
import io
import json
import shlex
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest

from pumpswap.cli.data import data
from pumpswap.cli.lazy import Command
from pumpswap.market.lake import Coverage, Lake, LakeReader, LakeWriter, PoolStateSeen
from pumpswap.model import PoolSnapshot
from tests.cli.running import answer, refusal, run
from tests.market.lake.rows import DAY, MIDNIGHT, candle, swap
from tests.market.lake.test_reader import BuyEvent
from tests.support.market import graduate

POOL = str(graduate().address)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake where the settings look for it."""
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    lake = Lake(tmp_path / "data" / "lake")
    event = BuyEvent(virtual_quote_reserves=-5, lp_fee=2**64 - 1)
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(n, POOL) for n in range(0, 300, 3)], source="chain")
        writer.add("swaps", [swap(1, "=cmd()", event=event, base_units=2**64 - 1, trader="+x")])
        writer.add("states", [PoolStateSeen(MIDNIGHT, graduate(base_decimals=9))])
        writer.add("candles", [candle(n, pool=POOL) for n in range(10)], source="geckoterminal")
        writer.add("snapshots", [PoolSnapshot("solana_A", "A", "pumpswap", MIDNIGHT, name="\x1b[31mA")])
        writer.cover(Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT, end_ns=MIDNIGHT + DAY))
        writer.cover(
            Coverage(kind="swaps", network="solana", start_ns=MIDNIGHT + 2 * DAY, end_ns=MIDNIGHT + 3 * DAY, pool=POOL)
        )
    return lake


def as_csv(*arguments: str) -> list[dict[str, str]]:
    result = run("data", *arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def as_json(*arguments: str) -> list[dict[str, Any]]:
    result = run("data", *arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_example_works_where_there_is_a_lake(lake: Lake) -> None:
    ctx = click.Context(data)
    mine = ("list", "verify", "export", "bars", "compact")
    lines = [line.line for name in mine for line in command(ctx, name).examples]
    assert len(lines) >= 10
    for line in lines:
        _, *arguments = shlex.split(line.replace("POOL", POOL))
        result = run(*arguments)
        assert result.exit_code == 0, (line, result.output)


def command(ctx: click.Context, name: str) -> Command:
    found = data.get_command(ctx, name)
    assert isinstance(found, Command)
    return found


def test_list_tells_rows_claims_and_holes(lake: Lake) -> None:
    told = answer("data", "list", "--pool", POOL)
    assert told["schema"] == "pumpswap.data_list"
    assert {one["kind"]: (one["rows"], one["files"]) for one in told["holdings"]} == {
        "swaps": ("101", 1),
        "states": ("1", 1),
        "candles": ("10", 1),
        "snapshots": ("1", 1),
    }
    (claim,) = told["covered"]
    assert claim["holes"] == [{"start_ns": str(MIDNIGHT + DAY), "end_ns": str(MIDNIGHT + 2 * DAY)}]
    page = run("data", "list").stdout
    assert "Claims about 1 single pool, 0 with holes" in page
    page = run("data", "list", "--pool", POOL).stdout
    assert "  missing   2025-11-27 00:00:00 to 2025-11-28 00:00:00\n" in page
    assert max(map(len, page.splitlines()[:6])) <= 80
    # Rows are those of every network, claims those of one.
    assert "Nothing of the network devnet is claimed" in run("data", "list", "--network", "devnet").stdout


def test_an_empty_place_is_no_error_to_list_and_not_found_to_read(tmp_path: Path) -> None:
    nowhere = ("--lake", str(tmp_path / "none"))
    assert "Nothing is in the lake" in run("data", "list", *nowhere).stdout
    assert answer("data", "list", *nowhere)["holdings"] == []
    for name in (("verify",), ("export", "swaps"), ("bars", "--seconds", "60"), ("compact",)):
        assert "there is no lake" in refusal(3, "data", *name, *nowhere)["what"]


def test_verify_says_that_all_is_well(lake: Lake) -> None:
    told = answer("data", "verify")
    assert (told["is_good"], told["files"], told["rows"], told["findings"]) == (True, 4, "113", [])
    assert "Every byte is as it was written, and no row is there twice.\n" in run("data", "verify").stdout
    assert "Every byte is as it was written; rows were not read.\n" in run("data", "verify", "--fast").stdout


def test_verify_names_a_flipped_byte_and_repairs_after_a_yes(lake: Lake) -> None:
    (file,) = lake.files("swaps")
    path = lake.folder / file.path
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    result = run("data", "verify")
    assert result.exit_code == 1
    assert f"✗ {file.path}\n  changed: its bytes are not those that were written" in result.stdout
    assert "data verify --repair" in result.stderr
    document = json.loads(run("data", "verify", "--json").stdout)
    assert [one["problem"] for one in document["findings"]] == ["changed"]
    assert "needs --yes" in refusal_json("data", "verify", "--repair")["what"]
    assert run("data", "verify", "--repair", input="n\n").exit_code != 0
    assert path.exists()
    done = run("data", "verify", "--repair", input="y\n")
    assert done.exit_code == 0, done.output
    assert f"put aside {file.path}" in done.stdout
    assert answer("data", "verify")["is_good"]
    assert "missing   2025-11-26 00:00:00 to 2025-11-26 00:04:57" in run("data", "list").stdout


def refusal_json(*arguments: str) -> dict[str, Any]:
    result = run("--json", *arguments)
    assert result.exit_code != 0
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_csv_and_json_have_every_digit_and_no_formula(lake: Lake) -> None:
    rows, objects = as_csv("export", "swaps"), as_json("export", "swaps")
    assert len(rows) == len(objects) == 101
    assert [row["signature"] for row in rows][:3] == ["Signature0", "Signature1", "Signature3"]
    odd, told = rows[1], objects[1]
    assert (odd["pool"], odd["trader"], odd["virtual_quote_reserves_before"]) == ("'=cmd()", "'+x", "-5")
    assert (odd["base_units"], odd["lp_fee"]) == (str(2**64 - 1), str(2**64 - 1))
    assert (told["pool"], told["base_units"], told["slot"]) == ("=cmd()", str(2**64 - 1), 380_000_001)
    assert base64.b64decode(told["event"])[:8] == BuyEvent.DISCRIMINATOR
    (snapshot,) = as_csv("export", "snapshots")
    assert snapshot["name"] == "�[31mA"


def test_filters_and_files(lake: Lake, tmp_path: Path) -> None:
    assert (
        len(as_csv("export", "swaps", "--pool", POOL, "--since", "2025-11-26T00:01", "--until", "2025-11-26T00:02"))
        == 20
    )
    assert as_csv("export", "swaps", "--since", "2026-01-01") == []
    assert run("data", "export", "swaps", "--since", "2026-01-01").stdout.startswith("pool,at_ns,slot,signature,")
    target = tmp_path / "swaps.parquet"
    told = answer("data", "export", "swaps", "--format", "parquet", "--output", str(target))
    assert told["rows"] == "101"
    assert pl.read_parquet(target).sort("signature").equals(LakeReader(lake).swaps().collect().sort("signature"))
    assert "exists" in refusal(2, "data", "export", "swaps", "--format", "parquet", "--output", str(target))["what"]
    assert run("data", "export", "swaps", "--output", str(target), "--force").exit_code == 0
    assert target.read_text().count("\n") == 102
    assert "--output" in refusal(2, "data", "export", "swaps", "--format", "parquet")["hint"]
    assert (
        "not before" in refusal(2, "data", "export", "swaps", "--since", "2026-01-01", "--until", "2025-01-01")["what"]
    )
    assert not list(tmp_path.glob("*.partial"))


def test_bars_are_exact_and_readable(lake: Lake, tmp_path: Path) -> None:
    first, *_ = as_csv("bars", "--seconds", "60", "--pool", POOL)
    assert (first["start_ns"], first["known_ns"]) == (str(MIDNIGHT), str(MIDNIGHT + 60 * 10**9))
    assert (first["open_quote"], first["open_base"], first["close_quote"]) == ("5000", "1000000", "5057")
    # Nine decimals on both sides: a recorded state of the pool says so.
    assert float(first["close"]) == pytest.approx(float(Fraction(5057, 1_000_057)))
    assert int(first["buys"]) + int(first["sells"]) == 20
    assert len(as_csv("bars", "--trades", "30", "--pool", POOL)) == 3
    (volume,) = as_json("bars", "--volume-sol", "0.0005", "--pool", POOL)
    assert int(volume["quote_units"]) >= 500_000 > int(volume["quote_units"]) - int(volume["close_quote"])
    target = tmp_path / "bars.parquet"
    assert answer("data", "bars", "--seconds", "60", "--format", "parquet", "--output", str(target))["rows"] == "6"
    assert len(as_csv("bars", "--seconds", "300", "--since", "2025-11-27")) == 0
    assert "exactly one" in refusal(2, "data", "bars")["hint"]
    assert "do not divide a day" in refusal(2, "data", "bars", "--seconds", "7")["what"]
    assert "bars of time" in refusal(2, "data", "bars", "--trades", "7", "--fill")["what"]


def test_compact_says_what_it_did(lake: Lake) -> None:
    with LakeWriter(lake) as writer:
        writer.add("swaps", [swap(500, POOL)])
    assert run("data", "compact").stdout.startswith("1 file fewer, 4 left in ")
    assert answer("data", "compact")["merged_files"] == 0


def test_another_writer_is_said(lake: Lake) -> None:
    with LakeWriter(lake):
        assert "another process is writing" in refusal(1, "data", "compact")["what"]
        assert answer("data", "verify")["is_good"]


def test_without_polars_the_extra_is_named(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("pumpswap.market.lake.", "polars"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "polars", None)
    error = refusal(4, "data", "verify")
    assert "polars" in error["what"]
    assert error["hint"] == "pip install 'pumpswap[data]'"
    assert answer("data", "list")["holdings"]  # the list needs the manifest only
