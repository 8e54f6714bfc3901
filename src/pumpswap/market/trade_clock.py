"""How far the stored times of trades are from the truth, proven by the times of their fetches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.market.data_row import DataRow
from pumpswap.market.trade_file import fetch_seconds

__all__ = ["corrected", "proven_shift", "relabelled"]

# The host writes the UTC wall clock and lets the database label it with its own zone. Moved to a database in another
# zone, the wall clock that one sees is no longer UTC, but off by the difference of the two zones.
_ZONE_STEP = 1_800
_LARGEST_SHIFT = 14 * 3_600
_SOON = 300  # a fetch follows its block within seconds; in real exports within 33
_FEWEST = 20
_SHARE = 10  # of ten rows at most one may differ


def relabelled(rows: Iterable[DataRow]) -> Iterator[DataRow]:
    """The rows; a time whose label is proven right by the time of its fetch is written in UTC.

    Our own collector labels times as they are, so in a host's table both kinds of row stand side by side.
    """
    for row in rows:
        fetched, labelled = fetch_seconds(row), _labelled(row.text("block_timestamp"))
        if fetched is not None and labelled is not None and labelled.utcoffset():
            late = fetched - parse_utc(labelled.isoformat()) // NS_PER_SECOND
            if 0 <= late <= _SOON:
                row = DataRow(row.source, row.place, {**row.values, "block_timestamp": _utc_text(labelled)})
        yield row


def proven_shift(rows: Iterable[DataRow]) -> int:
    """Seconds to add to the wall clock of ``block_timestamp`` so that it is UTC; 0 where nothing proves another figure.

    A proof takes at least 20 rows with a time of fetch in their id, nine tenths of which agree.
    """
    shifts: Counter[int] = Counter()
    for row in rows:
        fetched, wall = fetch_seconds(row), _wall_clock(row.text("block_timestamp"))
        if fetched is None or wall is None:
            continue
        late = fetched - parse_utc(wall.isoformat()) // NS_PER_SECOND
        shift = (late + _ZONE_STEP // 2) // _ZONE_STEP * _ZONE_STEP
        is_soon = abs(late - shift) <= _SOON and abs(shift) <= _LARGEST_SHIFT
        shifts[shift if is_soon else 0] += 1
    if shifts.total() < _FEWEST:
        return 0
    shift, agree = shifts.most_common(1)[0]
    return shift if agree * _SHARE >= shifts.total() * (_SHARE - 1) else 0


def corrected(rows: Iterable[DataRow], shift_seconds: int) -> Iterator[DataRow]:
    """The rows with their wall clocks moved. A time that cannot be read stays as it is, to be named by its reader."""
    for row in rows:
        wall = _wall_clock(row.text("block_timestamp"))
        try:
            moved = None if wall is None else wall + timedelta(seconds=shift_seconds)
        except OverflowError:
            moved = None
        if moved is None:
            yield row
        else:
            values = {**row.values, "block_timestamp": moved.isoformat(sep=" ")}
            yield DataRow(row.source, row.place, values)


def _labelled(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ")


def _wall_clock(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC)
    except ValueError:
        return None
