"""Series: the bars of one pool, kept only where something was observed, and expanded when they are written."""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal

from pumpswap.errors import BadInput

__all__ = ["NAN", "Series", "single", "to_bytes"]

NAN = math.nan
_LARGEST_SINGLE = 3.402_823_4e38


def single(value: Decimal | None, what: str, pool: str) -> float:
    """A figure for a float32; NaN for a missing one. Raises BadInput for what no float32 can hold."""
    if value is None:
        return NAN
    number = float(value)
    if not -_LARGEST_SINGLE <= number <= _LARGEST_SINGLE:
        raise BadInput(
            f"{what} of {pool}: {value:.4E} is too large for QLib's float32", hint="repair or remove the row"
        )
    return number


class Series:
    """``bars`` are the numbers of the bars, rising; ``columns`` hold one value per bar and field, as float32."""

    def __init__(self, pool_id: str, fields: Sequence[str]) -> None:
        self.pool_id = pool_id
        self.fields = tuple(fields)
        self.bars: array[int] = array("q")
        self.columns: tuple[array[float], ...] = tuple(array("f") for _ in fields)

    def __len__(self) -> int:
        return len(self.bars)

    @property
    def first_bar(self) -> int:
        """The bar of the first observation."""
        return self.bars[0]

    @property
    def last_bar(self) -> int:
        """The bar of the last one."""
        return self.bars[-1]

    def append(self, bar: int, values: Sequence[float]) -> None:
        """Add a bar after the last one."""
        if self.bars and bar <= self.bars[-1]:
            raise ValueError(f"bar {bar} is not after {self.bars[-1]}")
        self.bars.append(bar)
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def rows(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        """Bars with their values."""
        return zip(self.bars, zip(*self.columns, strict=True), strict=True)

    def within(self, first: int | None, end: int | None) -> Series:
        """The bars from ``first`` on and before ``end``; None is open."""
        low = 0 if first is None else bisect_left(self.bars, first)
        high = len(self.bars) if end is None else bisect_left(self.bars, end)
        part = Series(self.pool_id, self.fields)
        part.bars = self.bars[low:high]
        part.columns = tuple(column[low:high] for column in self.columns)
        return part

    def dense(self, field: str, first: int, last: int) -> array[float]:
        """One value for every bar from ``first`` to ``last``: NaN where nothing was observed."""
        values = array("f", [NAN]) * (last - first + 1)
        for bar, value in zip(self.bars, self.columns[self.fields.index(field)], strict=True):
            values[bar - first] = value
        return values


def to_bytes(values: array[float]) -> bytes:
    """Little-endian float32, on every machine. Every NaN has the same bytes, so equal data are equal files."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
