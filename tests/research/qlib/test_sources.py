from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.clock import parse_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.lake import Lake, LakeWriter
from pumpswap.model import PoolSnapshot
from pumpswap.research.qlib.dataset import QlibDataset
from pumpswap.research.qlib.frequency import FREQUENCIES
from pumpswap.research.qlib.observation import FIELDS, Kind, Source
from pumpswap.research.qlib.row_kind import RowKind, useful
from pumpswap.research.qlib.sources import open_source
from tests.market.export_folder import CANDLE, POOL, SNAPSHOT, TIMES, write_csv
from tests.market.host_tables import CANDLE_ROW, SNAPSHOT_ROW, candle, create, seen, write_host
from tests.research.qlib.world import candle as lake_candle
from tests.research.qlib.world import export, f32, read_bin, tree
from tests.support.host_tables import create_shape, insert_rows, load_export
from tests.support.material import material, requires_material
from tests.support.postgres import fresh_database

ENHANCED = SNAPSHOT_ROW | {
    "timestamp": "1759509718",
    "datetime": "2025-10-03 16:00:00+00",
    "open_price_usd": "0.0009",
    "high_price_usd": "0.0002002",
    "low_price_usd": "0.0001998",
    "close_price_usd": "0.0002",
    "fdv_usd": "123456.5",
    "relative_strength_index": "61.5",
    "qlib_symbol": "CAT_SOL_SOLANA",
    "data_quality_score": "50",
}
del ENHANCED["base_token_price_usd"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'host.db'}" if request.param == "sqlite" else fresh_database()


def exported(source: Source, out: Path) -> dict[str, list[float | None]]:
    """The only symbol's values by field."""
    export(source, out)  # type: ignore[arg-type]
    (folder,) = (out / "features").iterdir()
    return {path.name.partition(".")[0]: read_bin(path)[1] for path in folder.iterdir()}


def test_snapshots_of_a_database_without_an_enhanced_table(url: str, tmp_path: Path) -> None:
    write_host(url, new_pools_history=[seen()], ohlcv_data=[candle()])
    source = open_source(url)
    assert (source.kind, source.has_quality) == (Kind.SNAPSHOTS, False)
    found = exported(source, tmp_path / "d")
    # The minute candle of 16:42 lies in the bar, and its prices were really traded.
    assert (found["open"], found["high"], found["close"]) == ([f32("0.0001")], [f32("0.00012")], [f32("0.00012")])
    assert (found["volume"], found["liquidity"]) == ([f32("1224.2406")], [50_000])
    assert (found["signal"], found["buy_count"], found["return_1h"]) == ([f32("18.7204")], [2], [f32("0.087")])
    assert found["rsi"] == found["fdv"] == [None]


def test_the_enhanced_table_goes_first_and_its_invented_highs_are_not_believed(url: str, tmp_path: Path) -> None:
    write_host(url, new_pools_history=[seen()])
    create(url, "new_pools_history_enhanced", ENHANCED)
    assert open_source(url).has_quality is False  # the table is there, and empty
    low = ENHANCED | {"id": "2", "collected_at": "2025-10-03 16:50:00+00", "data_quality_score": "49.99"}
    unknown = ENHANCED | {"id": "3", "collected_at": "2025-10-03 16:51:00+00", "data_quality_score": ""}
    insert_rows(url, "new_pools_history_enhanced", [ENHANCED, low, unknown])
    found = exported(open_source(url), tmp_path / "d")
    assert {tuple(found[name]) for name in ("open", "high", "low", "close")} == {(f32("0.0002"),)}
    assert (found["rsi"], found["fdv"]) == ([61.5], [123_456.5])
    assert list(QlibDataset(tmp_path / "d", "60min").instruments) == ["CAT_SOL_SOLANA"]
    assert exported(open_source(url, RowKind.SNAPSHOTS), tmp_path / "s")["close"] == [f32("0.0001")]


def test_candles_alone(url: str, tmp_path: Path) -> None:
    write_host(url, new_pools_history=[seen()], ohlcv_data=[candle()])
    found = exported(open_source(url, RowKind.CANDLES), tmp_path / "d")
    assert found == {
        "open": [f32("0.0001")],
        "high": [f32("0.00012")],
        "low": [f32("0.0001")],
        "close": [f32("0.00012")],
        "volume": [17.5],
    }


def test_a_folder_of_tables_with_the_times_a_spreadsheet_lost(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    damaged = SNAPSHOT | {"collected_at": "41:58.5"}
    lost = SNAPSHOT | {"id": "9", "collected_at": "41:58.5"}
    write_csv(folder / "new_pools_history.csv", [damaged, lost], SNAPSHOT)
    write_csv(folder / "new_pools_collected_at.csv", [TIMES], TIMES)
    source = open_source(folder)
    assert exported(source, tmp_path / "d")["close"] == [f32("0.0001")]
    assert [skipped.place for skipped in source.skipped] == ["line 3"]
    assert QlibDataset(tmp_path / "d", "60min").calendar == ["2025-10-03 16:00:00"]
    with pytest.raises(UsageError, match="without an enhanced table"):
        open_source(folder, RowKind.ENHANCED)


def test_a_folder_of_candles_only(tmp_path: Path) -> None:
    whole = CANDLE | {name: CANDLE_ROW[name] for name in ("high_price", "low_price", "volume_usd")}
    write_csv(tmp_path / "ohlcv_data.csv", [whole, whole | {"timeframe": "7m"}], whole)
    source = open_source(tmp_path)
    assert source.kind is Kind.CANDLES
    assert exported(source, tmp_path / "d")["volume"] == [17.5]
    with pytest.raises(NotFound, match="no new_pools_history"):
        open_source(tmp_path, RowKind.SNAPSHOTS)


def test_qlibs_csv_form_in_any_order(tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / f"solana_{POOL}.csv").write_text(
        "datetime,symbol,open,high,low,close,volume\n"
        f"2025-09-19 09:00:00,solana_{POOL},3,3,3,3,30\n"
        f"2025-09-19 07:00:00,solana_{POOL},1,2,1,2,10\n"
    )
    assert exported(open_source(folder), tmp_path / "d")["close"] == [2, None, 3]
    with pytest.raises(UsageError, match="make no shorter bars"):
        export(open_source(folder), tmp_path / "e", freq="5min")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="candles only"):
        open_source(folder, RowKind.SNAPSHOTS)


def test_what_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_source(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="nothing that can be exported"):
        open_source(tmp_path)
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(BadInput, match="no database and no folder"):
        open_source(tmp_path / "a.csv")


@pytest.mark.parametrize("frequency", FREQUENCIES.values(), ids=str)
def test_only_candles_that_fill_a_bar_exactly_are_of_use(frequency: object) -> None:
    seconds: int = frequency.seconds  # type: ignore[attr-defined]
    names = useful(seconds)
    assert all(seconds % TIMEFRAMES[name] == 0 for name in names)
    assert list(names) == sorted(names, key=lambda name: -TIMEFRAMES[name]) and "1m" in names


@requires_material("real", "host_export")
def test_the_real_export_is_the_same_dataset_from_files_and_from_a_database(tmp_path: Path) -> None:
    folder = material("real", "host_export")
    assert folder is not None
    url = f"sqlite:///{tmp_path / 'host.db'}"
    create_shape(url, "alembic")
    load_export(url)
    until = {"end_ns": parse_utc("2025-10-03 13:00")}
    result = export(open_source(folder), tmp_path / "a", **until)  # type: ignore[arg-type]
    export(open_source(url), tmp_path / "b", **until)  # type: ignore[arg-type]
    assert (result.first, result.bars) == ("2025-10-03 10:00:00", 3)
    # This shape has no columns for the scores.
    absent = tuple(f"{name}.60min.bin" for name in ("activity", "volatility", "signal"))
    files, database = (
        {name: raw for name, raw in tree(tmp_path / one).items() if not name.endswith(absent)} for one in "ab"
    )
    assert files == database
    assert len(files) == result.symbols * (len(FIELDS) - 3) + 3


@requires_material("real", "host_export", "qlib_csv")
def test_the_hours_that_are_missing_in_the_hosts_files_are_nan(tmp_path: Path) -> None:
    folder = material("real", "host_export", "qlib_csv")
    assert folder is not None
    export(open_source(folder), tmp_path / "d")  # type: ignore[arg-type]
    name = "solana_2zya4xngcrzaxbxw8zpfnaifwh3xscolo1rb3ffdarmj"
    start, values = read_bin(tmp_path / "d/features" / name / "close.60min.bin")
    calendar = QlibDataset(tmp_path / "d", "60min").calendar
    assert (calendar[start], len(values), values.count(None)) == ("2025-09-19 07:00:00", 216, 25)


def test_candles_of_a_lake_and_its_snapshots(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    at_ns = parse_utc("2025-10-03 10:00")
    with LakeWriter(lake) as writer:
        writer.add("candles", [lake_candle("2025-10-03 10:00", "1 4 1 2"), lake_candle("2025-10-03 12:00", "2 2 2 2")])
        writer.add("candles", [lake_candle("2025-10-03 10:00", "9 9 9 9", timeframe="15m")])
        metrics = {"volume_usd_h24": "700.5", "reserve_in_usd": Decimal("5000"), "transactions_h24_buys": 3}
        seen_pool = PoolSnapshot(
            "solana_Bb",
            "Bb",
            "pumpswap",
            at_ns,
            base_price_usd=Decimal("0.3"),
            metrics=metrics,
            stored_score=Decimal(80),
        )
        writer.add("snapshots", [seen_pool])
    found = exported(open_source(lake.folder), tmp_path / "d")
    assert (found["close"], found["high"]) == ([2, None, 2], [4, None, 2])
    snapshots = exported(open_source(lake.folder, RowKind.SNAPSHOTS), tmp_path / "s")
    assert (snapshots["close"], snapshots["volume"], snapshots["buy_count"]) == ([f32("0.3")], [700.5], [3])
    assert (snapshots["signal"], snapshots["fdv"], snapshots["liquidity"]) == ([80], [None], [5_000])
    with pytest.raises(UsageError, match="is a lake"):
        open_source(lake.folder, RowKind.ENHANCED)
