"""HostDatabase: the database of the host's collector, read as our objects, whatever shape its tables have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, UsageError
from pumpswap.market.candle_file import TIMEFRAMES, Candle, Candles, read_candles
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.host_pools import POOL_COLUMNS, HostPool, OtherMints, read_pools
from pumpswap.market.identifiers import bare_address, network_of
from pumpswap.market.recording import Recording
from pumpswap.market.snapshot_file import SNAPSHOT_COLUMNS, complete_time, moment_of, read_snapshots, table_times
from pumpswap.market.trade_clock import corrected, proven_shift, relabelled
from pumpswap.market.trade_file import TRADE_COLUMNS, ObservedTrade, Trades
from pumpswap.model import MarketUpdate, PoolSnapshot
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.storage.host_reader import HostMoment, HostReader

__all__ = ["HostDatabase"]

SNAPSHOTS, ENHANCED = "new_pools_history", "new_pools_history_enhanced"
POOLS, TRADES, CANDLES, WATCHLIST = "pools", "trades", "ohlcv_data", "watchlist"

# What a table must have to be the host's, and to be read at all.
_NEEDED: Mapping[str, Sequence[str]] = {
    POOLS: ("id", "address", "dex_id"),
    SNAPSHOTS: ("pool_id", "collected_at"),
    ENHANCED: ("pool_id", "collected_at", "close_price_usd"),
    TRADES: (
        "id",
        "pool_id",
        "from_token_amount",
        "to_token_amount",
        "price_usd",
        "volume_usd",
        "side",
        "block_timestamp",
    ),
    CANDLES: ("pool_id", "timeframe", "timestamp", "close_price"),
    WATCHLIST: ("pool_id",),
}
_PRICE_COLUMNS = {SNAPSHOTS: "base_token_price_usd", ENHANCED: "close_price_usd"}
_CANDLE_COLUMNS = (
    "id", "pool_id", "timeframe", "timestamp", "datetime",
    "open_price", "high_price", "low_price", "close_price", "volume_usd",
)  # fmt: skip
_COUNTS = tuple(key for key in METRIC_KEYS if key.startswith("transactions_"))


class HostDatabase:
    """Pools, snapshots, candles and trades of one host. Nothing is written, and none of our tables is needed.

    ``target`` is a path, ``sqlite:///path`` or a ``postgresql://`` URL; ``location`` shows it without its password.
    ``zone`` is that of times which carry none, for a host that did not write UTC. Every call reads one moment of the
    database; an iterator keeps that moment until it is used up or closed. Tables and columns that a shape does not have
    read as missing values.

    All reading methods raise NotFound for a missing file, StorageError for what the database refuses, and BadInput,
    naming table, id and column, for a value that cannot be read and for a database that is no host's. Rows that can be
    read but not used are in ``skipped`` with their reasons: those of the latest reading of each table.
    """

    def __init__(self, target: str | Path, *, zone: str = "UTC") -> None:
        self._reader = HostReader(target)
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise UsageError(f"{zone!r} is no time zone", hint="for example America/Denver") from None
        self._shift: int | None = None
        self._skipped: dict[str, list[SkippedRow]] = {}

    def __repr__(self) -> str:
        return f"HostDatabase({self.location!r})"

    @property
    def location(self) -> str:
        """The path, or the URL without password and options."""
        return self._reader.location

    @property
    def skipped(self) -> tuple[SkippedRow, ...]:
        """What the latest reading of each table left out."""
        return tuple(row for rows in self._skipped.values() for row in rows)

    def pools(self) -> Iterator[HostPool]:
        """All pools, by id."""
        with self._moment() as moment:
            others = OtherMints()
            others.read_snapshots(self._rows(moment, SNAPSHOTS, ("pool_id", "base_token_id", "quote_token_id")))
            others.read_watchlist(self._rows(moment, WATCHLIST, ("pool_id", "network_address")))
            rows = self._rows(moment, POOLS, POOL_COLUMNS, order=("id",))
            yield from read_pools(self._in_zone(rows, ("created_at",)), others)

    def snapshots(self, pool: str | None = None, *, enhanced: bool = False) -> Iterator[PoolSnapshot]:
        """Snapshots of one pool or of all, oldest first.

        ``enhanced`` reads the enhanced table instead, which most installs do not have. Only its closing price is used:
        its highs and lows are that price times a constant, and it knows no price of SOL.
        """
        with self._moment() as moment:
            yield from self._snapshots(moment, ENHANCED if enhanced else SNAPSHOTS, _ids(pool))

    def snapshot_rows(self, columns: Sequence[str], *, enhanced: bool = False) -> Iterator[tuple[int, DataRow]]:
        """The wanted columns of the snapshots of all pools with their times, oldest first, for other uses of a row."""
        table = ENHANCED if enhanced else SNAPSHOTS
        with self._moment() as moment:
            rows = self._rows(moment, table, ("id", "collected_at", *columns), order=("collected_at", "id"))
            for row in self._in_zone(rows, ("collected_at",)):
                yield moment_of(row, "collected_at"), row

    def pool_history(self, pool_id: str, cutoff_ns: int) -> list[dict[str, object]]:
        """What the host's ``get_pool_history`` returns: snapshots since ``cutoff_ns``, newest first.

        Keys are those of METRIC_KEYS (whole numbers for counts, else Decimal; a missing figure is 0) and
        ``collected_at`` (in UTC). Other than there, an error is an error and not an empty list.
        """
        found = []
        for snapshot in self.snapshots(pool_id):
            if snapshot.at_ns >= cutoff_ns:
                figures = {key: Decimal(str(snapshot.metrics.get(key, 0))) for key in METRIC_KEYS}
                known: dict[str, object] = {
                    key: Decimal(0) if figure.is_nan() else int(figure) if key in _COUNTS else figure
                    for key, figure in figures.items()
                }
                found.append((snapshot.at_ns, known | {"collected_at": _utc(snapshot.at_ns)}))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [figures for _, figures in found]

    def candles(self, pool: str | None, timeframe: str = "1m") -> Iterator[Candle]:
        """Candles of one pool or of all, of one length, oldest first. Raises UsageError for one not in TIMEFRAMES."""
        if timeframe not in TIMEFRAMES:
            raise UsageError(f"{timeframe!r} is no length of a candle", hint=f"one of {', '.join(TIMEFRAMES)}")
        return self._candles(pool, timeframe)

    def trades(self, pool: str) -> list[ObservedTrade]:
        """Trades of one pool in time order, with the price per token that was paid and the true time."""
        with self._moment() as moment:
            return self._trades(moment, _ids(pool)).trades

    def updates(self) -> Iterator[MarketUpdate]:
        """The market from its first to its last moment: the same stream as a HostExport of the same rows."""
        return self.recording().updates()

    def recording(self) -> Recording:
        """Everything that a replay needs, read and checked at one moment, and held in memory."""
        with self._moment() as moment:
            notes = _Notes()
            snapshots = list(self._snapshots(moment, SNAPSHOTS, {}, notes))
            trades = self._trades(moment, {})
            candles = Candles(notes.compare_clocks(self._rows(moment, CANDLES, _CANDLE_COLUMNS, order=("id",))))
            self._skipped[CANDLES] = candles.skipped
            notes.missing = [table for table in (SNAPSHOTS, TRADES, CANDLES) if not moment.columns(table)]
            notes.shift = self._shift or 0
        return Recording(
            self.location,
            snapshots,
            trades,
            candles,
            skipped=self._skipped[SNAPSHOTS],
            notes=notes.sentences(),
        )

    @contextmanager
    def _moment(self) -> Iterator[HostMoment]:
        with self._reader.moment() as moment:
            if not any(set(_NEEDED[table]) <= moment.columns(table) for table in (POOLS, SNAPSHOTS)):
                raise BadInput(
                    f"{self.location} is no database of a collector",
                    hint=f"it has neither a table {POOLS} nor {SNAPSHOTS} in the host's columns",
                )
            yield moment

    def _candles(self, pool: str | None, timeframe: str) -> Iterator[Candle]:
        only = {**_ids(pool), "timeframe": (timeframe,)}
        with self._moment() as moment:
            skipped = self._skipped[CANDLES] = []
            yield from read_candles(
                self._rows(moment, CANDLES, _CANDLE_COLUMNS, only=only, order=("timestamp",)), skipped
            )

    def _snapshots(
        self, moment: HostMoment, table: str, only: Mapping[str, Sequence[str]], notes: _Notes | None = None
    ) -> Iterator[PoolSnapshot]:
        price = _PRICE_COLUMNS[table]
        columns = (*SNAPSHOT_COLUMNS, "signal_score", price)
        rows = self._rows(moment, table, columns, only=only, order=("collected_at", "id"))
        rows = self._in_zone(rows, ("collected_at", "pool_created_at"), notes)
        skipped = self._skipped[table] = []
        yield from read_snapshots(rows, table_times, skipped, price_column=price)

    def _trades(self, moment: HostMoment, only: Mapping[str, Sequence[str]]) -> Trades:
        if self._shift is None:
            self._shift = proven_shift(relabelled(self._rows(moment, TRADES, ("id", "block_timestamp"))))
        rows = relabelled(self._rows(moment, TRADES, TRADE_COLUMNS, only=only, order=("id",)))
        trades = Trades(f"the table {TRADES}", corrected(rows, self._shift) if self._shift else rows)
        self._skipped[TRADES] = trades.skipped
        return trades

    def _rows(
        self,
        moment: HostMoment,
        table: str,
        columns: Sequence[str],
        *,
        only: Mapping[str, Sequence[str]] | None = None,
        order: Sequence[str] = (),
    ) -> Iterator[DataRow]:
        """Rows of a table, named by their id."""
        known = moment.columns(table)
        missing = [column for column in _NEEDED[table] if column not in known]
        if known and missing:
            raise BadInput(f"the table {table} has no column {', '.join(missing)}", hint="this is not the host's table")
        for values in moment.rows(table, columns, only=only, order=order):
            yield DataRow(table, f"id {values.get('id') or values.get('pool_id', '?')}", values)

    def _in_zone(
        self, rows: Iterable[DataRow], columns: Sequence[str], notes: _Notes | None = None
    ) -> Iterator[DataRow]:
        """The rows with our zone for times that have none."""
        for row in rows:
            zoned = {column: _zoned(row.text(column), self._zone) for column in columns}
            found = {column: text for column, text in zoned.items() if text is not None}
            if notes is not None:
                notes.naive += len(found)
            yield DataRow(row.source, row.place, {**row.values, **found}) if found else row


class _Notes:
    """What a reading has found out about the database, for the list of assumptions."""

    def __init__(self) -> None:
        self.missing: Sequence[str] = ()
        self.naive = 0
        self.shift = 0
        self._candles = 0
        self._other_clocks = 0

    def compare_clocks(self, rows: Iterable[DataRow]) -> Iterator[DataRow]:
        """Pass candles through; count those whose time without a zone is not their Unix time, read as UTC."""
        for row in rows:
            text, timestamp = row.text("datetime"), row.text("timestamp")
            if (shown := complete_time(text)) is not None and _zoned(text, ZoneInfo("UTC")) is not None:
                self._candles += 1
                self._other_clocks += timestamp.isdecimal() and shown != int(timestamp) * NS_PER_SECOND
            yield row

    def sentences(self) -> list[str]:
        """One sentence for each finding."""
        found = []
        if self.missing:
            found.append(f"The database has no table {', '.join(self.missing)}: nothing is known of these.")
        if self.shift:
            found.append(
                f"Trade times: the fetches prove that block_timestamp is {abs(self.shift) / 3600:g} hours too"
                f" {'early' if self.shift > 0 else 'late'} in this database; that is corrected."
            )
        if self.naive:
            found.append("Times without a zone are read as UTC, or in the zone that was named.")
        if self._other_clocks:
            found.append(
                f"Beware: {self._other_clocks} of {self._candles} candles have a datetime that is not their Unix time;"
                " other times without a zone may be wrong as well."
            )
        return found


def _zoned(text: str, zone: ZoneInfo) -> str | None:
    """A time without a zone with this one; None for a time that has one and for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=zone).isoformat(sep=" ") if moment.tzinfo is None else None


def _ids(pool: str | None) -> dict[str, Sequence[str]]:
    """The ways in which the host may have written the id of a pool; nothing for all pools."""
    if pool is None:
        return {}
    address = bare_address(pool)
    return {"pool_id": tuple(dict.fromkeys((pool.strip(), address, f"{network_of(pool)}_{address}")))}


def _utc(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC).replace(microsecond=at_ns // 1_000 % 1_000_000)
