"""The lake: swaps, states and candles in Parquet files.

Importing this loads no data library. LakeWriter and LakeReader do when they are named; without polars they raise
ConfigError.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pumpswap.market.lake.lake import Lake, day_of, is_lake
from pumpswap.market.lake.manifest import Coverage, LakeFile
from pumpswap.market.lake.rows import PoolStateSeen

if TYPE_CHECKING:
    from pumpswap.market.lake.merging import WriteCounts
    from pumpswap.market.lake.reader import LakeReader
    from pumpswap.market.lake.writer import LakeWriter

__all__ = [
    "Coverage",
    "Lake",
    "LakeFile",
    "LakeReader",
    "LakeWriter",
    "PoolStateSeen",
    "WriteCounts",
    "day_of",
    "is_lake",
]

_HOMES = {"LakeReader": "reader", "LakeWriter": "writer", "WriteCounts": "merging"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
