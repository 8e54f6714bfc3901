"""Sources of an export: the host's database, a folder exported from it, QLib's CSV form, and the lake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.candle_file import TIMEFRAMES, Candle, read_candles
from pumpswap.market.csv_rows import csv_header, csv_rows
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.host_database import HostDatabase
from pumpswap.market.lake import is_lake
from pumpswap.market.snapshot_file import SnapshotTimes
from pumpswap.research.qlib.csv_export import CSV_COLUMNS
from pumpswap.research.qlib.observation import Kind, Observation, Source, columns_wanted, observed
from pumpswap.research.qlib.row_kind import RowKind, useful
from pumpswap.storage.host_reader import is_database

__all__ = ["HostSource", "QlibCsvSource", "TableFileSource", "open_source"]

SNAPSHOTS_FILE, CANDLES_FILE = "new_pools_history.csv", "ohlcv_data.csv"
_PRICE, _ENHANCED_PRICE = "base_token_price_usd", "close_price_usd"


def open_source(target: str | Path, rows: RowKind = RowKind.AUTO) -> Source:
    """The source at a path or a URL. Raises NotFound, UsageError and BadInput."""
    if is_database(target):
        return HostSource(HostDatabase(target), rows)
    path = Path(target)
    if not path.exists():
        raise NotFound(f"{path} does not exist", hint="a database, an exported folder, QLib's CSV files, or a lake")
    if not path.is_dir():
        raise BadInput(f"{path} is no database and no folder", hint="give the folder that a file lies in")
    if is_lake(path):
        from pumpswap.research.qlib.lake_source import LakeSource  # needs a data library, the others do not

        return LakeSource(path, rows)
    if any((path / name).is_file() for name in (SNAPSHOTS_FILE, CANDLES_FILE)):
        return TableFileSource(path, rows)
    if any(csv_header(file)[: len(CSV_COLUMNS)] == CSV_COLUMNS for file in sorted(path.glob("*.csv"))[:1]):
        _only_candles(rows, path)
        return QlibCsvSource(path)
    raise BadInput(
        f"{path} holds nothing that can be exported",
        hint=f"it needs {SNAPSHOTS_FILE}, {CANDLES_FILE}, files with the columns {', '.join(CSV_COLUMNS)}, or a lake",
    )


class HostSource:
    """The host's database: its enhanced table where that has rows, else its snapshots; and its candles.

    Of the enhanced table only the closing price is used: its highs and lows are that price times a constant.
    """

    def __init__(self, database: HostDatabase, rows: RowKind = RowKind.AUTO) -> None:
        self.location = database.location
        self.skipped: list[SkippedRow] = []
        self._database = database
        rows = self._found() if rows is RowKind.AUTO else rows
        self.kind = Kind.CANDLES if rows is RowKind.CANDLES else Kind.SNAPSHOTS
        self.has_quality = rows is RowKind.ENHANCED
        self._price = _ENHANCED_PRICE if rows is RowKind.ENHANCED else _PRICE

    def _found(self) -> RowKind:
        for rows, enhanced in ((RowKind.ENHANCED, True), (RowKind.SNAPSHOTS, False)):
            if next(self._database.snapshot_rows(("pool_id",), enhanced=enhanced), None) is not None:
                return rows
        return RowKind.CANDLES

    def observations(self) -> Iterator[Observation]:
        if self.kind is Kind.SNAPSHOTS:
            wanted = columns_wanted(self._price)
            for at_ns, row in self._database.snapshot_rows(wanted, enhanced=self.has_quality):
                yield observed(row, at_ns, self._price)

    def candles(self, seconds: int) -> Iterator[Candle]:
        for timeframe in useful(seconds):
            yield from self._database.candles(None, timeframe)
            self.skipped.extend(self._database.skipped)


class TableFileSource:
    """A folder with the host's tables as CSV files: snapshots, candles, or both."""

    has_quality = False

    def __init__(self, path: Path, rows: RowKind = RowKind.AUTO) -> None:
        if rows is RowKind.ENHANCED:
            raise UsageError(f"{path} is a folder of CSV files, without an enhanced table", hint="leave --rows out")
        self.location = str(path)
        self.skipped: list[SkippedRow] = []
        self._path = path
        has_snapshots = (path / SNAPSHOTS_FILE).is_file()
        if rows is RowKind.SNAPSHOTS and not has_snapshots:
            raise NotFound(f"{path} has no {SNAPSHOTS_FILE}", hint="leave --rows out")
        self.kind = Kind.CANDLES if rows is RowKind.CANDLES or not has_snapshots else Kind.SNAPSHOTS

    def observations(self) -> Iterable[Observation]:
        if self.kind is Kind.CANDLES:
            return ()
        path = self._path / SNAPSHOTS_FILE
        times, found = SnapshotTimes(path), []
        for row in csv_rows(path, ("pool_id", "collected_at", _PRICE)):
            when = times.of(row)
            if isinstance(when, SkippedRow):
                self.skipped.append(when)
            else:
                found.append(observed(row, when[0], _PRICE))
        found.sort(key=lambda one: one.at_ns)
        return found

    def candles(self, seconds: int) -> Iterator[Candle]:
        path = self._path / CANDLES_FILE
        if not path.is_file():
            return
        wanted = useful(seconds)
        rows = (row for row in csv_rows(path, ("pool_id", "timeframe", "timestamp")) if row.text("timeframe") in wanted)
        candles = list(read_candles(rows, self.skipped))
        candles.sort(key=lambda candle: (-TIMEFRAMES[candle.timeframe], candle.start_ns))
        yield from candles


class QlibCsvSource:
    """Files in QLib's CSV form, one per pool, as the host's CSV export writes them; hours without a trade are missing.

    ``timeframe`` is the length of their candles: it is not in the files.
    """

    kind = Kind.CANDLES
    has_quality = False

    def __init__(self, path: Path, timeframe: str = "1h") -> None:
        self.location = str(path)
        self.skipped: list[SkippedRow] = []
        self._files = sorted(path.glob("*.csv"))
        self._timeframe = timeframe

    def observations(self) -> Iterable[Observation]:
        return ()

    def candles(self, seconds: int) -> Iterator[Candle]:
        if self._timeframe not in useful(seconds):
            raise UsageError(f"candles of {self._timeframe} make no shorter bars", hint="choose a longer --freq")
        for file in self._files:
            rows = [_as_candle_row(row, self._timeframe) for row in csv_rows(file, CSV_COLUMNS)]
            rows.sort(key=lambda row: int(row.text("timestamp")))
            yield from read_candles(rows, self.skipped)


def _as_candle_row(row: DataRow, timeframe: str) -> DataRow:
    """A row of QLib's CSV in the columns of the host's table."""
    try:
        start = parse_utc(row.text("datetime")) // NS_PER_SECOND
    except ValueError:
        raise row.bad("datetime", "is no time") from None
    named = {f"{name}_price": row.text(name) for name in ("open", "high", "low", "close")}
    values = {"pool_id": row.text("symbol"), "timeframe": timeframe, "timestamp": str(start)}
    return DataRow(row.source, row.place, {**values, **named, "volume_usd": row.text("volume")})


def _only_candles(rows: RowKind, path: Path) -> None:
    if rows not in (RowKind.AUTO, RowKind.CANDLES):
        raise UsageError(f"{path} holds candles only, no {rows.value}", hint="leave --rows out")
