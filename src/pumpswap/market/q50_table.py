"""The table in a Q50 file, of whatever form: index levels and columns as arrays, nothing interpreted yet.

Forms: a pandas pickle (a frame, or a dict that holds one), Parquet, CSV. Needs pandas for pickles, polars for the rest.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pumpswap.errors import BadInput, ConfigError
from pumpswap.market.q50_pickle import PICKLE_MARKS, load_pickle

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RawTable", "read_table"]

_DICT_KEYS = ("signals", "macro_features")
_MOST_ROWS = 20_000_000
_PARQUET, _ZSTD, _ZIP = b"PAR1", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_NULLS = ["", "nan", "NaN", "NULL", "null", "None", "NaT", "<NA>"]
_UNNAMED = ("", "Unnamed: 0", "Unnamed: 1")
_DATA_EXTRA = "pip install 'pumpswap[data]'"


@dataclass(frozen=True, slots=True)
class RawTable:
    """``index`` are the levels of the index with their names, None for a level without one; ``zones`` are the time
    zones that were converted to UTC.
    """

    form: str
    rows: int
    index: tuple[tuple[str | None, NDArray[Any]], ...]
    columns: dict[str, NDArray[Any]]
    zones: tuple[str, ...] = field(default=())


def read_table(raw: bytes, *, is_pickle: bool) -> RawTable:
    """The table in ``raw``, told by how it begins; ``is_pickle`` is what its name says, for old pickles that begin like
    text. Raises BadInput, and ConfigError where the library for its form is missing.
    """
    if raw.startswith(_PARQUET):
        return _parquet(raw)
    if raw.startswith((_ZSTD, _ZIP)):
        raise BadInput("it is packed in a way that is not read here", hint="unpack it first; .gz, .bz2, .xz are read")
    if is_pickle or raw.startswith(PICKLE_MARKS):
        return _pickled(raw)
    return _csv(raw)


# ------------------------------------------------------------------------------------------------------- pickles


def _pickled(raw: bytes) -> RawTable:
    try:
        import pandas as pd
    except ImportError:
        raise ConfigError("a pickled frame needs pandas", hint=_DATA_EXTRA) from None

    found = load_pickle(raw)
    if isinstance(found, Mapping):
        found = _of_dict(found)
    if not isinstance(found, pd.DataFrame):
        raise BadInput(f"the pickle holds {type(found).__name__}, not a frame", hint="pickle a pandas DataFrame")
    if len(found) > _MOST_ROWS:
        raise BadInput(f"the frame has {len(found):,} rows", hint=f"at most {_MOST_ROWS:,} are read")
    try:
        return _of_pandas(found)
    except (TypeError, ValueError, AttributeError, LookupError, AssertionError, MemoryError, RuntimeError) as error:
        # A frame that was put together by hand may be no frame inside.
        raise BadInput(f"the frame is damaged: {type(error).__name__}", hint="write it again") from None


def _of_dict(found: Mapping[Any, Any]) -> Any:
    import pandas as pd

    key = next((key for key in _DICT_KEYS if key in found), None)
    if key is None:
        held = ", ".join(str(name)[:30] for name in list(found)[:10]) or "nothing"
        raise BadInput(f"the dict in the pickle holds {held}", hint=f"it needs the key {' or '.join(_DICT_KEYS)}")
    inner = found[key]
    if isinstance(inner, Mapping) or (isinstance(inner, list) and all(isinstance(row, Mapping) for row in inner)):
        try:
            return pd.DataFrame(inner)
        except (TypeError, ValueError) as error:
            raise BadInput(f"{key} is no table: {str(error)[:100]}", hint="columns must be equally long") from None
    return inner


def _of_pandas(frame: Any) -> RawTable:
    import pandas as pd

    zones: list[str] = []
    if frame.columns.nlevels > 1:
        frame = frame.set_axis(frame.columns.get_level_values(-1), axis=1)
    names = [str(name) for name in frame.columns]
    _check_names(names)
    index = frame.index
    levels = [index.get_level_values(place) for place in range(index.nlevels)]
    if isinstance(index, pd.RangeIndex):
        levels = []
    return RawTable(
        form="pickle",
        rows=len(frame),
        index=tuple((None if level.name is None else str(level.name), _array(level, zones)) for level in levels),
        columns={name: _array(frame.iloc[:, place], zones) for place, name in enumerate(names)},
        zones=tuple(dict.fromkeys(zones)),
    )


def _array(values: Any, zones: list[str]) -> NDArray[Any]:
    """A numpy array of an index level or a column; times with a zone become UTC."""
    import pandas as pd

    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _array(values.astype(kind.categories.dtype), zones)
    if isinstance(kind, pd.DatetimeTZDtype):
        zones.append(str(kind.tz))
        return _array(pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None), zones)
    if isinstance(kind, np.dtype):
        return np.asarray(values.to_numpy())
    series: Any = pd.Series(values)
    return np.asarray(series.to_numpy(dtype=object, na_value=None))


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


def _check_names(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"columns occur twice: {', '.join(twice[:5])}", hint="rename or drop one of each")
