"""Signal: what market data say about a pool, before anybody thinks of money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Side", "Signal"]


class Side(Enum):
    """Direction of a signal. Short on PumpSwap means: sell what is held."""

    LONG = "long"
    SHORT = "short"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Signal:
    """``score`` is 0 to 100, ``strength`` 0 to 1; ``reasons`` are short sentences with their numbers."""

    pool: str
    at_ns: int
    side: Side
    score: float
    strength: float
    source: str
    reasons: tuple[str, ...] = ()
    mint: str | None = None
    name: str = ""
