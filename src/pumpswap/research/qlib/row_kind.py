"""RowKind: which rows of a source are exported; and which candles make up a bar."""

from __future__ import annotations

from enum import Enum

from pumpswap.market.candle_file import TIMEFRAMES

__all__ = ["RowKind", "useful"]


class RowKind(Enum):
    """Which rows of a source are exported."""

    AUTO = "auto"  # enhanced where there are any, else snapshots, else candles; of a lake its candles
    SNAPSHOTS = "snapshots"
    ENHANCED = "enhanced"
    CANDLES = "candles"


def useful(seconds: int) -> tuple[str, ...]:
    """Lengths of candles that make up bars of so many seconds, longest first."""
    lengths = sorted(TIMEFRAMES.items(), key=lambda one: -one[1])
    return tuple(name for name, length in lengths if length <= seconds and seconds % length == 0)
