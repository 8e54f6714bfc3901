"""Rows in a host's own tables, in every shape that is in the field: complete, right, once, and nothing else changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import StorageError
from pumpswap.market.host_database import HostDatabase
from pumpswap.storage.collected import open_collected
from pumpswap.storage.collected.cursors import Due
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from tests.storage.collected.worlds import AT, HOUR, POOL, candle, cycle, pool, rule, seen, trade
from tests.storage.host.conftest import COMBINATIONS, Combination
from tests.storage.host.hosts import at, roles
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.host_tables import create_shape, run_script
from tests.support.material import requires_material
from tests.support.postgres import fresh_database

pytestmark = requires_material("host")

POOL_ID = f"solana_{POOL}"


FEW = [one for one in COMBINATIONS if not one.enhanced and one.delta == (one.engine == "postgresql")]


@pytest.fixture(scope="session")
def empty_hosts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Combination], str]:
    made: dict[Combination, str] = {}

    def template(of: Combination) -> str:
        if of not in made:
            file = tmp_path_factory.mktemp("empty") / "host.sqlite"
            made[of] = f"sqlite:///{file}" if of.engine == "sqlite" else fresh_database()
            create_shape(made[of], of.shape, of.enhanced, of.delta)
        return made[of]

    return template


def _copy(template: str, folder: Path) -> str:
    if not template.startswith("sqlite"):
        return fresh_database(template)
    shutil.copy(template.removeprefix("sqlite:///"), folder / "host.sqlite")
    return f"sqlite:///{folder / 'host.sqlite'}"


@pytest.fixture(params=COMBINATIONS, ids=str)
def any_host(request: pytest.FixtureRequest, empty_hosts: Callable[[Combination], str], tmp_path: Path) -> str:
    """An empty host of each shape that is in the field."""
    return _copy(empty_hosts(request.param), tmp_path)


@pytest.fixture(params=FEW, ids=str)
def host(request: pytest.FixtureRequest, empty_hosts: Callable[[Combination], str], tmp_path: Path) -> str:
    """One of each engine and shape."""
    return _copy(empty_hosts(request.param), tmp_path)


def one(url: str, query: str) -> tuple[object, ...]:
    with connect(url) as connection:
        (row,) = connection.execute(query).fetchall()
    return tuple(row)


def count(url: str, table: str) -> int:
    (number,) = one(url, f"SELECT count(*) FROM {table}")
    return int(str(number))


def types(url: str, table: str) -> dict[str, str]:
    """Columns and their types."""
    with connect(url) as connection:
        if url.startswith("sqlite"):
            return {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall()}
        query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
        return dict(connection.execute(query, (table,)).fetchall())


def without_ours(url: str) -> dict[str, list[tuple[object, ...]]]:
    """The schema of the database but for what is named after this program."""
    return {
        kind: [one for one in found if not any("pumpswap" in str(word) or "q50_" in str(word) for word in one)]
        for kind, found in host_image.schema(url).items()
    }


def test_everything_is_stored_once_and_read_back_by_the_reader_of_hosts(any_host: str) -> None:
    with open_collected(any_host, AT) as market:
        assert not market.place.is_own
        assert market.place.left_out == {}
        results = []
        for _ in range(2):  # the second time changes nothing: the same answers in the same round
            results.append(market.save_pools([pool()], cycle(), rule()))
            market.save_candles(POOL_ID, [candle(0), candle(1)], AT, AT + HOUR)
            market.save_trades(POOL_ID, [trade(1), trade(2)], AT, AT + HOUR)
        assert [(one.new, one.known, one.snapshots, one.watched) for one in results] == [(1, 0, 1, 1), (0, 1, 0, 0)]
        assert market.cut == {}
    tables = {"dexes": 1, "tokens": 2, "pools": 1, "watchlist": 1, "ohlcv_data": 2, "trades": 2, "new_pools_history": 1}
    assert {table: count(any_host, table) for table in tables} == tables
    reader = HostDatabase(any_host)
    (found,) = reader.pools()
    assert (found.pool_id, found.base_mint, found.dex, found.obstacle) == (POOL_ID, pool().base.address, "pumpswap", "")  # type: ignore[union-attr]
    assert found.created_ns == parse_utc("2026-10-08T13:28:26Z")
    (snapshot,) = reader.snapshots()
    assert (snapshot.pool_id, snapshot.at_ns, snapshot.name) == (POOL_ID, AT, "Gary / SOL")
    assert snapshot.reserve_usd == Decimal("73520.3799")
    assert abs(snapshot.base_price_usd - Decimal("0.0006869044")) < Decimal("1e-10")  # type: ignore[operator]
    assert [str(snapshot.metrics[f"transactions_{one}"]) for one in ("h1_buys", "h24_sells")] == ["4160", "5086"]
    candles = list(reader.candles(POOL))
    assert [candle.start_ns // NS_PER_SECOND for candle in candles] == [1_791_471_600, 1_791_471_660]
    assert [candle.close_usd for candle in candles] == [Decimal("0.0007")] * 2
    trades = reader.trades(POOL)
    assert [one.swap.at_ns for one in trades] == [1_791_473_548 * NS_PER_SECOND] * 2
    assert reader.skipped == ()


def test_the_score_is_stored_where_there_are_columns_for_it(host: str) -> None:
    with open_collected(host, AT) as market:
        seen(market)
    with connect(host) as connection:
        if "signal_score" not in types(host, "new_pools_history"):
            return
        query = "SELECT signal_score, volume_trend, momentum_indicator, activity_score FROM new_pools_history"
        assert [(float(a), b, float(c), float(d)) for a, b, c, d in connection.execute(query).fetchall()] == [
            (80.0, "unknown", 169.9456, 100.0)
        ]


def test_times_are_the_same_moment_whatever_zone_the_database_shows(host: str) -> None:
    with open_collected(host, AT) as market:
        seen(market)
        market.save_trades(POOL_ID, [trade(1)], AT, AT + HOUR)
    moments = {
        ("new_pools_history", "collected_at"): AT // 1_000_000,
        ("pools", "created_at"): parse_utc("2026-10-08T13:28:26Z") // 1_000_000,
        ("pools", "last_updated"): AT // 1_000_000,
        ("dexes", "last_updated"): AT // 1_000_000,
        ("trades", "block_timestamp"): 1_791_473_548_000,
    }
    for (table, column), milliseconds in moments.items():
        if host.startswith("sqlite"):
            query = f"SELECT CAST(round((julianday({column}) - 2440587.5) * 86400000) AS INTEGER) FROM {table}"
        else:
            query = f"SELECT CAST(extract(epoch FROM {column}) * 1000 AS BIGINT) FROM {table}"
        assert one(host, query) == (milliseconds,), (table, column)


@pytest.mark.parametrize("of_host", [0, 40])
def test_our_trades_beside_those_of_the_host_are_read_right_in_any_zone(host: str, of_host: int) -> None:
    """The host labels the UTC wall clock with its database's zone; we label a moment as what it is."""
    if not host.startswith("sqlite"):
        run_script(host, f"ALTER DATABASE {host.partition('?')[0].rpartition('/')[2]} SET timezone TO 'America/Denver'")
    with open_collected(host, AT) as market:
        seen(market)
        market.save_trades(POOL_ID, [trade(1), trade(2)], AT, AT + HOUR)
    rows = [
        f"INSERT INTO trades (id, pool_id, block_number, tx_hash, from_token_amount, to_token_amount, price_usd,"
        f" volume_usd, side, block_timestamp) VALUES ('solana_45458{number}_h{number}_60_1791473563', '{POOL_ID}',"
        f" 45458{number}, 'h{number}', 2.5, 396182.25, 109.25, 273.13, 'buy', '2026-10-08 15:32:28');"
        for number in range(of_host)
    ]
    run_script(host, " ".join(rows) or "SELECT 1;")
    trades = HostDatabase(host).trades(POOL)
    assert {one.swap.at_ns for one in trades} == {1_791_473_548 * NS_PER_SECOND}
    assert len(trades) == 2 + of_host


def test_the_tables_of_the_host_are_never_changed(any_host: str) -> None:
    before = without_ours(any_host)
    with open_collected(any_host, AT) as market:
        seen(market)
    assert without_ours(any_host) == before


def test_an_attached_host_can_be_collected_into_and_detached(host: str, tmp_path: Path) -> None:
    before = host_image.schema(host)
    attach(host, 1)
    with open_collected(host, AT) as market:
        seen(market)
    assert one(host, "SELECT pumpswap_pair_address FROM pools") == (POOL,)
    detach(host, tmp_path / "export", 3)
    assert host_image.schema(host) == before
    assert count(host, "pools") == count(host, "new_pools_history") == 1


def test_rows_of_the_host_beside_ours_still_go_in(host: str) -> None:
    with open_collected(host, AT) as market:
        seen(market)
        market.save_candles(POOL_ID, [candle(0)], AT, None)
    sqlite_ids = "SELECT coalesce(max(id), 0) + 1 FROM ohlcv_data"
    needs_id = host.startswith("sqlite") and types(host, "ohlcv_data")["id"] == "BIGINT"
    names, values = (", id", f", ({sqlite_ids})") if needs_id else ("", "")
    run_script(
        host,
        f"INSERT INTO ohlcv_data (pool_id, timeframe, timestamp, datetime, open_price, high_price, low_price,"
        f" close_price, volume_usd{names}) VALUES ('{POOL_ID}', '1h', 1791471600, '2026-10-08 15:00:00', 1, 1, 1, 1, 1"
        f"{values});",
    )
    with open_collected(host, AT) as market:
        market.save_candles(POOL_ID, [candle(1)], AT, None)
    assert count(host, "ohlcv_data") == 3


def test_a_known_pool_of_the_host_keeps_its_id_and_gets_what_it_lacked(host: str) -> None:
    run_script(
        host,
        "INSERT INTO dexes (id, name, network) VALUES ('pumpswap', 'Pumpswap', 'solana');"
        f"INSERT INTO pools (id, address, dex_id) VALUES ('{POOL}', '{POOL}', 'pumpswap');"
        f"INSERT INTO tokens (id, address, network) VALUES ('solana_{pool().base.address}', '{pool().base.address}',"  # type: ignore[union-attr]
        " 'solana');",
    )
    with open_collected(host, AT) as market:
        result = market.save_pools([pool()], cycle(), rule())
    assert (result.new, result.known) == (0, 1)
    assert one(host, "SELECT id, name, base_token_id FROM pools") == (
        POOL,
        "Gary / SOL",
        f"solana_{pool().base.address}",  # type: ignore[union-attr]
    )
    assert one(host, "SELECT name FROM dexes") == ("Pumpswap",)
    assert count(host, "tokens") == 2
    assert one(host, "SELECT pool_id FROM new_pools_history") == (POOL,)


def test_a_figure_too_large_for_its_column_is_left_out_and_said(host: str) -> None:
    with open_collected(host, AT) as market:
        seen(market, pool(fdv_usd=Decimal(10) ** 40, name="x" * 300))
        cut = market.cut
    assert count(host, "new_pools_history") == 1
    assert cut["pools.name"] == 1
    if not host.startswith("sqlite"):
        assert cut["new_pools_history.fdv_usd"] == 1
        assert one(host, "SELECT fdv_usd FROM new_pools_history") == (None,)


def test_a_pool_that_does_not_fit_does_not_keep_the_others_out(host: str) -> None:
    other = "472TnbpaaWQoaAgovkXmLXuTD9pkH65Bbmgt7HjVtN6B"
    with open_collected(host, AT) as market:
        result = market.save_pools([pool("x" * 120), pool(other)], cycle(), rule())
    assert [one.what for one in result.skipped] == [f"solana_{'x' * 120}"]
    assert "characters" in result.skipped[0].reason
    assert (result.new, result.snapshots) == (1, 1)


def test_what_the_owner_watches_is_followed(host: str) -> None:
    with open_collected(host, AT) as market:
        market.save_pools([pool()], cycle(), rule(10.0))  # too low for candles and trades
        assert market.due("solana", Due.TRADES, AT + HOUR, 10) == []
        names, values = (", id", ", 5") if host.startswith("sqlite") else ("", "")
        truth = "1" if host.startswith("sqlite") else "TRUE"
        run_script(host, f"INSERT INTO watchlist (pool_id, is_active{names}) VALUES ('{POOL_ID}', {truth}{values});")
        market.begin_cycle(replace(cycle(2), started_ns=AT + HOUR))
        assert [one.pool_id for one in market.due("solana", Due.TRADES, AT + HOUR, 10)] == [POOL_ID]
        late = AT + 1_000 * HOUR
        market.save_pools([pool(at_ns=late)], cycle(3, late), rule(10.0))
        assert market.counts("solana") == (1, 1)  # it is followed for as long as it is watched
        run_script(host, f"UPDATE watchlist SET is_active = {'0' if truth == '1' else 'FALSE'}")
        market.begin_cycle(cycle(4, late + HOUR))
        market.save_pools([pool(at_ns=late + HOUR)], cycle(4, late + HOUR), rule(10.0))
        assert market.counts("solana") == (1, 0)


def test_a_host_without_snapshots_is_refused_and_left_alone(host: str) -> None:
    run_script(host, "DROP TABLE new_pools_history")
    before = host_image.schema(host)
    with pytest.raises(StorageError, match="new_pools_history: there is no such table"):
        open_collected(host, AT)
    assert host_image.schema(host) == before


def test_a_host_without_another_table_lacks_that_kind_of_row(host: str) -> None:
    run_script(host, "DROP TABLE trades; DROP TABLE watchlist; DROP TABLE collection_metadata;")
    with open_collected(host, AT) as market:
        assert set(market.place.left_out) == {"trades", "watchlist", "collection_metadata"}
        assert not market.has("trades")
        seen(market)
        market.finish_cycle(cycle(), AT, [])
    assert count(host, "new_pools_history") == 1


def test_runs_and_errors_are_counted_as_the_host_does(host: str) -> None:
    with open_collected(host, AT) as market:
        market.finish_cycle(cycle(), AT, [])
        market.finish_cycle(cycle(2), AT + HOUR, ["first", "the service is down"])
    query = (
        "SELECT collector_type, run_count, error_count, last_error, last_run > last_success FROM collection_metadata"
    )
    assert one(host, query) == ("pumpswap_collect_solana", 2, 2, "the service is down", True)


@pytest.fixture
def server_host(empty_hosts: Callable[[Combination], str], tmp_path: Path) -> str:
    return _copy(empty_hosts(Combination("postgresql", "start-up", enhanced=False, delta=False)), tmp_path)


def test_a_login_that_may_not_is_told_so_and_nothing_is_changed(server_host: str) -> None:
    _, other = roles(server_host)
    run_script(server_host, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {other};")
    before = host_image.schema(server_host)
    with pytest.raises(StorageError, match=r"needs a right that this login does not have"):
        open_collected(at(server_host, other), AT)
    assert host_image.schema(server_host) == before


def test_a_lock_of_somebody_else_delays_and_loses_nothing(server_host: str) -> None:
    with open_collected(server_host, AT, lock_ms=200) as market:
        seen(market)
        with connect(server_host) as busy:
            busy.execute("UPDATE pools SET name = 'Gary'")
            with pytest.raises(StorageError, match="lock timeout"):
                market.save_pools([pool(at_ns=AT + HOUR)], cycle(2, AT + HOUR), rule())
        market.save_pools([pool(at_ns=AT + HOUR)], cycle(2, AT + HOUR), rule())
    assert count(server_host, "new_pools_history") == 2


def test_a_column_that_nobody_knows_how_to_fill_is_an_obstacle(server_host: str) -> None:
    run_script(server_host, "ALTER TABLE trades ADD COLUMN venue INTEGER NOT NULL;")
    with open_collected(server_host, AT) as market:
        assert market.place.left_out == {"trades": "its column venue may not be empty, and is not known"}
    run_script(server_host, "ALTER TABLE pools ADD COLUMN venue INTEGER NOT NULL;")
    with pytest.raises(StorageError, match="pools: its column venue may not be empty"):
        open_collected(server_host, AT)
    run_script(server_host, "ALTER TABLE pools ALTER COLUMN venue SET DEFAULT 7;")
    with open_collected(server_host, AT) as market:
        seen(market)
    assert one(server_host, "SELECT venue FROM pools") == (7,)


def test_a_figure_for_a_column_that_may_not_be_empty_keeps_its_row_out(server_host: str) -> None:
    with open_collected(server_host, AT) as market:
        seen(market)
        huge = candle(0, close="1e13", high_usd=Decimal("1e13"))
        new, _, skipped = market.save_candles(POOL_ID, [huge, candle(1)], AT, AT + HOUR)
        assert (new, [one.what for one in skipped]) == (1, [f"candle 1m {huge.start_seconds} of {POOL_ID}"])
        assert "ohlcv_data.high_price may not be empty" in skipped[0].reason
        count, skipped = market.save_trades(POOL_ID, [trade(1, trader="x" * 101), trade(2)], AT, AT + HOUR)
    assert (count, [one.what for one in skipped]) == (1, [f"trade {trade(1).id}"])
