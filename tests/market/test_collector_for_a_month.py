"""What happens once in a month: blocked for hours, moved, a clock set wrong, a database that is away for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import StorageError
from tests.market.collecting import HOUR_SECONDS, Watched
from tests.storage import stranger
from tests.support.gecko_server import Answer, GeckoServer, Reply, Request, changed, status
from tests.support.gecko_world import START, GeckoWorld

DUE = "SELECT count(snapshot_due_ns), count(trades_due_ns) FROM pumpswap_collect_pools"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with GeckoServer(GeckoWorld(pool_count=3, dexes=("pumpswap",), traded_seconds=7_200)) as server:
        yield Watched(server, tmp_path / "collected.sqlite", {"timeframes": (), "pages": 1})


def everywhere(watched: Watched, answer: Answer) -> None:
    for path in ("new_pools", "pools"):
        watched.server.always(path, answer)


@pytest.mark.parametrize("code", [302, 403, 404])
def test_a_service_that_refuses_everybody_gives_no_pool_up(watched: Watched, code: int) -> None:
    """Blocked, or moved to another address: that says nothing about a pool, however long it lasts."""
    watched.collect(1)
    watched.wait_a_round()
    everywhere(watched, status(code, "no"))
    watched.collect(6)
    assert watched.query(DUE) == [(3, 3)]
    everywhere(watched, changed(lambda told: told))
    watched.wait_a_round()
    assert watched.collect(1).snapshots == 3
    assert not any("given up" in note for note in watched.notes)


def test_a_figure_that_cannot_be_read_for_a_day_gives_no_pool_up(watched: Watched) -> None:
    def edit(told: Any) -> None:
        for one in told["data"]:
            one["attributes"]["reserve_in_usd"] = "much"

    watched.collect(1)
    watched.wait_a_round()
    everywhere(watched, changed(edit))
    watched.server.always("pools/", changed(lambda told: told))
    watched.server.always("pools/multi", changed(edit))
    watched.collect(6)
    assert watched.query(DUE) == [(3, 3)]


def refuse_once(watched: Watched, event: str, table: str) -> None:
    """The database fails at the next such statement, and is well again."""
    stranger.execute(watched.target, "CREATE TABLE refusing (left_over INTEGER)", "INSERT INTO refusing VALUES (1)")
    condition = "(SELECT count(*) FROM refusing) > 0"
    stranger.execute(
        watched.target,
        f"CREATE TRIGGER no BEFORE {event} ON {table} WHEN {condition} "
        "BEGIN SELECT RAISE(ABORT, 'away for a moment'); END",
    )


@pytest.mark.parametrize("event", ["UPDATE OF started_ns", "UPDATE OF finished_ns"])
def test_a_database_that_is_away_for_a_moment_costs_a_round_and_not_the_collector(watched: Watched, event: str) -> None:
    watched.collect(1)
    watched.wait_a_round()
    refuse_once(watched, event, "pumpswap_collect_cycles")
    rounds: list[int] = []

    def heal(_collector: object) -> bool:
        rounds.append(1)
        if any("away for a moment" in note for note in watched.notes):
            stranger.execute(watched.target, "DELETE FROM refusing")
        return False

    tally = watched.collect(2, heal)
    assert (tally.cycles, tally.errors) == (2, 1)
    assert sum("away for a moment" in note for note in watched.notes) == 1
    assert watched.number("SELECT count(*) FROM new_pools_history") >= 9


def test_a_database_that_stays_away_ends_the_collector(watched: Watched) -> None:
    watched.collect(1)
    watched.wait_a_round()
    refuse_once(watched, "UPDATE", "pumpswap_collect_cycles")
    with pytest.raises(StorageError, match="away for a moment"):
        watched.collect(5)
    assert sum("away for a moment" in note for note in watched.notes) == 2
    with pytest.raises(StorageError, match="away for a moment"):
        watched.collect(1)  # whoever asks for one round wants to know at once


def test_what_was_said_is_not_remembered_for_ever(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.market.collector._MOST_SAID", 2)

    def edit(told: Any) -> None:
        for one in told["data"]:
            one["attributes"]["reserve_in_usd"] = "much"

    watched.server.always("new_pools", changed(edit))
    watched.collect(2)
    assert len(watched.notes) == 6  # three elements, forgotten by the second round


class WrongClock(ManualClock):
    """A machine's clock: it can be set."""

    def set_to(self, at_ns: int) -> None:
        self._now_ns = at_ns


def test_a_clock_that_is_set_back_makes_nobody_wait_longer_than_a_round(watched: Watched) -> None:
    clock = watched.clock = WrongClock(START * NS_PER_SECOND)
    slept: list[float] = []
    sleep = watched.sleep

    async def counted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(seconds)

    watched.sleep = counted  # type: ignore[method-assign]
    units: list[int] = []

    def set_back(_collector: object) -> bool:
        units.append(1)
        if len(units) == 3:
            clock.set_to((START - 86_400) * NS_PER_SECOND)
        return False

    assert watched.collect(2, set_back).cycles == 2
    assert max(slept) <= HOUR_SECONDS


def test_a_clock_that_was_ahead_for_a_while_leaves_no_pool_waiting_for_years(watched: Watched) -> None:
    clock = watched.clock = WrongClock((START + 9 * 365 * 86_400) * NS_PER_SECOND)
    watched.collect(1)  # the machine has just started, and nobody has told it the time
    clock.set_to(START * NS_PER_SECOND)
    assert watched.collect(2).snapshots == 6
    assert watched.number("SELECT max(trades_due_ns) FROM pumpswap_collect_pools") <= clock.now_ns() + 2 * (
        HOUR_SECONDS * NS_PER_SECOND
    )


def test_a_clock_that_is_late_leaves_no_hole_between_candles(watched: Watched) -> None:
    """The service is minutes ahead of us: asked for as many candles as we think there are, it leaves some out."""
    watched.changes = {"timeframes": ("1m",), "pages": 1}
    watched.world.gap_every = 10**9
    watched.collect(1)
    watched.clock = WrongClock(START * NS_PER_SECOND)
    sleep = watched.sleep

    async def ahead(seconds: float) -> None:
        await sleep(seconds)
        watched.world.at_seconds += 600

    watched.sleep = ahead  # type: ignore[method-assign]
    watched.wait_a_round()
    watched.world.at_seconds += 600
    watched.collect(1)
    pool_id = f"solana_{watched.world.pool_address(2)}"
    query = f"SELECT timestamp FROM ohlcv_data WHERE pool_id = '{pool_id}' ORDER BY timestamp"
    starts = [one for (one,) in watched.query(query)]
    assert starts == list(range(starts[0], starts[-1] + 60, 60))
    assert starts[-1] > START + HOUR_SECONDS


def test_a_pause_that_is_longer_than_the_service_remembers_leaves_a_hole_and_goes_on(watched: Watched) -> None:
    watched.changes = {"timeframes": ("1m",), "pages": 1}
    watched.collect(1)
    watched.world.traded_seconds = 5 * 86_400
    watched.clock.advance_to((START + 4 * 86_400) * NS_PER_SECOND)
    watched.world.at_seconds = START + 4 * 86_400

    def answer(request: Request, right: Reply) -> Reply:
        before = request.params.get("before_timestamp")
        return right if before is None or int(before) > START + 3 * 86_400 else status(401, "too old")

    watched.server.always("pools/", answer)
    tally = watched.collect(1)
    assert tally.errors == 0
    assert tally.candles > 3 * 1_000
    assert any("older ones are missing" in note for note in watched.notes)


@pytest.mark.parametrize("address", ["", "a/b"])
def test_a_watched_pool_without_an_address_costs_nobody_else_anything(watched: Watched, address: str) -> None:
    """Rows of the watchlist are made by hand."""
    watched.collect(1)
    dex = "(SELECT min(id) FROM dexes)"
    stranger.execute(
        watched.target,
        f"INSERT INTO pools (id, address, dex_id) VALUES ('solana_odd', '{address}', {dex})",
        "INSERT INTO watchlist (pool_id, is_active) VALUES ('solana_odd', 1)",
    )
    watched.wait_a_round()
    tally = watched.collect(6)
    assert tally.snapshots == 18
    query = "SELECT snapshot_due_ns, last_error FROM pumpswap_collect_pools WHERE pool_id = 'solana_odd'"
    assert watched.query(query) == [(None, "solana_odd has no address that could be asked for")]


def test_beside_another_collector_no_candle_stays_half_grown(watched: Watched) -> None:
    """The host stores newer candles after us, so ours is not the newest any more when it has grown."""

    def growing(told: Any) -> None:
        if isinstance(told["data"], dict) and "ohlcv_list" in told["data"]["attributes"]:
            for row in told["data"]["attributes"]["ohlcv_list"]:
                if row[0] + 60 > watched.world.at_seconds:
                    row[1:] = [row[1], row[1], row[1] / 2, row[1] / 2, 0.5]

    watched.server.always("pools/", changed(growing))
    watched.changes = {"timeframes": ("1m",), "pages": 1}
    watched.world.gap_every = 10**9
    watched.world.at_seconds = START + 30
    watched.clock.advance_to((START + 30) * NS_PER_SECOND)
    watched.collect(1)
    stranger.execute(watched.target, "DROP TABLE pumpswap_collected_tables", "DELETE FROM ohlcv_data")
    watched.wait_a_round()
    watched.collect(1)  # into tables that are not ours
    pool_id = f"solana_{watched.world.pool_address(2)}"
    newest = watched.number(f"SELECT max(timestamp) FROM ohlcv_data WHERE pool_id = '{pool_id}'")
    columns = "pool_id, timeframe, timestamp, datetime, open_price, high_price, low_price, close_price, volume_usd"
    stranger.execute(
        watched.target,
        f"INSERT INTO ohlcv_data ({columns}) VALUES ('{pool_id}', '1m', {newest + 600}, '2026-01-01', 1, 1, 1, 1, 1)",
    )
    watched.wait_a_round()
    watched.collect(1)
    query = f"SELECT timestamp, close_price FROM ohlcv_data WHERE pool_id = '{pool_id}' AND timestamp <= {newest}"
    rows = watched.query(query)
    assert len(rows) > 100
    for start, close in rows:
        assert float(close) == pytest.approx(watched.world.price(2, start + 59)), start
