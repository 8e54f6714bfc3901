"""Q50 files: a pickle, Parquet or CSV becomes a Q50Frame, or a refusal that says what to change."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pumpswap.clock import format_utc
from pumpswap.errors import BadInput, ConfigError, NotFound
from pumpswap.model import Q50Frame, Q50Series, Side
from pumpswap.model.q50 import Q50_LABEL, Q50_REQUIRED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pumpswap.market.q50_table import RawTable
    from pumpswap.market.q50_values import SideCode

__all__ = ["CompleteRules", "Q50Reading", "read_q50"]

# Columns of a series in order of time → further columns, as many values in each.
CompleteRules: TypeAlias = Callable[[Mapping[str, Sequence[float]]], Mapping[str, Sequence[Any]]]

_TIME_NAMES = ("datetime", "timestamp")
_INSTRUMENT_NAMES = ("instrument", "symbol")
_NUMBERS = ("q10", "q50", "q90", "vol_raw", "vol_risk", "prob_up")
_FLAGS = ("economically_significant", "high_quality", "tradeable")
_PICKLE_ENDINGS = {".pkl", ".pickle", ".p"}
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Q50Reading:
    """A frame and how it was read. ``dropped`` counts rows by the reason why they cannot be used; ``repeated`` are rows
    that occurred again, word for word; ``notes`` are sentences about what was assumed; ``computed`` names the columns
    that the rules filled in; ``digest`` is the SHA-256 of the file.
    """

    frame: Q50Frame
    form: str
    digest: str
    rows_in_file: int
    dropped: Mapping[str, int]
    repeated: int
    notes: tuple[str, ...]
    computed: tuple[str, ...] = ()


def read_q50(path: Path, *, side_code: SideCode = "frame", complete: CompleteRules | None = None) -> Q50Reading:
    """Read a frame. ``complete`` computes columns that the file lacks, from q10, q50, q90 and vol_raw or vol_risk.

    Rows that lack a figure that a decision needs are dropped and counted. Raises NotFound, BadInput with all that is
    missing, and ConfigError where the library for the file's form is not installed.
    """
    raw = _bytes_of(path)
    try:
        import numpy  # noqa: F401  # said here once, instead of by whatever needs it first
    except ImportError:
        raise ConfigError("Q50 files need numpy", hint="pip install 'pumpswap[data]'") from None
    from pumpswap.market.q50_forms import read_table

    endings = {ending.lower() for ending in path.suffixes}
    try:
        table = read_table(raw, is_pickle=bool(endings & _PICKLE_ENDINGS))
        reading = _read(table, side_code, complete)
    except BadInput as error:
        raise BadInput(f"{path}: {error.what}", hint=error.hint) from None
    return Q50Reading(digest=hashlib.sha256(raw).hexdigest(), **reading)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path} is larger than {_MOST_BYTES:,} bytes", hint="export fewer rows or columns")
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", hint="q50.path names the frame: a pickle, Parquet or CSV") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder", hint="name the file of the frame") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint="check its permissions") from None


def _read(table: RawTable, side_code: SideCode, complete: CompleteRules | None) -> dict[str, Any]:
    import numpy as np

    times, instruments, taken = _keys(table)
    columns, notes = _typed_columns(table, taken, side_code)
    _check_present(columns, complete)
    keep, dropped = _usable(times, instruments, columns)
    order = np.lexsort((times[keep], _codes(instruments[keep])))
    places = np.flatnonzero(keep)[order]
    times, instruments = times[places], instruments[places]
    columns = {name: values[places] for name, values in columns.items()}
    first = _first_of_each(times, instruments, columns)
    repeated = int(len(first) - first.sum())
    times, instruments = times[first], instruments[first]
    columns = {name: values[first] for name, values in columns.items()}
    if not len(times):
        told = "; ".join(f"{count:,} rows: {reason}" for reason, count in dropped.items())
        raise BadInput("no row can be used" + (f": {told}" if told else ": it is empty"), hint="export it again")
    computed: dict[str, None] = {}
    series = []
    for mine in _runs(instruments):
        part = {column: values[mine] for column, values in columns.items()}
        computed.update(dict.fromkeys(_completed(part, complete)))
        series.append(Q50Series(instruments[mine.start] or None, _memory(times[mine]), _as_columns(part)))
    return {
        "frame": Q50Frame(series),
        "form": table.form,
        "rows_in_file": table.rows,
        "dropped": dict(dropped),
        "repeated": repeated,
        "notes": (*_zone_note(table), *notes),
        "computed": tuple(computed),
    }


# --------------------------------------------------------------------------------------- what a row is about


def _keys(table: RawTable) -> tuple[NDArray[Any], NDArray[Any], set[str]]:
    """Times, names of instruments ("" where the file names none), and the columns that they were taken from."""
    import numpy as np

    from pumpswap.market.q50_values import texts, times_ns

    is_alone = len(table.index) == 1
    levels = [(name, values) for name, values in table.index if not (is_alone and _is_count(name, values))]
    named = [level for level in levels if level[0] in _TIME_NAMES]
    timed = named or [level for level in levels if _holds_times(level[1])]
    others = [level for level in levels if not any(level is each for each in timed)]
    if len(timed) > 1 or len(others) > 1:
        told = ", ".join(str(name) for name, _values in levels)
        raise BadInput(f"the index has the levels {told}", hint="it should be (instrument, datetime) or one of times")
    taken: set[str] = set()
    if timed:
        times = times_ns(timed[0][0] or "index", timed[0][1])
    else:
        times = _times_of_column(table, taken)
    taken |= {name for name in _TIME_NAMES if name in table.columns}
    if others:
        return times, _named(texts(others[0][1])), taken
    column = next((name for name in _INSTRUMENT_NAMES if name in table.columns), None)
    if column is None:
        names = np.empty(table.rows, dtype=object)
        names[:] = ""
        return times, names, taken
    return times, _named(texts(table.columns[column])), taken | {column}


def _times_of_column(table: RawTable, taken: set[str]) -> NDArray[Any]:
    import numpy as np

    from pumpswap.market.q50_values import times_ns

    found = [times_ns(name, table.columns[name]) for name in _TIME_NAMES if name in table.columns]
    if not found:
        held = ", ".join([str(name) for name, _values in table.index] + list(table.columns)[:8])
        raise BadInput(
            f"there is no time: it has {held or 'no columns'}",
            hint="an index of times, index levels (instrument, datetime), or a column timestamp or datetime",
        )
    if len(found) > 1 and not np.array_equal(found[0], found[1]):
        raise BadInput("the columns datetime and timestamp disagree", hint="drop the one that is not the row's time")
    return found[0]


def _is_count(name: str | None, values: NDArray[Any]) -> bool:
    """Whether an index of one level says nothing about a row but its number."""
    return name not in (*_TIME_NAMES, *_INSTRUMENT_NAMES) and values.dtype.kind in "biuf"


def _holds_times(values: NDArray[Any]) -> bool:
    from pumpswap.market.q50_values import times_ns

    if values.dtype.kind == "M":
        return True
    if values.dtype.kind in "biuf" or not len(values):
        return False
    try:
        times_ns("index", values[:1])
    except BadInput:
        return False
    return True


def _named(names: NDArray[Any]) -> NDArray[Any]:
    """Rows without a name keep None, and are dropped for it, unless the file names none at all."""
    if all(name is None for name in names):
        names[:] = ""
    return names


def _codes(names: NDArray[Any]) -> list[int]:
    """Instruments as numbers in order of their first row."""
    seen: dict[str, int] = {}
    return [seen.setdefault(name, len(seen)) for name in names]


def _runs(names: NDArray[Any]) -> list[slice]:
    """Where each instrument's rows are, in rows that are sorted by it. A mask per instrument would look at all rows as
    often as there are instruments.
    """
    import numpy as np

    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    return [slice(start, end) for start, end in pairwise(starts)]


def _zone_note(table: RawTable) -> tuple[str, ...]:
    others = [zone for zone in table.zones if zone.upper() != "UTC"]
    if others:
        return (f"times of the zone {', '.join(others)} became UTC",)
    return ("times are in UTC",) if table.zones else ("times without a zone were read as UTC",)


# ---------------------------------------------------------------------------------------------------- columns


def _typed_columns(table: RawTable, taken: set[str], side_code: SideCode) -> tuple[dict[str, NDArray[Any]], list[str]]:
    from pumpswap.market.q50_values import flags, loose, numbers, sides

    columns: dict[str, NDArray[Any]] = {}
    for name, values in table.columns.items():
        if name in taken or name == Q50_LABEL:
            continue
        if name in _NUMBERS:
            columns[name] = numbers(name, values)
        elif name in _FLAGS:
            columns[name] = flags(name, values)
        elif name == "side":
            columns[name] = sides(values, side_code)
        else:
            columns[name] = loose(values)
    notes = []
    if Q50_LABEL in table.columns:
        notes.append("the label (truth) was left out: it is known only afterwards")
    if "side" not in columns:
        notes.append("there is no column side: it follows from tradeable and the sign of q50")
    return columns, notes


def _check_present(columns: Mapping[str, object], complete: CompleteRules | None) -> None:
    missing = [name for name in Q50_REQUIRED if name not in columns]
    enough = {"q10", "q50", "q90"} <= columns.keys() and bool({"vol_raw", "vol_risk"} & columns.keys())
    if not missing or (complete and enough):
        return
    told = "; ".join(f"{name} ({Q50_REQUIRED[name]})" for name in missing)
    hint = "the producer of the frame must write them; see docs/q50.md"
    if enough:
        hint = "the rules can compute them: q50.complete_by_rules: true, or --complete"
    elif complete:
        hint = (
            "the rules compute what is missing from q10, q50, q90 and one of vol_raw and vol_risk: those must be there"
        )
    raise BadInput(f"{len(missing)} of {len(Q50_REQUIRED)} columns are missing: {told}", hint=hint)


def _usable(
    times: NDArray[Any], instruments: NDArray[Any], columns: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[Any], Counter[str]]:
    """Which rows have all that a decision needs, and why the others do not: each is counted once. Raises BadInput."""
    import numpy as np

    from pumpswap.market.q50_values import MISSING_SIDE, NOT_A_TIME

    keep = np.full(len(times), True)
    dropped: Counter[str] = Counter()

    def drop(wrong: NDArray[Any], reason: str) -> None:
        nonlocal keep
        count = int((wrong & keep).sum())
        if count:
            dropped[reason] += count
        keep = keep & ~wrong

    drop(times == NOT_A_TIME, "no time")
    drop(np.array([name is None for name in instruments], dtype=bool), "no instrument")
    for name in (*_NUMBERS, *_FLAGS, "side"):
        values = columns.get(name)
        if values is None:
            continue
        if name in _NUMBERS:
            _refuse_infinities(name, values)
            drop(np.isnan(values), f"{name} is missing")
        else:
            drop(values == (MISSING_SIDE if name == "side" else -1), f"{name} is missing")
    for name in ("vol_raw", "vol_risk"):
        if name in columns:
            drop(np.nan_to_num(columns[name]) < 0, f"{name} is negative")
    if "prob_up" in columns:
        chance = np.nan_to_num(columns["prob_up"])
        drop((chance < 0) | (chance > 1), "prob_up is outside 0…1")
    return keep, dropped


def _refuse_infinities(name: str, values: NDArray[Any]) -> None:
    import numpy as np

    count = int(np.isinf(values).sum())
    if count:
        raise BadInput(f"column {name} has {count:,} infinite values", hint="a model that says so is broken")


def _first_of_each(times: NDArray[Any], instruments: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Mask of sorted rows without those that repeat the one before. Raises BadInput where a repeated row differs."""
    import numpy as np

    again = np.full(len(times), False)
    again[1:] = (times[1:] == times[:-1]) & (instruments[1:] == instruments[:-1])
    places = np.flatnonzero(again)
    for name, values in columns.items():
        mine, before = values[places], values[places - 1]
        same = np.asarray(mine == before, dtype=bool)
        if values.dtype.kind == "f":
            same |= np.isnan(mine) & np.isnan(before)
        if not same.all():
            row = int(places[~same][0])
            raise BadInput(
                f"{int((~same).sum()):,} times occur twice with different values of {name}, "
                f"the first at {format_utc(int(times[row]))}",
                hint="keep one row per instrument and time; local times repeat an hour in autumn: write UTC",
            )
    return ~again


def _completed(part: dict[str, NDArray[Any]], complete: CompleteRules | None) -> list[str]:
    """Fill in what is missing by the rules; what is there stays."""
    import numpy as np

    if complete is None or all(name in part for name in Q50_REQUIRED):
        return []
    given = {name: part[name].tolist() for name in _NUMBERS if name in part}
    found = {name: values for name, values in complete(given).items() if name not in part}
    part.update({name: np.asarray(values) for name, values in found.items()})
    return list(found)


def _as_columns(part: Mapping[str, NDArray[Any]]) -> dict[str, Sequence[Any]]:
    from pumpswap.market.q50_values import SIDES

    named = SIDES["frame"]
    found: dict[str, Sequence[Any]] = {}
    for name, values in part.items():
        if name == "side":
            found[name] = [value if isinstance(value, Side) else named[value] for value in values.tolist()]
        elif name in _FLAGS:
            found[name] = _memory(values.astype(bool))
        elif values.dtype.kind == "O":
            found[name] = tuple(values.tolist())
        else:
            found[name] = _memory(values)
    return found


def _memory(values: NDArray[Any]) -> Sequence[Any]:
    """Memory of its own that nobody can write to."""
    code = {"b": "?", "i": "q", "f": "d"}[values.dtype.kind]
    packed: Sequence[Any] = memoryview(values.tobytes()).cast(code)  # type: ignore[call-overload]
    return packed
