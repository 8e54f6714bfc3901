"""``collect``: what it prints, how it ends, and that what it has collected can be used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import SOURCE, answer, refusal, run
from tests.storage import stranger
from tests.support.gecko_server import GeckoServer, changed, status
from tests.support.gecko_world import GeckoWorld
from tests.support.host_tables import create_shape
from tests.support.material import requires_material


@pytest.fixture
def server() -> Iterator[GeckoServer]:
    with GeckoServer(GeckoWorld(pool_count=6, dexes=("pumpswap", "heaven"), traded_seconds=3_600)) as running:
        yield running


@pytest.fixture
def settings(server: GeckoServer, tmp_path: Path) -> list[str]:
    """Global options that point to the server and to a folder of this test."""
    file = tmp_path / "pumpswap.yaml"
    file.write_text(
        f"collect: {{gecko_url: '{server.gecko_url}', requests_per_minute: 100000, interval_seconds: 1,"
        " max_retries: 0}\nsignals: {min_score: 0}\n",
        encoding="utf-8",
    )
    return ["--config", str(file), "--data-dir", str(tmp_path / "data")]


def test_one_round_is_one_object(settings: list[str], tmp_path: Path) -> None:
    said = answer(*settings, "collect", "--once")
    assert said["schema"] == "pumpswap.collect"
    assert (said["tables"], said["rounds"], said["stopped"], said["errors"]) == ("own", 1, False, 0)
    assert said["pools"] == {
        "new": 3,
        "seen_again": 0,
        "of_other_exchanges": 3,
        "known": 3,
        "followed": 3,
        "put_on_watchlist": 3,
    }
    assert said["rows"]["snapshots"] == 3
    database = tmp_path / "data" / "pumpswap.sqlite"
    assert said["rows"]["trades"] == stranger.query(database, "SELECT count(*) FROM trades")[0][0] > 20
    assert said["rows"]["candles"] == stranger.query(database, "SELECT count(*) FROM ohlcv_data")[0][0] > 100
    again = answer(*settings, "collect", "--cycles", "1", "--dex", "all")
    assert (again["pools"]["new"], again["pools"]["seen_again"]) == (3, 3)


def test_people_see_rounds_on_stderr_and_the_sums_on_stdout(settings: list[str]) -> None:
    result = run(*settings, "collect", "--cycles", "1")
    assert result.exit_code == 0, result.output
    assert "pools     3 new, 0 seen again, 3 put on the watchlist" in result.stdout
    assert "followed  3 of 3 known pools are looked at again" in result.stdout
    assert "wrong     nothing" in result.stdout
    first, second = result.stderr.splitlines()
    assert first.endswith("pumpswap.sqlite: tables of our own.")
    assert "round 1: 3 new pools, 3 snapshots, " in second
    quiet = run(*settings, "-q", "collect", "--once")
    assert quiet.stderr == ""


def test_changed_answers_are_warned_about(settings: list[str], server: GeckoServer) -> None:
    def edit(told: dict[str, list[dict[str, dict[str, object]]]]) -> None:
        for one in told["data"]:
            one["attributes"]["brand_new"] = 1

    server.always("new_pools", changed(edit))
    result = run(*settings, "collect", "--once")
    assert "Warning: the service's answers differ: new_pools: data[].attributes.brand_new is new (6 times)" in (
        result.stderr
    )
    assert result.exit_code == 0


def test_a_service_that_is_not_there_is_exit_code_11(settings: list[str], server: GeckoServer) -> None:
    server.always("", status(503))
    result = run(*settings, "collect", "--once")
    assert result.exit_code == 11
    assert "3 failures" in result.stdout
    assert "HTTP 503" in result.stderr


def test_what_cannot_be_meant_is_refused(settings: list[str], tmp_path: Path) -> None:
    refusal(2, *settings, "collect", "--once", "--cycles", "2")
    assert "90s, 30m" in refusal(2, *settings, "collect", "--duration", "2 weeks")["hint"]
    refusal(2, *settings, "collect", "--watch", "nobody")
    (tmp_path / "text").write_text("this is no database")
    refusal(1, *settings, "collect", "--database", str(tmp_path / "text"))
    config = tmp_path / "wrong.yaml"
    config.write_text("collect: {timeframes: [2m]}")
    error = refusal(4, "--config", str(config), "--data-dir", str(tmp_path / "d"), "collect", "--once")
    assert "2m" in error["what"]


def test_a_watched_pool_is_followed_from_its_first_round_on(settings: list[str], server: GeckoServer) -> None:
    address = server.world.pool_address(1)  # of the other exchange
    said = answer(*settings, "collect", "--once", "--watch", address)
    assert said["pools"]["known"] == 4
    assert said["rows"]["snapshots"] == 4
    assert f"pools/{address}/trades" in server.paths()


def test_a_duration_ends_it(settings: list[str]) -> None:
    said = answer(*settings, "collect", "--duration", "2s")
    assert 1 <= said["rounds"] <= 2
    assert not said["stopped"]


@requires_material("host")
@pytest.mark.parametrize("shape", ["start-up", "alembic"])
def test_a_host_gets_its_rows_in_its_own_tables(settings: list[str], tmp_path: Path, shape: str) -> None:
    host = tmp_path / "host.sqlite"
    create_shape(f"sqlite:///{host}", shape)
    said = answer(*settings, "collect", "--once", "--database", str(host))
    assert (said["tables"], said["left_out"]) == ("host", {})
    assert stranger.query(host, "SELECT count(*) FROM new_pools_history") == [(3,)]
    stranger.execute(host, "DROP TABLE new_pools_history")
    error = refusal(1, *settings, "collect", "--once", "--database", str(host))
    assert "new_pools_history" in error["what"]


def test_what_was_collected_can_be_replayed(settings: list[str], tmp_path: Path) -> None:
    answer(*settings, "collect", "--cycles", "2")
    database = tmp_path / "data" / "pumpswap.sqlite"
    said = answer(*settings, "paper", "replay", str(database))
    assert said["recording"]["snapshots"] == "6"
    assert int(said["recording"]["trades"]) > 20


def test_ctrl_c_ends_it_after_what_is_under_way(settings: list[str]) -> None:
    command = [sys.executable, "-m", "pumpswap", *settings, "collect", "--json"]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        database = Path(settings[3]) / "pumpswap.sqlite"
        for _ in range(600):
            if _is_collecting(database):
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGINT)
        told, wrong = process.communicate(timeout=120)
    assert process.returncode == 130, wrong
    said = json.loads(told)
    assert said["stopped"] is True
    assert said["rows"]["snapshots"] == stranger.query(database, "SELECT count(*) FROM new_pools_history")[0][0]


def _is_collecting(database: Path) -> bool:
    if not database.exists() or "pumpswap_collect_pools" not in stranger.tables(database):
        return False
    return stranger.query(database, "SELECT count(*) FROM pumpswap_collect_pools") != [(0,)]
