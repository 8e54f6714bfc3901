"""PoolPoint: a pool at one moment, as a chart needs it."""

from __future__ import annotations

import msgspec

__all__ = ["PoolPoint"]


# Thousands for a chart, and they refer to nothing: the garbage collector need not look at them.
class PoolPoint(msgspec.Struct, frozen=True, gc=False):
    """``effective_quote_lamports`` over ``base_units`` is the spot price; ``real_quote_lamports`` is what is there."""

    pool: str
    at_ns: int
    base_units: int
    effective_quote_lamports: int
    real_quote_lamports: int
