"""What others have more or less of a coin because of us: ``research.backtest.holders`` as machine code."""

from __future__ import annotations

from typing import Any

import numpy as np

from pumpswap.research.kernel.acting import P_BASE, P_BOOST, P_RESERVE
from pumpswap.research.kernel.u128 import MOST, ZERO, div128_by_64, inlined, inner, mul64

__all__ = ["capped", "differs", "payable"]


@inner
def capped(differences: Any, holder: Any, sale: Any) -> Any:
    """``Holders.sale``: (units, least) that a seller sells now. ``sale`` is (units, least, what he had, known)."""
    units, least, had, is_known = sale
    difference = differences[holder]
    if difference == 0:
        return units, least
    wanted = np.int64(units)
    if is_known == 0:
        now = wanted + min(difference, 0)
    elif wanted == np.int64(had):
        now = wanted + difference
    else:
        now = min(wanted, np.int64(had) + difference)
    sold = np.uint64(max(now, 0))
    if units == ZERO:
        return sold, least
    high, low = mul64(least, sold)
    # More than 64 bits is a limit that no sale reaches.
    return sold, MOST if high >= units else div128_by_64(high, low, units)[0]


@inner
def payable(world: Any, pool: Any, base: Any, quote: Any) -> Any:
    """What of a gift that takes something a pool can give: no more than it has."""
    real = np.int64(world[pool, P_RESERVE]) - np.int64(world[pool, P_BOOST])
    least_base, least_quote = -np.int64(world[pool, P_BASE]), -real if real > 0 else np.int64(0)
    given, paid = np.int64(base), np.int64(quote)
    return np.uint64(max(given, least_base)), np.uint64(max(paid, least_quote))


@inlined
def differs(differences: Any, holder: Any, units: Any) -> None:
    """``Holders.differs``."""
    if holder != 0:
        differences[holder] += units
