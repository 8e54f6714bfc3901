"""Q50Frame: what a quantile model said, row by row. Immutable; a look-up sees the past only.

The label of the model, ``truth``, cannot get in. Sides are names: the frame's code (1 long, 0 short, −1 hold) is read
once, where the file is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pumpswap.errors import BadInput, ConfigError, NotFound
from pumpswap.model.signal import Side

__all__ = ["Q50_LABEL", "Q50_REQUIRED", "Q50Frame", "Q50Row", "Q50Series", "implied_side"]

Q50_LABEL = "truth"
Q50_REQUIRED = {
    "q10": "the price change that nine of ten outcomes exceed",
    "q50": "the middle of the expected price changes: direction and strength",
    "q90": "the price change that one of ten outcomes exceeds",
    "vol_raw": "volatility, for the regime's information ratio",
    "vol_risk": "vol_raw squared, for the regime",
    "prob_up": "the chance that the price rises, for the expected value",
    "economically_significant": "whether the model's rules expect more than the costs",
    "high_quality": "whether the model trusts the row; used with require_high_quality",
    "tradeable": "whether the model's rules would trade the row",
}

_INT64 = 2**63
_WINDOW = 100  # steps that tell the usual one


@dataclass(frozen=True, slots=True)
class Q50Row:
    """One row. ``at_ns`` is its stamp, ``index`` its place in the series; q10, q50, q90 are relative price changes."""

    instrument: str | None
    index: int
    at_ns: int
    q10: float
    q50: float
    q90: float
    vol_raw: float
    vol_risk: float
    prob_up: float
    economically_significant: bool
    high_quality: bool
    tradeable: bool
    side: Side


class Q50Series:
    """The rows of one instrument, in order of time, no time twice.

    ``columns`` holds a sequence per column, all as long as ``times_ns``: floats (NaN: not known), ints, bools, or
    objects (None: not known), and ``side`` as Side. Where there is no ``side``, it follows from ``tradeable`` and the
    sign of q50, as in the rules that made the frame; ``has_side`` tells. Raises BadInput for what is no such series.
    """

    def __init__(self, instrument: str | None, times_ns: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        missing = [name for name in Q50_REQUIRED if name not in columns]
        if missing:
            raise BadInput(f"columns are missing: {', '.join(missing)}", hint="a frame has all of Q50_REQUIRED")
        if Q50_LABEL in columns:
            raise BadInput("the label (truth) is among the columns", hint="leave it out: it is known only afterwards")
        self.instrument = instrument
        self.times_ns: Sequence[int] = _packed(times_ns)
        if any(len(values) != len(self.times_ns) for values in columns.values()):
            raise BadInput("the columns are not equally long", hint="one value per row and column")
        _check_order(self.times_ns)
        self.has_side = "side" in columns
        self._columns = {name: _packed(values) for name, values in columns.items()}
        if not self.has_side:
            self._columns["side"] = tuple(map(implied_side, self._columns["q50"], self._columns["tradeable"]))
        self._spacings = _spacings(self.times_ns)

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def spacing_ns(self) -> int:
        """The usual step from row to row at the end of the series, 0 for a single row."""
        return self._spacings[-1] if len(self._spacings) else 0

    def spacing_at(self, place: int) -> int:
        """The usual step from row to row as it was known at a row: the median of the last hundred steps up to it.

        The first row has no step behind it: 0. The one to the second is not known yet.
        """
        return self._spacings[place]

    @property
    def column_names(self) -> tuple[str, ...]:
        """All columns, ``side`` among them."""
        return tuple(self._columns)

    def column(self, name: str) -> Sequence[Any]:
        """All values of a column, read-only. Raises NotFound."""
        try:
            return self._columns[name]
        except KeyError:
            raise NotFound(f"the frame has no column {name}", hint=f"it has {', '.join(self._columns)}") from None

    def row(self, index: int) -> Q50Row:
        """The row at a place, 0 the oldest."""
        column = self._columns
        return Q50Row(
            instrument=self.instrument,
            index=index,
            at_ns=self.times_ns[index],
            q10=column["q10"][index],
            q50=column["q50"][index],
            q90=column["q90"][index],
            vol_raw=column["vol_raw"][index],
            vol_risk=column["vol_risk"][index],
            prob_up=column["prob_up"][index],
            economically_significant=column["economically_significant"][index],
            high_quality=column["high_quality"][index],
            tradeable=column["tradeable"][index],
            side=column["side"][index],
        )

    def values(self, index: int) -> dict[str, Any]:
        """Every column of a row; ``side`` as its name, what is not known as None."""
        # NaN alone is not equal to itself.
        found = {name: None if (value := values[index]) != value else value for name, values in self._columns.items()}
        found["side"] = self._columns["side"][index].value
        return found

    def newest(self, at_ns: int) -> int | None:
        """Place of the newest row at or before ``at_ns``, however old; None before the first."""
        place = bisect_right(self.times_ns, at_ns) - 1
        return place if place >= 0 else None

    def at(self, at_ns: int, tolerance_ns: int | None = None) -> Q50Row | None:
        """The newest row at or before ``at_ns`` that is at most ``tolerance_ns`` old, never a later one.

        Without a tolerance it is ``spacing_at`` that row; the first row has none and applies only at its very time.
        """
        place = self.newest(at_ns)
        if place is None:
            return None
        tolerance = self._spacings[place] if tolerance_ns is None else tolerance_ns
        return self.row(place) if at_ns - self.times_ns[place] <= tolerance else None

    def between(self, start_ns: int, end_ns: int) -> range:
        """Places of the rows from ``start_ns`` to ``end_ns``, both included."""
        return range(bisect_left(self.times_ns, start_ns), bisect_right(self.times_ns, end_ns))


class Q50Frame:
    """The series of all instruments. The name of the only one may be None: a frame that names none."""

    def __init__(self, series: Sequence[Q50Series]) -> None:
        if not series or not any(len(each) for each in series):
            raise BadInput("the frame has no rows", hint="export it again: every row was empty or unusable")
        self._series = {each.instrument: each for each in series}
        if len(self._series) != len(series):
            raise BadInput("an instrument occurs twice", hint="one series per instrument")

    def __len__(self) -> int:
        return sum(map(len, self._series.values()))

    def __iter__(self) -> Iterator[Q50Series]:
        return iter(self._series.values())

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names of the instruments, as in the file."""
        return tuple(name for name in self._series if name is not None)

    def find(self, instrument: str) -> Q50Series | None:
        """The series of an instrument, if the frame has it."""
        return self._series.get(instrument)

    def chosen(self, instrument: str | None = None) -> Q50Series:
        """The series of ``instrument``, or the only one. Raises ConfigError where that is not one series."""
        names = ", ".join(self.instruments[:10]) + (", …" if len(self.instruments) > 10 else "")
        if instrument is None:
            if len(self._series) == 1:
                return next(iter(self._series.values()))
            raise ConfigError(
                f"the frame has {len(self._series)} instruments: {names}",
                hint="say which one speaks for the market: q50.instrument, or --instrument",
            )
        found = self._series.get(instrument)
        if found is None and not self.instruments and len(self._series) == 1:
            # The only series has no name, so it cannot be another one than the one that is meant.
            return next(iter(self._series.values()))
        if found is None:
            raise ConfigError(f"the frame has no instrument {instrument!r}", hint=f"it has {names}")
        return found


def _packed(values: Sequence[Any]) -> Sequence[Any]:
    """The same values in memory that nobody can change: machine numbers where they are all of one kind."""
    if isinstance(values, memoryview):
        # A view that is read-only may still show an array that its owner changes.
        return values if isinstance(values.obj, bytes) else _packed(values.tolist())
    kinds = set(map(type, values))
    if kinds == {bool}:
        return memoryview(bytes(values)).cast("?")
    if kinds == {float}:
        return memoryview(array("d", values).tobytes()).cast("d")
    if kinds == {int} and all(-_INT64 <= value < _INT64 for value in values):
        return memoryview(array("q", values).tobytes()).cast("q")
    return tuple(values)


def _check_order(times_ns: Sequence[int]) -> None:
    past = None
    for at_ns in times_ns:
        if past is not None and at_ns <= past:
            raise BadInput("the times of a series do not rise", hint="sort the rows; a time may occur once")
        past = at_ns


def _spacings(times_ns: Sequence[int]) -> Sequence[int]:
    """For each row the median of the last steps up to it; of an even number of them the lower one, so that it is a step
    that occurs. A median of all steps would know the times of later rows.
    """
    steps = [later - earlier for earlier, later in pairwise(list(times_ns))]
    found, ordered = [0], list[int]()
    for place, step in enumerate(steps):
        if place >= _WINDOW:
            del ordered[bisect_left(ordered, steps[place - _WINDOW])]
        insort(ordered, step)
        found.append(ordered[(len(ordered) - 1) // 2])
    return _packed(found[: len(times_ns)])


def implied_side(q50: float, tradeable: bool) -> Side:
    """What a row says that names no side."""
    if not tradeable or q50 == 0:
        return Side.HOLD
    return Side.LONG if q50 > 0 else Side.SHORT
