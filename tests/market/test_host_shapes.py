"""The real export in every table shape of the host: the same objects and the same stream as from the CSV files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.market.host_database import HostDatabase
from pumpswap.market.host_export import HostExport
from pumpswap.market.recording import Recording
from pumpswap.model import MarketUpdate, PoolSnapshot
from tests.support.host_tables import create_shape, host_rows, load_export
from tests.support.material import material, requires_material
from tests.support.postgres import fresh_database

pytestmark = [requires_material("real", "host_export"), requires_material("host")]

COLLAPSED = "2Ausg8ScDHmATwzUVavkQC5fmp59CdvXeHgSTFi4gTQL"  # a watched pool with candles and trades


@dataclass(frozen=True)
class Shape:
    engine: str
    tables: str
    enhanced: bool
    delta: bool

    def __str__(self) -> str:
        parts = [
            self.engine,
            self.tables,
            *(("enhanced",) if self.enhanced else ()),
            *(("delta",) if self.delta else ()),
        ]
        return "-".join(parts)

    @property
    def keeps_scores(self) -> bool:
        """Whether the shape has the columns of the host's signals: else a snapshot has no stored score."""
        return self.delta or (self.engine, self.tables) == ("postgresql", "start-up")


SHAPES = [
    Shape(engine, tables, enhanced, delta)
    for engine in ("sqlite", "postgresql")
    for tables, enhanced in (("start-up", False), ("start-up", True), ("alembic", False))
    for delta in (False, True)
]


@dataclass(frozen=True)
class Filled:
    shape: Shape
    url: str
    recording: Recording

    @property
    def host(self) -> HostDatabase:
        return HostDatabase(self.url)


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    shape: Shape = request.param
    file = tmp_path_factory.mktemp("host") / "host.db"
    url = f"sqlite:///{file}" if shape.engine == "sqlite" else fresh_database()
    create_shape(url, shape.tables, shape.enhanced, shape.delta)
    load_export(url)
    return Filled(shape, url, HostDatabase(url).recording())


@pytest.fixture(scope="module")
def export() -> HostExport:
    folder = material("real", "host_export")
    assert folder is not None
    return HostExport(folder)


def same_figures(update: MarketUpdate) -> MarketUpdate:
    """The metrics stay the text of their source, so one writes 0.087 and another 0.0870: compare the numbers."""
    return update if update.snapshot is None else replace(update, snapshot=figures_of(update.snapshot))


def figures_of(snapshot: PoolSnapshot) -> PoolSnapshot:
    return replace(snapshot, metrics={key: Decimal(str(value)) for key, value in snapshot.metrics.items()})


def test_the_stream_is_that_of_the_csv_files_but_for_scores_that_a_shape_cannot_hold(
    filled: Filled, export: HostExport
) -> None:
    expected = [same_figures(update) for update in export.updates()]
    if not filled.shape.keeps_scores:
        expected = [
            update if update.snapshot is None else replace(update, snapshot=replace(update.snapshot, stored_score=None))
            for update in expected
        ]
    assert [same_figures(update) for update in filled.recording.updates()] == expected


def test_counts_and_assumptions_are_those_of_the_csv_files_and_what_was_found_out(
    filled: Filled, export: HostExport
) -> None:
    assert filled.recording.counts == export.counts
    assert filled.recording.skipped == ()
    found = filled.recording.assumptions[len(export.assumptions) :]
    assert filled.recording.assumptions[: len(export.assumptions)] == export.assumptions
    # The server of the tests is not in the zone of the one that the export came from.
    zoned = (filled.shape.engine, filled.shape.tables) == ("postgresql", "start-up")
    (told,) = found
    assert ("6 hours too late" in told) if zoned else ("without a zone are read as UTC" in told)


def test_snapshots_come_oldest_first_and_of_one_pool_when_asked(filled: Filled, export: HostExport) -> None:
    expected = [figures_of(update.snapshot) for update in export.updates() if update.snapshot]
    expected = [one if filled.shape.keeps_scores else replace(one, stored_score=None) for one in expected]
    found = [figures_of(one) for one in filled.host.snapshots()]
    assert [one.at_ns for one in found] == sorted(one.at_ns for one in found)
    assert {(one.at_ns, one.pool): one for one in found} == {(one.at_ns, one.pool): one for one in expected}
    (one,) = filled.host.snapshots(f"solana_{COLLAPSED}")
    assert one.pool == COLLAPSED
    assert [one] == list(filled.host.snapshots(COLLAPSED))


def test_an_enhanced_table_without_rows_and_a_missing_one_read_alike(filled: Filled) -> None:
    assert list(filled.host.snapshots(enhanced=True)) == []


def test_the_history_of_a_pool_has_the_keys_and_figures_of_the_host(filled: Filled) -> None:
    (row,) = [row for row in host_rows("new_pools_history") if row["address"] == COLLAPSED]
    at_ns = parse_utc(row["collected_at"])
    (entry,) = filled.host.pool_history(f"solana_{COLLAPSED}", at_ns)
    collected = entry.pop("collected_at")
    assert isinstance(collected, datetime)
    assert collected == datetime.fromisoformat(row["collected_at"])
    assert entry == {key: Decimal(row[key]) for key in entry}
    assert list(entry) == [
        "volume_usd_h24",
        "reserve_in_usd",
        "price_change_percentage_h1",
        "price_change_percentage_h24",
        "transactions_h1_buys",
        "transactions_h1_sells",
        "transactions_h24_buys",
        "transactions_h24_sells",
    ]
    assert filled.host.pool_history(f"solana_{COLLAPSED}", at_ns + 1) == []


def test_all_pools_are_read_with_their_mint_or_the_reason_why_not(filled: Filled) -> None:
    rows = {row["id"]: row for row in host_rows("pools")}
    watched = {row["pool_id"]: row["network_address"] for row in host_rows("watchlist")}
    pools = list(filled.host.pools())
    assert len(pools) == len(rows) == 4_850
    assert [pool.pool_id for pool in pools if pool.address.startswith("solana_")] == []
    assert sum(rows[pool.pool_id]["address"].startswith("solana_") for pool in pools) == 136
    for pool in pools:
        row = rows[pool.pool_id]
        assert pool.address == row["address"].removeprefix("solana_")
        assert (pool.dex, pool.name, pool.network) == (row["dex_id"], row["name"], "solana")
        assert pool.reserve_usd == (Decimal(row["reserve_usd"]) if row["reserve_usd"] else None)
        assert pool.created_ns == (parse_utc(row["created_at"]) if row["created_at"] else None)
        assert pool.stored_pair is None
        assert pool.pair_address == (pool.address if pool.dex == "pumpswap" else None)
    unstated = {pool.pool_id: pool.base_mint for pool in pools if not rows[pool.pool_id]["base_token_id"]}
    assert len(unstated) == 137
    told = {key: mint for key, mint in unstated.items() if mint is not None}
    seen = {row["pool_id"]: row["base_token_id"] for row in host_rows("new_pools_history") if row["base_token_id"]}
    assert told == {key: seen.get(key) or watched[key] for key in told}
    assert len(told) == 137 - sum(pool.obstacle == "the mint of the pool is not known" for pool in pools)
    assert told["solana_F5vAiFCP82RQetoxK7ax4dNQCwqk2yez6aisAbFPenJ2"].startswith("4Ds7cxJ")  # from the watchlist


def test_trades_of_a_pool_have_the_price_per_token_and_the_true_time(filled: Filled, export: HostExport) -> None:
    expected = [update.swap for update in export.updates() if update.swap and update.pool == COLLAPSED]
    trades = filled.host.trades(f"solana_{COLLAPSED}")
    assert [trade.swap for trade in trades] == expected
    assert len(trades) == 46
    sides = {trade.swap.is_buy for trade in trades}
    assert sides == {True, False}
    for trade in trades:
        assert 200 < trade.sol_usd < 260  # whichever of the two was paid
        assert trade.token_usd < 1


def test_candles_of_every_length_are_read(filled: Filled) -> None:
    rows = [row for row in host_rows("ohlcv_data") if row["pool_id"] == f"solana_{COLLAPSED}"]
    for timeframe, seconds in (("1m", 60), ("1h", 3_600), ("1d", 86_400)):
        wanted = sorted((row for row in rows if row["timeframe"] == timeframe), key=lambda row: int(row["timestamp"]))
        host = filled.host
        candles = list(host.candles(COLLAPSED, timeframe))
        assert host.skipped == ()
        assert [candle.start_ns for candle in candles] == [int(row["timestamp"]) * NS_PER_SECOND for row in wanted]
        for candle, row in zip(candles, wanted, strict=True):
            assert (candle.pool, candle.timeframe) == (COLLAPSED, timeframe)
            assert candle.known_ns - candle.start_ns == seconds * NS_PER_SECOND
            assert candle.open_usd == Decimal(row["open_price"])
            assert candle.high_usd == Decimal(row["high_price"])
            assert candle.low_usd == Decimal(row["low_price"])
            assert candle.close_usd == Decimal(row["close_price"])
            assert candle.volume_usd == Decimal(row["volume_usd"])


def test_in_the_zone_of_its_own_server_a_trade_needs_no_correction(export: HostExport) -> None:
    url = fresh_database()
    create_shape(url, "start-up")
    load_export(url)
    with psycopg.connect(url, autocommit=True) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(f"ALTER DATABASE {name} SET TimeZone = 'America/Denver'")  # type: ignore[call-overload]
    recording = HostDatabase(url).recording()
    assert recording.assumptions == export.assumptions
    assert [same_figures(update) for update in recording.updates()] == [same_figures(u) for u in export.updates()]


def test_reading_leaves_every_row_and_table_as_it_was(filled: Filled) -> None:
    before = tables_of(filled)
    list(filled.host.updates())
    list(filled.host.pools())
    assert tables_of(filled) == before
    assert not any(name.startswith(("pumpswap", "q50")) for name in before)


def tables_of(filled: Filled) -> dict[str, int]:
    """Tables of the database with their numbers of rows, and of a file all of its bytes."""
    if filled.shape.engine == "sqlite":
        path = Path(filled.url.removeprefix("sqlite:///"))
        assert [one.name for one in path.parent.iterdir()] == [path.name]
        return {"bytes": hash(path.read_bytes())}
    with psycopg.connect(filled.url) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        ]
        return {
            name: (connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,))[0]  # type: ignore[call-overload]
            for name in names
        }
