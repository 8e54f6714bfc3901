"""Statistics of a comparison of two scores: ranks, correlations, quantiles, and intervals by resampling whole pools.

Pure. Floats are right here: these are statistics, not money. Every function gives the same result for the same rows in
any order, and intervals mirror exactly when the two scores change places.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum, sqrt
from random import Random

__all__ = ["Interval", "bootstrap", "groups_of", "kendall", "mean", "midranks", "quantile", "spearman"]

Totals = tuple[float, ...]

_LEAST_DRAWS, _MOST_WORK = 400, 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the range around it; ``level`` is 0.95 for a 95 % interval."""

    point: float
    low: float
    high: float
    level: float

    @property
    def half_width(self) -> float:
        """The larger distance from the estimate to an end."""
        return max(self.high - self.point, self.point - self.low)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean. Raises ValueError without values."""
    if not values:
        raise ValueError("no values have no mean")
    return fsum(values) / len(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics. Raises ValueError without values."""
    if not values:
        raise ValueError("no values have no quantile")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def midranks(values: Sequence[float]) -> list[float]:
    """Rank of each value from 1 (the lowest) up; equal values share the mean of their ranks."""
    ordered = sorted(values)
    ranks = {value: (bisect_left(ordered, value) + bisect_right(ordered, value) + 1) / 2 for value in set(ordered)}
    return [ranks[value] for value in values]


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Correlation of the ranks, −1 to 1. None below two pairs, and where all values of one side are equal."""
    x, y = midranks(first), midranks(second)
    if len(x) < 2:
        return None
    middle = (len(x) + 1) / 2
    covariance = fsum((a - middle) * (b - middle) for a, b in zip(x, y, strict=True))
    spread = fsum((a - middle) ** 2 for a in x) * fsum((b - middle) ** 2 for b in y)
    return max(-1.0, min(1.0, covariance / sqrt(spread))) if spread else None


def kendall(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b: agreeing less contradicting pairs over all, ties allowed for. None as for ``spearman``.

    Counted by merge sort (Knight 1966), so that thousands of pools take milliseconds.
    """
    pairs = sorted(zip(first, second, strict=True))
    total = _pairs(len(pairs))
    tied_first = sum(_pairs(len(list(same))) for _, same in groupby(pairs, key=lambda pair: pair[0]))
    tied_both = sum(_pairs(len(list(same))) for _, same in groupby(pairs))
    tied_second = sum(_pairs(len(list(same))) for _, same in groupby(sorted(second)))
    spread = (total - tied_first) * (total - tied_second)
    if not spread:
        return None
    _, swaps = _sorted_with_swaps([pair[1] for pair in pairs])
    return (total - tied_first - tied_second + tied_both - 2 * swaps) / sqrt(spread)


def groups_of(values: Sequence[float], count: int) -> list[int]:
    """Which of ``count`` groups of about equal size each value falls into, 0 for the lowest.

    Equal values stay together: where many are equal, groups are uneven and some stay empty.
    """
    size = len(values)
    return [min(int(count * (rank - 0.5) / size), count - 1) for rank in midranks(values)]


def bootstrap(
    clusters: Sequence[Totals],
    statistics: Callable[[Totals], tuple[float, ...] | None],
    *,
    level: float,
    draws: int,
    random: Random,
) -> tuple[Interval, ...] | None:
    """Percentile intervals of statistics of sums, by drawing whole clusters with replacement.

    A cluster is what one pool contributes to each sum. Its observations share one fate, so drawing single observations
    would pretend to know more than is known. ``statistics`` gives None where the sums define nothing (nobody picked
    anything); such draws are left out. An interval always holds its estimate: where resampling says otherwise, it is
    widened. None when the clusters themselves define nothing, or fewer than half of the draws do.

    ``draws`` is the most: beyond 2,000 clusters fewer are made, but never below 400, so that it ends in seconds.
    """
    columns = list(zip(*clusters, strict=True))
    points = statistics(tuple(fsum(column) for column in columns)) if clusters else None
    if points is None:
        return None
    places, found = range(len(clusters)), []
    draws = min(draws, max(_LEAST_DRAWS, _MOST_WORK // len(clusters)))
    for _ in range(draws):
        drawn = random.choices(places, k=len(clusters))
        values = statistics(tuple([sum(map(column.__getitem__, drawn)) for column in columns]))
        if values is not None:
            found.append(values)
    if 2 * len(found) < draws:
        return None
    # The same number of draws is cut off at both ends, so that mirrored statistics have mirrored intervals.
    cut = int(len(found) * (1 - level) / 2)
    intervals = []
    for point, column in zip(points, zip(*found, strict=True), strict=True):
        ordered = sorted(column)
        low, high = ordered[cut], ordered[len(ordered) - 1 - cut]
        intervals.append(Interval(point, min(low, point), max(high, point), level))
    return tuple(intervals)


def _pairs(number: int) -> int:
    return number * (number - 1) // 2


def _sorted_with_swaps(values: list[float]) -> tuple[list[float], int]:
    """The values in order, and how many neighbours a bubble sort would have exchanged."""
    if len(values) < 2:
        return values, 0
    middle = len(values) // 2
    left, swaps_left = _sorted_with_swaps(values[:middle])
    right, swaps_right = _sorted_with_swaps(values[middle:])
    merged: list[float] = []
    swaps, taken = swaps_left + swaps_right, 0
    for value in right:
        while taken < len(left) and left[taken] <= value:
            merged.append(left[taken])
            taken += 1
        swaps += len(left) - taken
        merged.append(value)
    return merged + left[taken:], swaps
