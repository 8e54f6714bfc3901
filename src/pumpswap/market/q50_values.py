"""Values of a Q50 file, whatever type they were written in, as what they mean: numbers, flags, sides, times.

A missing value is NaN in numbers, −1 in flags and NOT_A_TIME in times. A value that cannot be read is never missing:
it is refused, with its column and row. Needs numpy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from pumpswap.clock import datetime_ns, parse_utc
from pumpswap.errors import BadInput
from pumpswap.model import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MISSING_SIDE", "NOT_A_TIME", "SIDES", "SideCode", "flags", "loose", "numbers", "sides", "texts", "times_ns"]

SideCode: TypeAlias = Literal["frame", "plan"]

NOT_A_TIME = int(np.iinfo(np.int64).min)
MISSING_SIDE = -128
# The code of the frame, and the one that the design documents use for the same thing.
SIDES: dict[SideCode, dict[int, Side]] = {
    "frame": {1: Side.LONG, 0: Side.SHORT, -1: Side.HOLD},
    "plan": {1: Side.LONG, 0: Side.HOLD, -1: Side.SHORT},
}
_FRAME_CODES = {side: code for code, side in SIDES["frame"].items()}

_NOTHING = frozenset({"", "nan", "none", "null", "na", "<na>", "nat"})
_TRUE, _FALSE = frozenset({"true", "1", "1.0"}), frozenset({"false", "0", "0.0"})
_LATEST = np.datetime64("2262-01-01")
_LARGEST_FLOAT = sys.float_info.max
# Unix times by their size, for every year from 1973 to 5138. Smaller numbers are days or counts of rows.
_LEAST_SECONDS = 100_000_000
_UNIT_NS = ((10**11, 1_000_000_000), (10**14, 1_000_000), (10**17, 1_000), (2**63, 1))


def numbers(name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Floats; numerals in text are read. Raises BadInput."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind in "OUST":
        return np.array(_each(name, values, _number, "is no number"), dtype=np.float64)
    raise BadInput(f"column {name} holds {values.dtype}, not numbers", hint="write it as floating-point numbers")


def flags(name: str, values: NDArray[Any]) -> NDArray[np.int8]:
    """1, 0, or −1 where nothing is said. Raises BadInput for anything but true and false, 1 and 0."""
    if values.dtype.kind == "b":
        return values.astype(np.int8)
    if values.dtype.kind in "iuf":
        asked = values.astype(np.float64)
        known = ~np.isnan(asked)
        wrong = known & (asked != 0) & (asked != 1)
        if wrong.any():
            _refuse(name, int(np.argmax(wrong)), values[int(np.argmax(wrong))], "is neither true nor false")
        return np.where(known, np.nan_to_num(asked), -1).astype(np.int8)
    if values.dtype.kind in "OUST":
        return np.array(_each(name, values, _flag, "is neither true nor false"), dtype=np.int8)
    raise BadInput(f"column {name} holds {values.dtype}, not flags", hint="write it as true and false")


def sides(values: NDArray[Any], code: SideCode) -> NDArray[np.int8]:
    """Codes of the frame (1 long, 0 short, −1 hold), MISSING_SIDE where nothing is said; names are read too.

    Raises BadInput for any other value: a side that is guessed is a trade in the wrong direction.
    """
    meaning = SIDES[code]

    def side(value: object) -> int | None:
        if isinstance(value, str) and value.strip().lower() in {each.value for each in Side}:
            return _FRAME_CODES[Side(value.strip().lower())]
        number = _number(value)
        if number is None or np.isnan(number):
            return None if number is None else MISSING_SIDE
        found = meaning.get(int(number)) if number in meaning else None
        return None if found is None else _FRAME_CODES[found]

    told = ", ".join(f"{number} {side.value}" for number, side in meaning.items())
    if values.dtype.kind == "b":
        raise BadInput("column side holds true and false", hint=f"its code is {told}")
    return np.array(_each("side", values, side, f"is no side (the code is {told})"), dtype=np.int8)


def times_ns(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    """Nanoseconds since 1970, UTC; what has no zone is read as UTC. Raises BadInput, also for times before 1970."""
    if values.dtype.kind == "M":
        if (values > _LATEST).any():
            raise BadInput(f"column {name} has times after 2261", hint="check the unit of the times")
        found = values.astype("datetime64[ns]").astype(np.int64)
    elif values.dtype.kind in "iuf":
        found = _unix_times(name, values)
    else:
        found = np.array(_each(name, values, _moment, "is no time"), dtype=np.int64)
    early = (found < 0) & (found != NOT_A_TIME)
    if early.any():
        _refuse(name, int(np.argmax(early)), values[int(np.argmax(early))], "is before 1970")
    return found


def texts(values: NDArray[Any]) -> NDArray[np.object_]:
    """Names; None where nothing is said."""
    return _objects([None if _is_nothing(value) else str(value).strip() for value in values.tolist()])


def loose(values: NDArray[Any]) -> NDArray[Any]:
    """A column that no decision needs, in the type that it has: bools, whole numbers, numbers, or texts.

    What is not known is NaN or None, and so is an infinity.
    """
    kind = values.dtype.kind
    if kind == "b":
        return values
    if kind == "i" or (kind == "u" and values.dtype.itemsize < 8):
        return values.astype(np.int64)
    if kind == "u":
        kind, values = "f", values.astype(np.float64)  # it need not fit into the others' integers
    if kind == "f":
        found = values.astype(np.float64)
        return np.where(np.isinf(found), np.nan, found)
    known = [None if _is_nothing(value) else value for value in values.tolist()]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return np.array(known, dtype=bool)
    numeric = kinds <= {float, int, type(None)} and kinds != {type(None)}
    if numeric and all(type(value) is not int or abs(value) <= _LARGEST_FLOAT for value in known):
        return loose(np.array([np.nan if value is None else value for value in known], dtype=np.float64))
    return _objects([None if value is None else str(value) for value in known])


# ----------------------------------------------------------------------------------------------------- one value


def _each(name: str, values: NDArray[Any], read: Callable[[Any], Any], wrong: str) -> list[Any]:
    found = []
    for row, value in enumerate(values.tolist()):
        meant = read(value)
        if meant is None:
            _refuse(name, row, value, wrong)
        found.append(meant)
    return found


def _objects(values: list[Any]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _refuse(name: str, row: int, value: object, wrong: str) -> None:
    raise BadInput(
        f"column {name}, row {row}: {str(value)[:40]!r} {wrong}", hint="rows are counted from 0; correct or drop it"
    )


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _NOTHING
    # pandas' own NA is neither equal nor unequal to itself, and must not be asked.
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _number(value: Any) -> float | None:
    if _is_nothing(value):
        return float("nan")
    try:
        return float(value.strip().replace("_", "x") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None


def _flag(value: Any) -> int | None:
    if _is_nothing(value):
        return -1
    text = str(value).strip().lower()
    return 1 if text in _TRUE else 0 if text in _FALSE else None


def _moment(value: Any) -> int | None:
    if _is_nothing(value):
        return NOT_A_TIME
    try:
        if isinstance(value, datetime):
            found = datetime_ns(value)
        else:
            found = parse_utc(value.isoformat() if isinstance(value, date) else value)
        return found if NOT_A_TIME < found < -NOT_A_TIME else None
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None


def _unix_times(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not known.size:
        return np.full(len(values), NOT_A_TIME)
    if known.min() < _LEAST_SECONDS:
        _refuse(name, int(np.argmin(np.where(np.isnan(values), np.inf, values))), known.min(), "is no Unix time")
    units = {next((unit for most, unit in _UNIT_NS if at < most), 0) for at in (float(known.min()), float(known.max()))}
    if len(units) > 1 or 0 in units:
        raise BadInput(f"column {name} mixes units of time", hint="write all times in one unit, or as dates")
    unit = units.pop()
    if values.dtype.kind != "f":
        return values.astype(np.int64) * unit
    return np.where(np.isnan(values), NOT_A_TIME, np.nan_to_num(values) * unit).astype(np.int64)
