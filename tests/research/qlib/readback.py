"""What QLib reads, compared value by value with the bytes that are on the disk."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from tests.research.qlib.world import read_bin
from tests.support.real_qlib import read_with_qlib

__all__ = ["Comparison", "compare_with_qlib"]


@dataclass
class Comparison:
    """How many values were equal and how many holes are holes; ``failures`` says what differs, the first few."""

    version: str
    instruments: dict[str, list[list[str]]]
    values: int = 0
    holes: int = 0
    failures: list[str] = field(default_factory=list)


def compare_with_qlib(folder: Path, freq: str) -> Comparison:
    """Read all of a dataset with QLib and by hand. Values are compared as float32, which is what both hold."""
    calendar = (folder / "calendars" / f"{freq}.txt").read_text().splitlines()
    listed = [line.split("\t") for line in (folder / "instruments/all.txt").read_text().splitlines()]
    end = f".{freq}.bin"
    names = sorted({path.name.removesuffix(end) for path in (folder / "features").glob(f"*/*{end}")})
    read = read_with_qlib(folder, freq, names)
    found = Comparison(read.version, read.instruments)
    if read.calendar != [_time(text) for text in calendar]:
        found.failures.append("the calendar differs")
    if read.dtypes != ["float32"]:
        found.failures.append(f"types of the columns: {read.dtypes}")
    if read.instruments != {symbol: [[_time(first), _time(last)]] for symbol, first, last in listed}:
        found.failures.append("the instruments differ")
    expected = 0
    for symbol, _, _ in listed:
        for number, name in enumerate(names):
            start, values = read_bin(folder / "features" / symbol.lower() / f"{name}{end}")
            expected += len(values) if number == 0 else 0
            for index, value in enumerate(values):
                moment = _time(calendar[start + index])
                _compare(found, f"{name} of {symbol} at {moment}", value, read.values.get((symbol, moment)), number)
    if expected != len(read.values):
        found.failures.append(f"QLib has {len(read.values)} rows, {expected} were written")
    return found


def _compare(found: Comparison, where: str, value: float | None, row: list[float] | None, number: int) -> None:
    got = None if row is None else row[number]
    if got is not None and (math.isnan(got) if value is None else got == value):
        found.holes += value is None
        found.values += value is not None
    elif len(found.failures) < 10:
        found.failures.append(f"{where}: {value} was written, QLib reads {got}")


def _time(text: str) -> str:
    return text if len(text) > 10 else f"{text} 00:00:00"
