"""SnapshotTail: the newest rows of a collector's snapshots, for somebody who reads them as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pumpswap.errors import BadInput
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.snapshot_file import SNAPSHOT_COLUMNS, read_snapshots, table_times
from pumpswap.model import PoolSnapshot
from pumpswap.storage.host_reader import HostMoment, HostReader

__all__ = ["SnapshotTail", "TailPlace", "TailRow"]

_TABLE = "new_pools_history"
_COLUMNS = (*SNAPSHOT_COLUMNS, "signal_score")
_NO_TABLE = "`pumpswap collect` writes some there; your own collector's database is named with --collector"
_GAP_ROWS = 1_000  # a transaction that is that far behind the newest has been rolled back


@dataclass(frozen=True, slots=True)
class TailRow:
    """A snapshot with the number (``id``) of its row."""

    number: int
    snapshot: PoolSnapshot


@dataclass(frozen=True, slots=True)
class TailPlace:
    """Where a reader stands: every row up to ``last`` was read but ``gaps``, numbers that were not there yet: on a
    server a transaction that began earlier may end later.
    """

    last: int
    gaps: frozenset[int] = field(default_factory=frozenset)

    def after(self, number: int) -> TailPlace:
        """The place when the row of this number has been read too."""
        if number <= self.last:
            return TailPlace(self.last, self.gaps - {number})
        gaps = self.gaps.union(range(max(self.last + 1, number - _GAP_ROWS), number))
        return TailPlace(number, frozenset(gap for gap in gaps if gap >= number - _GAP_ROWS))

    def to_document(self) -> dict[str, object]:
        """As it is stored."""
        return {"last": str(self.last), "gaps": [str(number) for number in sorted(self.gaps)]}

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """What ``to_document`` made. Raises BadInput for anything else."""
        try:
            last, gaps = int(str(document["last"])), document["gaps"]
            if not isinstance(gaps, list):
                raise TypeError("gaps")
            return cls(last, frozenset(int(str(number)) for number in gaps))
        except (KeyError, TypeError, ValueError):
            raise BadInput(
                "the stored place in the collector's rows cannot be read", hint="begin a new run with --new"
            ) from None


class SnapshotTail:
    """Reads ``target``, the database of a host's collector or of ours. Nothing is written.

    Raises what HostReader raises, BadInput for a database without the table. A row that cannot be read is left out and
    counted in ``skipped``: it must not keep the others from being seen.
    """

    def __init__(self, target: str | Path) -> None:
        self._reader = HostReader(target)
        self._file = Path(target) if "://" not in str(target) else None
        self._unchanged: tuple[TailPlace, object] | None = None
        self.skipped: list[SkippedRow] = []

    @property
    def location(self) -> str:
        """The path, or the URL without password and options."""
        return self._reader.location

    def newest(self) -> int:
        """The highest number of a row; 0 when there is none."""
        with self._reader.moment() as moment:
            self._check(moment)
            rows = moment.rows(_TABLE, ("id",), order=("id",), newest_first=True)
            return int(next(rows, {"id": "0"})["id"])

    def past(self, since_ns: int) -> list[TailRow]:
        """Rows of the time since then, oldest first, from the newest number back to the first that is older."""
        found: list[TailRow] = []
        with self._reader.moment() as moment:
            self._check(moment)
            for values in moment.rows(_TABLE, _COLUMNS, order=("id",), newest_first=True):
                row = self._row(values)
                if row is None:
                    continue
                if row.snapshot.at_ns < since_ns:
                    break
                found.append(row)
        return found[::-1]

    def read(self, place: TailPlace) -> list[TailRow]:
        """What has been written after a place, by number; those that were late first."""
        stamp = self._stamp()
        if stamp is not None and self._unchanged == (place, stamp):
            return []
        found: list[TailRow] = []
        with self._reader.moment() as moment:
            self._check(moment)
            first = min(place.gaps, default=place.last + 1)
            for values in moment.rows(_TABLE, _COLUMNS, order=("id",), above=("id", first - 1)):
                number = int(values["id"])
                if number > place.last or number in place.gaps:
                    row = self._row(values)
                    if row is not None:
                        found.append(row)
        self._unchanged = None if found else (place, stamp)
        return found

    def _row(self, values: Mapping[str, str]) -> TailRow | None:
        row = DataRow(_TABLE, f"id {values.get('id')}", values)
        try:
            for snapshot in read_snapshots([row], table_times, self.skipped):
                return TailRow(row.whole("id"), snapshot)
        except BadInput as broken:
            self.skipped.append(row.skipped(broken.what))
        return None

    def _stamp(self) -> object:
        """What changes when a SQLite file is written: without a write-ahead log a reading copies all of it."""
        if self._file is None:
            return None
        files = (self._file, self._file.with_name(f"{self._file.name}-wal"))
        return tuple((one.stat().st_mtime_ns, one.stat().st_size) if one.exists() else None for one in files)

    def _check(self, moment: HostMoment) -> None:
        if not moment.columns(_TABLE):
            raise BadInput(f"there are none in {self.location} yet", hint=_NO_TABLE)
        missing = [name for name in ("id", "pool_id", "collected_at") if name not in moment.columns(_TABLE)]
        if missing:
            raise BadInput(
                f"{self.location} has no snapshots of a collector: {_TABLE} lacks {', '.join(missing)}",
                hint="`pumpswap collect` fills a database; name the right one with --collector",
            )
