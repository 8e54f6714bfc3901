"""The table in a Q50 file, of whatever form: a pandas pickle, Parquet, CSV. The last two need polars."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pumpswap.errors import BadInput, ConfigError
from pumpswap.market.q50_pickle import PICKLE_MARKS
from pumpswap.market.q50_pickled_frame import pickled_table
from pumpswap.market.q50_table import RawTable, check_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_table"]

_PARQUET, _ZSTD, _ZIP = b"PAR1", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_NULLS = ["", "nan", "NaN", "NULL", "null", "None", "NaT", "<NA>"]
_PROBE = "import io, sys, polars; polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))"
_PROBE_SECONDS = 60
_UNNAMED = ("", "Unnamed: 0", "Unnamed: 1")
_DATA_EXTRA = "pip install 'pumpswap[data]'"


def read_table(raw: bytes, *, is_pickle: bool) -> RawTable:
    """The table in ``raw``, told by how it begins; ``is_pickle`` is what its name says, for old pickles that begin like
    text. Raises BadInput, and ConfigError where the library for its form is missing.
    """
    if raw.startswith(_PARQUET):
        return _parquet(raw)
    if raw.startswith((_ZSTD, _ZIP)):
        raise BadInput("it is packed in a way that is not read here", hint="unpack it first; .gz, .bz2, .xz are read")
    if is_pickle or raw.startswith(PICKLE_MARKS):
        return pickled_table(raw)
    return _csv(raw)


# ----------------------------------------------------------------------------------------------- Parquet and CSV


def _parquet(raw: bytes) -> RawTable:
    _polars()
    _read_elsewhere(raw)
    return _by_polars("Parquet", lambda pl: pl.read_parquet(io.BytesIO(raw)))


def _read_elsewhere(raw: bytes) -> None:
    """Read Parquet in a process of its own first. A few flipped bytes make polars ask for 2^61 bytes and abort: here
    that would end whoever trades, there it is an exit code.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE], input=raw, capture_output=True, timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(
            f"it cannot be tried out in a process of its own: {type(error).__name__}", hint="write it as CSV"
        ) from None
    if done.returncode:
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
        reason = (
            f"polars ends on it (signal {-done.returncode})" if done.returncode < 0 else (said or ["no reason"])[-1]
        )
        raise BadInput(f"it cannot be read as Parquet: {reason[:200]}", hint="write the file again")


def _csv(raw: bytes) -> RawTable:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    head = raw[: raw.find(b"\n")] if b"\n" in raw else raw
    if not head.strip() or b"\x00" in head:
        raise BadInput("it is neither a pickle, Parquet nor CSV", hint="a CSV begins with a line of column names")
    if not raw.endswith((b"\n", b"\r")):
        raise BadInput(
            "the last line of the CSV is cut", hint="it ends without a line break: is it still being written?"
        )
    separator = next((each for each in (",", ";", "\t") if each.encode() in head), ",")
    check_names(_names(head, separator))
    given: dict[str, Any] = {"separator": separator, "null_values": _NULLS, "infer_schema_length": None}
    return _by_polars("CSV", lambda pl: pl.read_csv(io.BytesIO(raw), raise_if_empty=False, **given))


def _names(head: bytes, separator: str) -> list[str]:
    """Column names as they stand in the file: polars gives one that occurs twice another name."""
    try:
        return next(csv.reader(head.decode(errors="replace").splitlines()[:1], delimiter=separator))
    except csv.Error as error:
        raise BadInput(f"its column names cannot be read: {error}", hint="write the file again") from None


def _by_polars(form: str, read: Callable[[Any], Any]) -> RawTable:
    pl = _polars()
    try:
        return _of_polars(read(pl), form.lower())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, MemoryError) as error:
        # A panic is what polars makes of some damaged files; it is no Exception, so nobody above would catch it.
        raise BadInput(f"it cannot be read as {form}: {_first_line(error)}", hint="write the file again") from None


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise ConfigError("Parquet and CSV need polars", hint=_DATA_EXTRA) from None
    return polars


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _of_polars(frame: Any, form: str) -> RawTable:
    import polars as pl

    check_names(frame.columns)
    zones: list[str] = []
    index: list[tuple[str | None, NDArray[Any]]] = []
    columns: dict[str, NDArray[Any]] = {}
    for series in frame:
        values = series
        if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
            zones.append(series.dtype.time_zone)
            values = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        if series.dtype.is_nested() or series.dtype == pl.Object:
            raise BadInput(f"column {series.name} holds {series.dtype}", hint="write plain columns only")
        array = np.array(values.to_list(), dtype=object) if _is_loose(series) else values.to_numpy()
        # pandas writes a level without a name this way, and an index without one into a CSV.
        if series.name.startswith("__index_level_") or series.name in _UNNAMED:
            index.append((None, array))
        else:
            columns[series.name] = array
    return RawTable(form, frame.height, tuple(index), columns, tuple(dict.fromkeys(zones)))


def _is_loose(series: Any) -> bool:
    """Whether numpy has no type for the values: texts, decimals, flags and whole numbers with gaps."""
    return not (series.dtype.is_float() or series.dtype.is_temporal()) and (
        series.has_nulls() or not (series.dtype.is_integer() or str(series.dtype) == "Boolean")
    )
