"""The table in a Q50 file, of whatever form: a pandas pickle, Parquet, CSV. The last two need polars."""

from __future__ import annotations

import io
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
    pl = _polars()
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"it cannot be read as Parquet: {_first_line(error)}", hint="write the file again") from None
    return _of_polars(frame, "parquet")


def _csv(raw: bytes) -> RawTable:
    pl = _polars()
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    head = raw[: raw.find(b"\n")] if b"\n" in raw else raw
    if not head.strip() or b"\x00" in head:
        raise BadInput("it is neither a pickle, Parquet nor CSV", hint="a CSV begins with a line of column names")
    if not raw.endswith((b"\n", b"\r")):
        raise BadInput(
            "the last line of the CSV is cut", hint="it ends without a line break: is it still being written?"
        )
    separator = next((each for each in (",", ";", "\t") if each.encode() in head), ",")
    try:
        frame = pl.read_csv(
            io.BytesIO(raw), separator=separator, null_values=_NULLS, infer_schema_length=None, raise_if_empty=False
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"it cannot be read as CSV: {_first_line(error)}", hint="write the file again") from None
    return _of_polars(frame, "csv")


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise ConfigError("Parquet and CSV need polars", hint=_DATA_EXTRA) from None
    return polars


def _first_line(error: Exception) -> str:
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
