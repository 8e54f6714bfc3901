"""data download against a server on loopback, in this process and as one that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.market.lake import Lake, LakeReader
from tests.cli.running import SOURCE, answer, refusal, run
from tests.support.gecko_server import GeckoServer, slow
from tests.support.gecko_world import GeckoWorld


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GeckoServer]:
    now = SystemClock().now_ns() // NS_PER_SECOND
    with GeckoServer(GeckoWorld(pool_count=3, at_seconds=now, traded_seconds=9 * 86_400)) as running:
        monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("PUMPSWAP_COLLECT__GECKO_URL", running.gecko_url)
        monkeypatch.setenv("PUMPSWAP_COLLECT__REQUESTS_PER_MINUTE", "100000")
        monkeypatch.setenv("PUMPSWAP_COLLECT__MAX_RETRIES", "0")
        yield running


def rows(folder: Path, timeframe: str = "1h") -> list[tuple[str, int]]:
    frame = LakeReader(Lake(folder / "lake")).candles(timeframe=timeframe).select("pool", "start_ns").collect()
    return sorted(frame.iter_rows())


def test_candles_of_several_pools_are_in_the_lake_and_are_told(server: GeckoServer, tmp_path: Path) -> None:
    pools = [server.world.pool_address(number) for number in (0, 1)]
    found = answer("data", "download", f"solana_{pools[0]}", pools[1], "--days", "3")
    assert [one["pool"] for one in found["pools"]] == pools
    for one in found["pools"]:
        (candles,) = one["candles"]
        assert candles["held"] + candles["quiet"] == 72
        assert candles["gaps"] == []
    assert len(rows(tmp_path)) == sum(one["candles"][0]["held"] for one in found["pools"])
    again = run("data", "download", *pools, "--days", "3")
    assert again.exit_code == 0
    assert again.stderr.startswith("0 requests") or "2 requests" in again.stderr  # the hour may have turned


def test_the_table_fits_80_columns(server: GeckoServer) -> None:
    result = run("data", "download", server.world.pool_address(0), "--timeframe", "1h", "--timeframe", "1d", "--trades")
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "trades" in result.stdout
    assert "data backfill has all" in result.stderr.replace("\n", " ")


def test_one_unknown_pool_does_not_cost_the_others(server: GeckoServer, tmp_path: Path) -> None:
    known, unknown = server.world.pool_address(0), "So11111111111111111111111111111111111111112"
    result = run("data", "download", unknown, known, "--days", "1")
    assert result.exit_code == 11
    assert "HTTP 404" in result.stderr.replace("\n", " ")
    assert {pool for pool, _ in rows(tmp_path)} == {known}
    assert "404" in refusal(11, "data", "download", unknown)["what"]


@pytest.mark.parametrize("text", ["solana_", "not-a-pool", "x" * 90])
def test_what_is_no_pool_goes_to_nobody(server: GeckoServer, text: str) -> None:
    error = refusal(2, "data", "download", text)
    assert "x" * 70 not in error["what"]
    assert server.seen == []


@pytest.mark.parametrize("pages", [1, 3])
def test_killed_in_the_middle_it_goes_on_and_stores_everything_once(
    server: GeckoServer, tmp_path: Path, pages: int
) -> None:
    pool = server.world.pool_address(0)
    server.always("pools/", slow(0.1))
    arguments = ["data", "download", pool, "--timeframe", "1m", "--days", "6"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pumpswap", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while len(server.seen) <= pages and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(rows(tmp_path, "1m"))
    found = answer(*arguments)
    (candles,) = found["pools"][0]["candles"]
    stored = rows(tmp_path, "1m")
    assert len(stored) == len(set(stored)) == candles["held"]
    assert candles["held"] + candles["quiet"] == 6 * 1_440
    assert candles["gaps"] == []
    # Minutes pass while this runs; what was stored before is not asked for again.
    assert candles["received"] <= candles["held"] - kept + 5
    assert answer("data", "verify")["is_good"] is True
