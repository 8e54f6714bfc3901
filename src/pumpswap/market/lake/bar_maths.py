"""Exact figures of many bars at once. ``starts`` are the places of the first trade of each bar; a bar has a trade.

Floats only choose candidates: which of two prices is higher is decided in whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumpswap.market.lake.arrays import np, npt

__all__ = ["exact_sums", "highest", "lowest", "position_of_first", "position_of_last"]

Units = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_NEAR = 1e-15 * 4  # more than three roundings can move a price
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


def exact_sums(units: Units, starts: Places) -> Any:
    """Sums of amounts of each bar, whole numbers of any size: 64-bit sums would wrap, so the halves are added apart."""
    high = np.add.reduceat((units >> _HALF).astype(np.int64), starts)
    low = np.add.reduceat((units & _LOW).astype(np.int64), starts)
    if not (high >> 31).any():
        plain = high * 2**32 + low
        if (plain >= 0).all():
            return plain
    return [int(above) * 2**32 + int(below) for above, below in zip(high, low, strict=True)]


def position_of_first(base: Units, starts: Places) -> Places:
    """Place of the first trade with a price, −1 where none has one: a trade of no base has none."""
    count = len(base)
    found = np.minimum.reduceat(np.where(base > 0, np.arange(count), count), starts)
    return np.where(found == count, -1, found)


def position_of_last(base: Units, starts: Places) -> Places:
    """Place of the last trade with a price, −1 where none has one."""
    return np.maximum.reduceat(np.where(base > 0, np.arange(len(base)), -1), starts)


def highest(base: Units, quote: Units, starts: Places, ends: Places) -> Places:
    """Place of the first trade at the highest price."""
    price = _prices(base, quote)
    best = np.fmax.reduceat(price, starts)
    near = price >= _spread(best * (1 - _NEAR), starts, ends)
    return _chosen(near, (base, quote), starts, lambda mine, other: mine[1] * other[0] > other[1] * mine[0])


def lowest(base: Units, quote: Units, starts: Places, ends: Places) -> Places:
    """Place of the first trade at the lowest price."""
    price = _prices(base, quote)
    best = np.fmin.reduceat(price, starts)
    near = price <= _spread(best * (1 + _NEAR), starts, ends)
    return _chosen(near, (base, quote), starts, lambda mine, other: mine[1] * other[0] < other[1] * mine[0])


def _prices(base: Units, quote: Units) -> npt.NDArray[np.float64]:
    price = np.full(len(base), np.nan)
    np.divide(quote.astype(np.float64), base.astype(np.float64), out=price, where=base > 0)
    return price


def _spread(figures: npt.NDArray[np.float64], starts: Places, ends: Places) -> npt.NDArray[np.float64]:
    return np.repeat(figures, ends - starts)


def _chosen(
    near: npt.NDArray[np.bool_], amounts: tuple[Units, Units], starts: Places, is_better: Callable[[Any, Any], bool]
) -> Places:
    """The best of the candidates of each bar, the first of equals."""
    count = len(near)
    places = np.where(near, np.arange(count), count)
    found = np.minimum.reduceat(places, starts)
    found = np.where(found == count, -1, found)
    several = np.flatnonzero(np.add.reduceat(near.astype(np.int64), starts) > 1)
    if len(several):
        candidates = np.flatnonzero(near)
        bounds = np.append(starts, count)
        for bar in several:
            low, high = np.searchsorted(candidates, (bounds[bar], bounds[bar + 1]))
            found[bar] = _best(candidates[low:high], amounts, is_better)
    return found


def _best(places: Places, amounts: tuple[Units, Units], is_better: Callable[[Any, Any], bool]) -> int:
    base, quote = amounts[0][places].tolist(), amounts[1][places].tolist()
    best = 0
    for one in range(1, len(base)):
        if is_better((base[one], quote[one]), (base[best], quote[best])):
            best = one
    return int(places[best])
