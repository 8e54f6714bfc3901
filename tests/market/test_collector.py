"""The collector: everything once, whatever the service does and whenever it is ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, StorageError
from pumpswap.market.collect_plan import candles_needed, next_cycle, plan_of, retry_at
from pumpswap.market.collector import Collector
from pumpswap.market.host_database import HostDatabase
from pumpswap.model.collected import Cycle
from pumpswap.settings import CollectSettings
from tests.market.collecting import HOUR_SECONDS, Watched
from tests.storage import stranger
from tests.support.gecko_server import (
    Answer,
    GeckoServer,
    Reply,
    Request,
    changed,
    cut,
    dropped,
    limited,
    packed,
    status,
    web_page,
)
from tests.support.gecko_world import START, GeckoWorld
from tests.support.material import requires_material
from tests.support.postgres import fresh_database

ONE_DEX = ("pumpswap",)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with GeckoServer(GeckoWorld(pool_count=6, dexes=ONE_DEX, traded_seconds=7_200)) as server:
        yield Watched(server, tmp_path / "collected.sqlite")


def told_trades(world: GeckoWorld, number: int, until: int) -> set[str]:
    """Transactions of all trades of USD 100 and more that the service has told until then, asked from START on."""
    moments = range((START - world.traded_seconds) // 97 + 1, until // 97 + 1)
    told = (world.trade(number, one)["attributes"] for one in moments)
    return {one["tx_hash"] for one in told if float(one["volume_in_usd"]) >= 100}


def stored_trades(watched: Watched, number: int) -> list[str]:
    pool_id = f"solana_{watched.world.pool_address(number)}"
    return [one for (one,) in watched.query(f"SELECT tx_hash FROM trades WHERE pool_id = '{pool_id}'")]


def check_everything(watched: Watched, cycles: int) -> None:
    """Snapshots, trades and candles of all pools are there once, and none is missing.

    What happened while a request waited, after its round had begun, may be there or not.
    """
    world, pools = watched.world, watched.world.pool_count
    ended = watched.clock.now_ns() // NS_PER_SECOND
    assert watched.number("SELECT count(*) FROM pools") == pools
    assert watched.number("SELECT count(*) FROM new_pools_history") == pools * cycles
    for number in range(pools):
        stored = stored_trades(watched, number)
        assert len(stored) == len({*stored}), number
        certain = told_trades(world, number, START + (cycles - 1) * HOUR_SECONDS)
        first_ones = {*sorted(certain)} - {*stored}
        assert len(first_ones) <= 6, number  # older than what the first answer told, where that came late
        assert {*stored} <= told_trades(world, number, ended), number
        query = f"SELECT timestamp FROM ohlcv_data WHERE pool_id = 'solana_{world.pool_address(number)}'"
        starts = [one for (one,) in watched.query(f"{query} ORDER BY timestamp")]
        first, last = START - world.traded_seconds, START + (cycles - 1) * HOUR_SECONDS
        wanted = [one for one in range(-(-first // 60) * 60, ended + 1, 60) if (one // 60) % world.gap_every]
        at_first = wanted.index(starts[0])
        assert starts == wanted[at_first : at_first + len(starts)], number
        assert starts[0] <= first + 600, number
        assert starts[-1] >= last - 60 * 2, number


def test_a_round_stores_the_new_pools_of_the_wanted_exchanges(tmp_path: Path) -> None:
    with GeckoServer(GeckoWorld(pool_count=60)) as server:
        watched = Watched(server, tmp_path / "collected.sqlite", {"timeframes": ()}, min_score=100.0)
        tally = watched.collect(1)
    pumpswap = [one for one in range(60) if server.world.dex(one) == "pumpswap"]
    assert (tally.new_pools, tally.snapshots, tally.other_dexes) == (len(pumpswap), len(pumpswap), 60 - len(pumpswap))
    stored = {one for (one,) in watched.query("SELECT address FROM pools")}
    assert stored == {server.world.pool_address(one) for one in pumpswap}
    assert watched.query("SELECT id, name, network FROM dexes") == [("pumpswap", "Pumpswap", "solana")]
    assert watched.number("SELECT count(*) FROM tokens") == len(pumpswap) + 1


def test_known_pools_are_followed_and_nothing_is_doubled_or_lost(watched: Watched) -> None:
    tally = watched.collect(4)
    check_everything(watched, 4)
    assert (tally.cycles, tally.errors, tally.refused, tally.skipped) == (4, 0, 0, 0)
    assert tally.snapshots == 24
    assert tally.trades == watched.number("SELECT count(*) FROM trades")
    assert tally.candles == watched.number("SELECT count(*) FROM ohlcv_data")
    assert watched.query("SELECT run_count, error_count FROM collection_metadata") == [(4, 0)]


def test_pools_that_have_left_the_list_are_asked_for_thirty_at_a_time(watched: Watched) -> None:
    watched.changes = {"timeframes": (), "pages": 1}
    watched.min_score = 100.0
    watched.collect(1)
    watched.wait_a_round()
    watched.server.script("new_pools", *[changed(lambda told: told | {"data": [], "included": []})] * 2)
    watched.collect(3)
    assert sum(path.startswith("pools/multi/") for path in watched.server.paths()) == 2
    assert watched.number("SELECT count(*) FROM new_pools_history") == 24


def test_a_service_without_answers_for_several_pools_is_asked_one_by_one(watched: Watched) -> None:
    watched.changes = {"timeframes": ()}
    watched.collect(1)
    watched.server.always("new_pools", changed(lambda told: told | {"data": []}))
    watched.server.always("pools/multi", status(404, "Not Found"))
    watched.wait_a_round()
    watched.collect(1)
    check = "SELECT count(*), count(DISTINCT pool_id) FROM new_pools_history"
    assert watched.query(check) == [(12, 6)]


FAULTS: list[Answer] = [
    limited("3"),
    limited(),
    status(500),
    status(503),
    cut(0.7),
    cut(0.4, honest_length=False),
    dropped(),
    web_page(),
    packed(),
]


def faulty(seed: int, share: float) -> Answer:
    """Some requests fail in one of the ways in which services fail."""
    random = Random(seed)

    def answer(request: Request, right: Reply) -> Reply:
        if random.random() >= share:
            return right
        fault = random.choice(FAULTS)
        return fault if isinstance(fault, Reply) else fault(request, right)

    return answer


@pytest.mark.parametrize("seed", [2])
def test_faults_of_the_service_lose_nothing_and_double_nothing(watched: Watched, seed: int) -> None:
    watched.changes = {"max_retries": 8}
    watched.server.always("", faulty(seed, 0.35))
    tally = watched.collect(4)
    assert tally.errors == 0
    assert len(watched.server.seen) > 60  # about fifty of them are right
    check_everything(watched, 4)


def test_what_fails_for_good_is_noted_and_done_later(watched: Watched) -> None:
    """Trades cannot be had for two rounds: the third stores those of all three, as long as the service tells them."""
    watched.changes = {"max_retries": 0}
    watched.server.always("pools", changed(lambda _told: {"error": "maintenance"}))
    watched.server.always("new_pools", changed(lambda told: told))
    first = watched.collect(2)
    assert first.errors > 0
    assert first.snapshots == 12
    assert (first.trades, first.candles) == (0, 0)
    assert watched.number("SELECT error_count FROM collection_metadata") == first.errors
    assert any("the service does not answer" in note for note in watched.notes)
    watched.server.always("pools", changed(lambda told: told))
    watched.collect(1)
    for number in range(watched.world.pool_count):
        told = watched.world.trades(number)["data"]
        known = [one["attributes"]["tx_hash"] for one in told if float(one["attributes"]["volume_in_usd"]) >= 100]
        assert sorted(stored_trades(watched, number)) == sorted(known)


def test_an_element_that_changed_its_form_does_not_keep_the_others_out(watched: Watched) -> None:
    def edit(told: Any) -> None:
        if not told["data"]:
            return
        told["data"][0]["attributes"]["reserve_in_usd"] = {"usd": 5}
        told["data"][1]["relationships"] = None
        told["data"][2]["attributes"]["new_field"] = 1

    watched.changes = {"timeframes": ()}
    watched.server.always("new_pools", changed(edit))
    tally = watched.collect(1)
    assert 4 <= tally.snapshots <= 5
    assert tally.refused == 6 - tally.snapshots
    assert len(watched.notes) == tally.refused
    watched.collect(1)
    assert watched.number("SELECT count(*) FROM pools") == tally.snapshots


def test_a_pool_that_the_service_does_not_know_any_more_is_given_up(watched: Watched) -> None:
    watched.changes = {"timeframes": ()}
    watched.collect(1)
    watched.server.always("new_pools", changed(lambda told: told | {"data": []}))
    gone = watched.world.pool_address(3)
    watched.server.always("pools/multi", changed(lambda told: _without(told, gone)))
    watched.server.always(f"pools/{gone}", status(404, "Not Found"))
    watched.wait_a_round()
    watched.collect(8)
    row = watched.query(
        f"SELECT snapshot_due_ns, failures, last_error FROM pumpswap_collect_pools WHERE address = '{gone}'"
    )
    assert row[0][0] is None
    assert "missing" in row[0][2] or "404" in row[0][2]
    assert watched.number("SELECT count(*) FROM new_pools_history") == 1 + 5 * 9
    assert any("given up" in note for note in watched.notes)


def _without(told: Any, address: str) -> Any:
    told["data"] = [one for one in told["data"] if one["attributes"]["address"] != address]
    return told


def after(units: int) -> Callable[[Collector], bool]:
    """True once so many units have begun."""
    left = iter(range(units))
    return lambda _collector: next(left, None) is None


@pytest.mark.parametrize("seed", range(2))
def test_whenever_it_is_ended_it_goes_on_where_it_was(watched: Watched, seed: int) -> None:
    """Ended after a random number of units, again and again: the result is that of one long run."""
    random, done = Random(seed), 0
    while done < 3:
        tally = watched.collect(3 - done, after(random.randrange(1, 25)))
        done += tally.cycles
        if tally.cycles and done < 3:
            next_ns = (
                watched.query("SELECT started_ns FROM pumpswap_collect_cycles")[0][0] + HOUR_SECONDS * NS_PER_SECOND
            )
            if watched.query("SELECT finished_ns FROM pumpswap_collect_cycles")[0][0] is not None:
                watched.clock.advance_to(next_ns)
                watched.world.at_seconds = watched.clock.now_ns() // NS_PER_SECOND
    check_everything(watched, 3)


def test_a_round_leaves_to_the_next_what_it_has_no_time_for_and_the_last_does_all(watched: Watched) -> None:
    """One request takes a second here, and a round should begin every five."""
    watched.changes = {"requests_per_minute": 60, "interval_seconds": 5, "follow_seconds": 3_600, "pages": 1}
    watched.collect(1)
    assert watched.number("SELECT count(DISTINCT pool_id) FROM trades") == 6  # thirteen requests
    watched.wait_a_round()
    watched.clock.advance_to(watched.clock.now_ns() + HOUR_SECONDS * NS_PER_SECOND)
    requests = len(watched.server.seen)
    watched.collect(2, after(10))
    hurried = watched.server.paths()[requests:]
    assert hurried.count("new_pools") == 2
    assert 0 < hurried.index("new_pools", 1) < 9
    assert any(path.endswith("/trades") for path in hurried[: hurried.index("new_pools", 1)])


def test_on_a_server_it_is_the_same(watched: Watched) -> None:
    watched.target = fresh_database()
    tally = watched.collect(2)
    check_everything(watched, 2)
    assert tally.errors == 0


def test_candles_of_a_long_pause_are_all_fetched(watched: Watched) -> None:
    watched.world.traded_seconds = 3 * 86_400
    watched.changes = {"pages": 1}
    watched.collect(1)
    before = watched.number("SELECT max(timestamp) FROM ohlcv_data")
    watched.clock.advance_to(watched.clock.now_ns() + 40 * HOUR_SECONDS * NS_PER_SECOND)
    watched.world.at_seconds = watched.clock.now_ns() // NS_PER_SECOND
    watched.collect(1)
    now = watched.world.at_seconds
    wanted = [one for one in range(before + 60, now + 1, 60) if (one // 60) % watched.world.gap_every]
    pool_id = f"solana_{watched.world.pool_address(4)}"
    query = f"SELECT timestamp FROM ohlcv_data WHERE pool_id = '{pool_id}' AND timestamp > {before} ORDER BY timestamp"
    assert [one for (one,) in watched.query(query)] == wanted


def test_a_database_that_refuses_everything_ends_the_run(watched: Watched) -> None:
    watched.collect(1)
    trigger = "CREATE TRIGGER no BEFORE INSERT ON {} BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END"
    stranger.execute(
        watched.target,
        *(
            trigger.format(f"{one}").replace(" no ", f" no_{one} ")
            for one in ("trades", "ohlcv_data", "new_pools_history")
        ),
    )
    with pytest.raises(StorageError, match="the disk is gone"):
        watched.collect(3)


@requires_material("real", "gecko")
def test_the_real_answers_are_stored_as_they_are(tmp_path: Path) -> None:
    with GeckoServer(recorded=True) as server:
        watched = Watched(server, tmp_path / "collected.sqlite", {"dexes": (), "timeframes": ("1m", "1h", "1d")})
        watched.clock.advance_to(1_791_473_600 * NS_PER_SECOND)
        first = watched.collect(1)
        second = watched.collect(2)
    assert (first.new_pools, first.snapshots) == (3, 3)
    assert first.refused == second.refused == 0
    # The same hundred trades and candles of the recordings for each of the three pools, however often they are told.
    assert second.trades == second.new_pools == 0
    reader = HostDatabase(watched.target)
    assert len(list(reader.pools())) == 3
    assert {snapshot.dex for snapshot in reader.snapshots()} == {"meteora-dbc", "meteora-damm-v2"}
    pool_ids = {pool.pool_id for pool in reader.pools()}
    by_pool = dict(watched.query("SELECT pool_id, count(*) FROM trades GROUP BY pool_id"))
    assert set(by_pool) <= pool_ids
    assert set(watched.query("SELECT timeframe, count(*) FROM ohlcv_data GROUP BY pool_id, timeframe")) == {
        ("1m", 10),
        ("1h", 99),
        ("1d", 131),
    }


def test_the_next_round_is_the_interrupted_one_or_a_new_one() -> None:
    minute = 60 * NS_PER_SECOND
    assert next_cycle(None, "solana", 5, minute) == Cycle("solana", 1, 5)
    interrupted = Cycle("solana", 7, 1_000 * minute, 3)
    assert next_cycle(interrupted, "solana", 1_000 * minute + minute - 1, minute) is interrupted
    assert next_cycle(interrupted, "solana", 1_001 * minute, minute) == Cycle("solana", 8, 1_001 * minute)
    finished = Cycle("solana", 7, 1_000 * minute, 4, 1_000 * minute + 5)
    assert next_cycle(finished, "solana", 1_000 * minute + 6, minute) == Cycle("solana", 8, 1_000 * minute + 6)
    assert next_cycle(interrupted, "solana", 999 * minute, minute).number == 8  # a clock that was set back


@pytest.mark.parametrize(
    ("newest", "seconds_later", "wanted"), [(None, 0, 1_000), (600, 0, 1), (600, 59, 1), (600, 60, 2), (600, 3_600, 61)]
)
def test_candles_are_asked_for_from_the_newest_stored_one_on(
    newest: int | None, seconds_later: int, wanted: int
) -> None:
    assert candles_needed(newest, "1m", (600 + seconds_later) * NS_PER_SECOND) == wanted


def test_only_refusals_give_a_pool_up() -> None:
    assert retry_at(10, 5, 4, is_refused=True) == 15
    assert retry_at(10, 5, 5, is_refused=True) is None
    assert retry_at(10, 5, 500, is_refused=False) == 15


def test_an_unknown_length_of_candles_is_an_error_of_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"collect\.timeframes: '2m'"):
        plan_of(CollectSettings(timeframes=("1m", "2m")))
