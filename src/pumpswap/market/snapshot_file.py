"""SnapshotFile: the host's ``new_pools_history`` export as PoolSnapshots with their true times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.market.csv_rows import csv_rows
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.identifiers import bare_address
from pumpswap.model import PoolSnapshot
from pumpswap.model.snapshot import METRIC_KEYS

__all__ = [
    "SNAPSHOT_COLUMNS",
    "SnapshotFile",
    "SnapshotTimes",
    "complete_time",
    "moment_of",
    "read_snapshots",
    "table_times",
]

TIMES_FILE = "new_pools_collected_at.csv"

SNAPSHOT_COLUMNS = (
    "id",
    "pool_id",
    "name",
    "dex_id",
    "base_token_id",
    "quote_token_id",
    "base_token_price_usd",
    "base_token_price_native_currency",
    "quote_token_price_usd",
    "pool_created_at",
    "collected_at",
    *METRIC_KEYS,
)
_TIMES_COLUMNS = ("id", "pool_created_at_utc", "collected_at_utc")
_NS_PER_HOUR = 3_600 * NS_PER_SECOND

Times = tuple[int, int | None]  # collected, created

# What a spreadsheet leaves of "2025-10-03 17:41:57.8": it shows minutes and seconds, and saves what it shows.
_MINUTES_ONLY = re.compile(r"(\d{1,2}):(\d{2})(?:\.(\d{1,9}))?", re.ASCII)


class SnapshotFile:
    """Reads one export at once. ``snapshots`` are in the order of the file, ``skipped`` what could not be used.

    Times are those of SnapshotTimes. Raises BadInput for anything that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.snapshots: list[PoolSnapshot] = []
        self.skipped: list[SkippedRow] = []
        times = SnapshotTimes(path)
        self.snapshots.extend(read_snapshots(csv_rows(path, SNAPSHOT_COLUMNS), times.of, self.skipped))


class SnapshotTimes:
    """When the rows of an export were collected.

    A complete ``collected_at`` is used as it is. One that lost its date is looked up by ``id`` in TIMES_FILE beside the
    export, and must agree with it in minute and second.
    """

    def __init__(self, path: Path) -> None:
        self._times: dict[str, tuple[int, int]] | None = None
        self._times_path = path.with_name(TIMES_FILE)

    def of(self, row: DataRow) -> Times | SkippedRow:
        """Times of a row, or why it has none. Raises BadInput."""
        text = row.text("collected_at")
        damaged = _MINUTES_ONLY.fullmatch(text)
        if damaged is None:
            return moment_of(row, "collected_at"), _created(row)
        if self._times is None:
            self._times = self._read_times(row)
        known = self._times.get(row.text("id"))
        if known is None:
            return row.skipped(f"its time is lost: collected_at is {text!r}, and {TIMES_FILE} does not know its id")
        minutes, seconds, fraction = damaged.groups(default="")
        shown = (int(minutes) * 60 + int(seconds)) * NS_PER_SECOND + int(fraction.ljust(9, "0"))
        # The export is rounded to its last digit, so the two may differ by one unit of it.
        tolerance = NS_PER_SECOND // 10 ** len(fraction)
        apart = abs(known[0] % _NS_PER_HOUR - shown)
        if min(apart, _NS_PER_HOUR - apart) > tolerance:
            return row.skipped(f"its two times disagree: collected_at is {text!r}, {TIMES_FILE} has another minute")
        return known

    def _read_times(self, row: DataRow) -> dict[str, tuple[int, int]]:
        if not self._times_path.exists():
            raise row.bad(
                "collected_at",
                "has lost its date",
                hint=f"a spreadsheet damaged this export; put {TIMES_FILE} (id, collected_at_utc) beside it",
            )
        times: dict[str, tuple[int, int]] = {}
        for one in csv_rows(self._times_path, _TIMES_COLUMNS):
            identifier = one.text("id")
            if identifier in times:
                raise one.bad("id", "occurs twice")
            times[identifier] = moment_of(one, "collected_at_utc"), moment_of(one, "pool_created_at_utc")
        return times


def read_snapshots(
    rows: Iterable[DataRow],
    times_of: Callable[[DataRow], Times | SkippedRow],
    skipped: list[SkippedRow],
    *,
    price_column: str = "base_token_price_usd",
) -> Iterator[PoolSnapshot]:
    """Snapshots in the order of the rows; those that cannot be used go to ``skipped``. Raises BadInput."""
    seen: set[tuple[str, int]] = set()
    for row in rows:
        times = times_of(row)
        if isinstance(times, SkippedRow):
            skipped.append(times)
            continue
        snapshot = _snapshot(row, times, price_column)
        if (snapshot.pool_id, snapshot.at_ns) in seen:
            skipped.append(row.skipped("this pool was already seen at this time"))
            continue
        seen.add((snapshot.pool_id, snapshot.at_ns))
        yield snapshot


def table_times(row: DataRow) -> Times | SkippedRow:
    """Times of a row of a database, which no spreadsheet has damaged, or why it has none. Raises BadInput."""
    if not row.text("collected_at"):
        return row.skipped("its time is missing")
    return moment_of(row, "collected_at"), _created(row)


def moment_of(row: DataRow, column: str) -> int:
    """Nanoseconds of a time with its date. Raises BadInput."""
    moment = complete_time(row.text(column))
    if moment is None:
        raise row.bad(column, "is no complete time")
    return moment


def _created(row: DataRow) -> int | None:
    """Creation time, where the row still has all of it; a spreadsheet's local time without a zone is none."""
    return complete_time(row.text("pool_created_at"))


def complete_time(text: str) -> int | None:
    """Nanoseconds of a time with its date; None for anything else."""
    if len(text) < len("2025-10-03T10:41:58"):
        return None
    try:
        return parse_utc(text)
    except (ValueError, OverflowError):
        return None


def _snapshot(row: DataRow, times: Times, price_column: str) -> PoolSnapshot:
    at_ns, created_ns = times
    for key in METRIC_KEYS:
        row.number(key)  # readable or BadInput; the metrics themselves stay the text of the source
    pool_id = row.text("pool_id")
    if not pool_id:
        raise row.bad("pool_id", "is no pool")
    return PoolSnapshot(
        pool_id=pool_id,
        pool=bare_address(pool_id),
        dex=row.text("dex_id"),
        at_ns=at_ns,
        name=row.text("name"),
        base_mint=bare_address(row.text("base_token_id")) or None,
        quote_mint=bare_address(row.text("quote_token_id")) or None,
        created_ns=created_ns,
        base_price_usd=row.number(price_column),
        # The column is in SOL whatever the quote token is; only pools quoted in SOL can be rebuilt, so that will do.
        base_price_quote=row.number("base_token_price_native_currency"),
        quote_price_usd=row.number("quote_token_price_usd"),
        reserve_usd=row.number("reserve_in_usd"),
        metrics={key: row.text(key) for key in METRIC_KEYS if row.text(key)},
        stored_score=row.number("signal_score"),
    )
