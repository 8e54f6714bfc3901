"""data export-qlib and data check-qlib: options, answers, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import SOURCE, answer, refusal, run
from tests.market.host_tables import candle, seen, write_host
from tests.research.qlib.world import f32, read_bin, tree

CSV = "datetime,symbol,open,high,low,close,volume\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "qlib_csv"
    folder.mkdir()
    rows = "".join(f"2025-09-19 0{hour}:00:00,solana_Aa,1,2,0.5,1.{hour},10\n" for hour in (1, 2, 4))
    (folder / "solana_Aa.csv").write_text(CSV + rows)
    return folder


def export(source: Path | str, out: Path, *options: str) -> tuple[str, ...]:
    return ("data", "export-qlib", "--source", str(source), "--out", str(out), *options)


def test_an_export_answers_with_what_was_written(source: Path, tmp_path: Path) -> None:
    found = answer(*export(source, tmp_path / "d"))
    assert found["schema"] == "pumpswap.qlib_export"
    assert (found["kind"], found["symbols"], found["bars"], found["values_written"]) == ("candles", 1, 4, 15)
    assert (found["first"], found["last"]) == ("2025-09-19 01:00:00", "2025-09-19 04:00:00")
    start, values = read_bin(tmp_path / "d/features/solana_aa/close.60min.bin")
    assert (start, values) == (0, [f32("1.1"), f32("1.2"), None, f32("1.4")])


def test_an_update_adds_what_is_new_and_says_how_much(source: Path, tmp_path: Path) -> None:
    run(*export(source, tmp_path / "d", "--end", "2025-09-19T03:00"))
    result = run(*export(source, tmp_path / "d", "--mode", "update"))
    assert result.stdout.endswith("1 symbols, 4 bars of 60min, 2025-09-19 01:00:00 to 2025-09-19 04:00:00 UTC\n")
    again = run(*export(source, tmp_path / "d", "--mode", "update"))
    assert "1 symbols had nothing new" in again.stderr


def test_filters_are_those_of_the_options(tmp_path: Path) -> None:
    url = write_host(f"sqlite:///{tmp_path / 'host.db'}", new_pools_history=[seen()], ohlcv_data=[candle()])
    assert answer(*export(url, tmp_path / "d", "--min-liquidity", "50000"))["rows_filtered"] == 0
    error = refusal(1, *export(url, tmp_path / "e", "--min-liquidity", "50000.01"))
    assert "of 1 rows the filters refuse 1" in error["hint"]
    assert answer(*export(url, tmp_path / "f", "--rows", "candles"))["kind"] == "candles"


def test_the_csv_form(source: Path, tmp_path: Path) -> None:
    found = answer(*export(source, tmp_path / "csv", "--format", "csv"))
    assert (found["files"], found["records"], found["timeframe"]) == (1, 3, "1h")
    assert json.loads((tmp_path / "csv/export_summary.json").read_text())["total_records"] == 3
    assert (tmp_path / "csv/solana_Aa.csv").read_text().startswith(CSV + "2025-09-19 01:00:00,solana_Aa,1.0,2.0,0.5,")


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        (("--format", "csv", "--mode", "update"), 2, "--mode is nothing for --format csv"),
        (("--format", "csv", "--rows", "snapshots"), 2, "--rows is nothing for --format csv"),
        (("--format", "csv", "--backup-dir", "b"), 2, "--backup-dir is nothing for --format csv"),
        (("--mode", "fix"), 3, "does not exist"),
        (("--start", "2025-09-20", "--end", "2025-09-20"), 2, "--start is not before --end"),
        (("--rows", "enhanced"), 2, "holds candles only"),
        (("--freq", "5min"), 2, "make no shorter bars"),
    ],
)
def test_what_makes_no_sense_is_refused(
    source: Path, tmp_path: Path, options: tuple[str, ...], code: int, what: str
) -> None:
    assert what in refusal(code, *export(source, tmp_path / "d", *options))["what"]
    assert not (tmp_path / "d").exists()


def test_without_a_source_it_is_the_lake(tmp_path: Path) -> None:
    arguments = ("--data-dir", str(tmp_path), "data", "export-qlib", "--out", str(tmp_path / "d"))
    assert "there is no lake" in refusal(3, *arguments)["what"]


def test_a_check_ends_with_1_for_a_dataset_with_faults(source: Path, tmp_path: Path) -> None:
    run(*export(source, tmp_path / "d"))
    sound = answer("data", "check-qlib", str(tmp_path / "d"))
    assert (sound["is_sound"], sound["symbols"][0]["missing"]) == (True, 1)
    assert "25.0% of their bars are missing" in run("data", "check-qlib", str(tmp_path / "d")).stdout
    (tmp_path / "d/features/solana_aa/low.60min.bin").write_bytes(b"123")
    result = run("data", "check-qlib", str(tmp_path / "d"))
    assert result.exit_code == 1
    assert "low.60min.bin is cut off" in result.stderr.replace("\n", "")
    assert json.loads(run("data", "check-qlib", str(tmp_path / "d"), "--json").stdout)["is_sound"] is False


@pytest.mark.parametrize("moment", [".d.new/pumpswap.json", ".d.new/features/solana_pool7"])
def test_kill_9_of_an_export_leaves_the_old_dataset(tmp_path: Path, moment: str) -> None:
    source = tmp_path / "csv"
    source.mkdir()
    for number in range(300):
        rows = "".join(f"2025-09-19 {hour:02d}:00:00,solana_Pool{number},1,2,0.5,1,10\n" for hour in range(24))
        (source / f"solana_Pool{number}.csv").write_text(CSV + rows)
    run(*export(source, tmp_path / "d", "--end", "2025-09-19T12:00"))
    before = tree(tmp_path / "d")
    process = subprocess.Popen(
        [sys.executable, "-m", "pumpswap", *export(source, tmp_path / "d")],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while not (tmp_path / moment).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    process.kill()
    process.wait()
    assert run("data", "check-qlib", str(tmp_path / "d")).exit_code in (0, 3)  # 3: killed between the two renames
    found = answer(*export(source, tmp_path / "d", "--mode", "update"))
    assert (found["bars"], found["symbols"]) == (24, 300)
    assert before.keys() == tree(tmp_path / "d").keys()
    assert {path.name for path in tmp_path.iterdir()} == {"csv", "d"}
