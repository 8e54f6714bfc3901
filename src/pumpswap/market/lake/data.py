"""polars, which is an extra: modules that need it import it from here, and say what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpswap.errors import ConfigError, StorageError

try:
    import polars as pl
except ImportError:
    raise ConfigError("the lake needs polars, which is missing", hint="pip install 'pumpswap[data]'") from None

__all__ = ["collected", "pl", "scanned"]


def collected(frame: pl.LazyFrame, *, streaming: bool = False) -> pl.DataFrame:
    """``frame.collect()``. Raises StorageError where a file of the lake is damaged or gone."""
    try:
        return frame.collect(engine="streaming") if streaming else frame.collect()
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pl.exceptions.PanicException, OSError) as broken:
        what = f"a file of the lake cannot be read: {str(broken).splitlines()[0][:200]}"
        raise StorageError(what, hint="pumpswap data verify names what is damaged") from None


def scanned(paths: Path | list[Path], **options: Any) -> pl.LazyFrame:
    """Rows of exactly these files: a name with brackets or an asterisk is no pattern, a folder no column."""
    return pl.scan_parquet(paths, hive_partitioning=False, glob=False, **options)
