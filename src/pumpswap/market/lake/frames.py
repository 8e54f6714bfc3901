"""Rows as frames: types of the columns, and a caller's frame made to fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumpswap.errors import BadInput
from pumpswap.market.lake.columns import Kind
from pumpswap.market.lake.data import pl

__all__ = ["ROW_GROUP_ROWS", "conformed", "extent", "frame_of", "polars_schema"]

ROW_GROUP_ROWS = 65_536  # small enough that one pool of a day is a few groups, large enough to compress well


def polars_schema(kind: Kind) -> dict[str, Any]:
    """Column types as polars has them."""
    types = {
        "text": pl.String,
        "u64": pl.UInt64,
        "i64": pl.Int64,
        "u32": pl.UInt32,
        "bool": pl.Boolean,
        "bytes": pl.Binary,
    }
    return {column.name: types[column.type] for column in kind.columns}


def frame_of(kind: Kind, rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows in the order of the columns as a frame."""
    return pl.DataFrame(rows, schema=polars_schema(kind), orient="row")


def conformed(kind: Kind, frame: pl.DataFrame) -> pl.DataFrame:
    """A caller's frame with exactly the columns of ``kind``: missing ones that may be null are null, ``source`` is "".

    Raises BadInput for a column that is missing, unknown, of a type that would have to be rounded, or null.
    """
    unknown = [name for name in frame.columns if name not in kind.names]
    if unknown:
        raise BadInput(f"{kind.name} have no column {', '.join(unknown)}", hint=f"they have {', '.join(kind.names)}")
    if "position" in kind.names and "position" not in frame.columns:
        frame = frame.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over("slot").alias("position"))
    ready = []
    for column, (name, wanted) in zip(kind.columns, polars_schema(kind).items(), strict=True):
        if name in frame.columns:
            ready.append(_cast(kind, frame.get_column(name), wanted, may_be_null=column.may_be_null))
        elif column.may_be_null or name == "source":
            ready.append(pl.Series(name, [None if column.may_be_null else ""], wanted).new_from_index(0, frame.height))
        else:
            raise BadInput(f"the rows have no column {name}", hint=f"{kind.name} need {', '.join(kind.names)}")
    result = pl.DataFrame(ready)
    _check_names(kind, result)
    return result


def extent(frame: pl.DataFrame, column: str) -> tuple[int, int]:
    """Smallest and largest value of a column of whole numbers; the frame has rows."""
    low, high = frame.select(pl.col(column).min().alias("low"), pl.col(column).max().alias("high")).row(0)
    return int(low), int(high)


def _check_names(kind: Kind, frame: pl.DataFrame) -> None:
    """Raises BadInput for a row that has no name, or a time that is none."""
    nameless = [name for name in kind.key if frame.schema[name] == pl.String and frame.get_column(name).eq("").any()]
    if nameless:
        raise BadInput(f"{kind.name}: {nameless[0]} is empty", hint=f"{', '.join(kind.key)} name a row of {kind.name}")
    if frame.get_column(kind.time).lt(0).any():
        raise BadInput(f"{kind.name}: {kind.time} is negative", hint="times are nanoseconds since 1970, UTC")


def _cast(kind: Kind, values: pl.Series, wanted: Any, *, may_be_null: bool) -> pl.Series:
    if not may_be_null and values.null_count():
        raise BadInput(f"{kind.name}: {values.name} is null in {values.null_count()} rows", hint="every row needs it")
    if values.dtype == wanted:
        return values
    if not (values.dtype.is_integer() and wanted.is_integer()):
        raise BadInput(f"{kind.name}: {values.name} is {values.dtype}, not {wanted}", hint="cast it without rounding")
    try:
        return values.cast(wanted, strict=True)
    except pl.exceptions.InvalidOperationError:
        hint = "amounts are whole raw units from 0 to 2^64-1"
        raise BadInput(f"{kind.name}: a value of {values.name} is not {wanted}", hint=hint) from None
