"""PastValues: percentiles of what was seen so far, exact, over a window of bounded size."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Sequence

from pumpswap.errors import BadInput, ConfigError

__all__ = ["PastValues", "percentile"]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the ordered values lie, by linear interpolation, as numpy does it.

    Raises ConfigError without values, or for a share that is none.
    """
    if not ordered or not 0 <= share <= 1:
        raise ConfigError(f"no percentile {share} of {len(ordered)} values", hint="a share is 0 to 1, of some values")
    place = share * (len(ordered) - 1)
    lower = math.floor(place)
    low, high = ordered[lower], ordered[min(lower + 1, len(ordered) - 1)]
    part = place - lower
    # From the nearer end, so that a part of 1 gives the value itself.
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


class PastValues:
    """The last ``size`` values, in the order in which they came and sorted. Adding costs a search and a shift."""

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ConfigError(f"a history of {size} values is none", hint="history_size is at least 1")
        self.size = size
        self._came: deque[float] = deque()
        self._ordered: list[float] = []

    def __len__(self) -> int:
        return len(self._came)

    def __iter__(self) -> Iterator[float]:
        return iter(self._came)

    def add(self, value: float) -> None:
        """Remember a value; the oldest makes room. Raises BadInput for what is no number."""
        if not math.isfinite(value):
            raise BadInput(f"{value} is no value of a history", hint="leave out what is not known")
        if len(self._came) == self.size:
            del self._ordered[bisect_left(self._ordered, self._came.popleft())]
        self._came.append(value)
        insort(self._ordered, value)

    def clear(self) -> None:
        """Forget everything."""
        self._came.clear()
        self._ordered.clear()

    def percentile(self, share: float) -> float:
        """See ``percentile``."""
        return percentile(self._ordered, share)

    def below(self, value: float) -> int:
        """How many values are smaller."""
        return bisect_left(self._ordered, value)

    def up_to(self, value: float) -> int:
        """How many values are not greater."""
        return bisect_right(self._ordered, value)

    def last(self, count: int) -> list[float]:
        """The newest values, oldest first."""
        held = len(self._came)
        return [self._came[place] for place in range(max(held - count, 0), held)]
