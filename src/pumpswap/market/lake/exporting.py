"""Rows of the lake for other programs: CSV, JSON lines, Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from pumpswap.errors import StorageError
from pumpswap.market.lake.data import collected, pl, scanned
from pumpswap.market.lake.reader import LakeReader

__all__ = ["Told", "count_rows", "export_parquet", "export_text", "gathered", "texts"]

Told = Callable[[int], None]  # how many rows are written

# Whole numbers that nobody takes for an amount stay numbers in JSON.
_COUNTS = frozenset({"slot", "index", "trades_before", "position", "base_decimals", "quote_decimals", "buys", "sells"})
# A spreadsheet takes a cell that begins with one of these for a formula, and strangers choose the names of coins.
_FORMULA = r"^[=+\-@\t\r＝＋－＠]"
_FREE_TEXTS = (
    "pool",
    "pool_id",
    "dex",
    "name",
    "base_mint",
    "quote_mint",
    "signature",
    "trader",
    "timeframe",
    "source",
)


def count_rows(
    reader: LakeReader, kind: str, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
) -> int:
    """How many rows there are."""
    return int(collected(reader.frame(kind, pool, start_ns, end_ns).select(pl.len()), streaming=True).item())


def texts(frame: pl.DataFrame, shape: str) -> pl.DataFrame:
    """A frame as it goes into a text file: bytes in base64, JSON amounts as strings, no formulas in CSV."""
    changes = []
    for name, kind in frame.schema.items():
        if kind == pl.Binary:
            changes.append(pl.col(name).bin.encode("base64"))
        elif shape == "json" and kind.is_integer() and name not in _COUNTS:
            changes.append(pl.col(name).cast(pl.String))
        elif shape == "csv" and name in _FREE_TEXTS:
            clean = pl.col(name).str.replace_all(r"\p{C}", "�")
            is_formula = pl.col(name).str.contains(_FORMULA)
            changes.append(pl.when(is_formula).then(pl.lit("'") + clean).otherwise(clean).alias(name))
    return frame.with_columns(changes)


def export_text(pieces: Iterable[pl.DataFrame], shape: str, file: IO[str], told: Told | None = None) -> int:
    """Write frames as ``csv`` (with a header, that of the first frame) or ``json`` lines; returns how many rows."""
    count = 0
    for number, piece in enumerate(pieces):
        ready = texts(piece, shape)
        file.write(ready.write_csv(include_header=number == 0) if shape == "csv" else ready.write_ndjson())
        count += piece.height
        if told is not None:
            told(count)
    return count


def export_parquet(frame: pl.LazyFrame, path: Path) -> int:
    """Write a frame as one Parquet file; returns how many rows, in the order in which the lake has them."""
    try:
        frame.sink_parquet(path, compression="zstd")
    except (pl.exceptions.ComputeError, OSError) as failed:
        reason = str(failed).splitlines()[0][:200]
        hint = "is there space? pumpswap data verify tells whether the lake is sound"
        raise StorageError(f"{path.name} cannot be written: {reason}", hint=hint) from None
    return int(collected(scanned(path).select(pl.len())).item())


def gathered(pieces: Iterable[pl.DataFrame]) -> pl.LazyFrame:
    """Frames as one; there is at least one."""
    return pl.concat(list(pieces)).lazy()
