"""Writing QLib's binary layout: calendar, instruments, features, and our note beside them."""

from __future__ import annotations

import os
import shutil
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pumpswap.errors import BadInput
from pumpswap.research.qlib.dataset import NOTE_FILE, PARTS, DatasetNote
from pumpswap.research.qlib.frequency import Frequency
from pumpswap.research.qlib.series import Series, to_bytes
from pumpswap.research.qlib.symbols import folder_of

__all__ = ["Entry", "write_dataset"]

# The start index is a float32 too: above this not every whole number is one.
MOST_BARS = 1 << 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One symbol to write. Without a series its files are those of ``kept``, which have not changed."""

    symbol: str
    first_bar: int
    last_bar: int
    series: Series | None = None
    kept: Path | None = None


def write_dataset(
    folder: Path,
    frequency: Frequency,
    entries: Iterable[Entry],
    note: DatasetNote,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[int, int]:
    """Write a dataset into an empty folder; its calendar has every bar from the first to the last. Returns these two.

    Raises BadInput for a calendar that is longer than QLib's files can count.
    """
    ordered = sorted(entries, key=lambda entry: entry.symbol)
    first = min(entry.first_bar for entry in ordered)
    last = max(entry.last_bar for entry in ordered)
    if last - first >= MOST_BARS:
        raise BadInput(
            f"from {frequency.text(first)} to {frequency.text(last)} are more than {MOST_BARS:,} bars",
            hint="a time in the source is wrong, or choose a longer --freq, or a --start",
        )
    for part in PARTS:
        (folder / part).mkdir()
    calendar = "".join(f"{frequency.text(bar)}\n" for bar in range(first, last + 1))
    (folder / "calendars" / f"{frequency.name}.txt").write_text(calendar, encoding="utf-8")
    lines = (
        f"{entry.symbol}\t{frequency.text(entry.first_bar)}\t{frequency.text(entry.last_bar)}\n" for entry in ordered
    )
    (folder / "instruments" / "all.txt").write_text("".join(lines), encoding="utf-8")
    for done, entry in enumerate(ordered, 1):
        _write_features(folder / "features" / folder_of(entry.symbol), frequency, entry, first)
        tell(done, len(ordered))
    (folder / NOTE_FILE).write_text(note.text(), encoding="utf-8")
    return first, last


def _write_features(folder: Path, frequency: Frequency, entry: Entry, calendar_start: int) -> None:
    if entry.series is None:
        if entry.kept is None:
            raise ValueError(f"nothing to write for {entry.symbol}")
        # Files that have not changed are shared with the old dataset, which goes; nobody writes into them.
        shutil.copytree(entry.kept, folder, copy_function=_link)
        return
    folder.mkdir()
    for field in entry.series.fields:
        values = array("f", [entry.first_bar - calendar_start])
        values.extend(entry.series.dense(field, entry.first_bar, entry.last_bar))
        (folder / f"{field}.{frequency.name}.bin").write_bytes(to_bytes(values))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)
