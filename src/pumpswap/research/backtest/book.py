"""ReplayBook: pools of a chronicle. Where it is complete, a pool that nobody touched is known to be as it was."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from pumpswap.market.book import PoolBook
from pumpswap.research.chronicle.step import Range

__all__ = ["ReplayBook", "is_complete"]


class ReplayBook(PoolBook):
    """``complete`` are the times of each pool in which nothing can have happened that the chronicle does not tell: a
    state of them does not grow old. ``now`` is the engine's time; until it is there, states count from their update.
    """

    def __init__(self, complete: Mapping[str, tuple[Range, ...]]) -> None:
        super().__init__()
        self._complete = complete
        self._now: Callable[[], int] | None = None

    def follow(self, now: Callable[[], int]) -> None:
        """From now on this is the time."""
        self._now = now

    def observed_ns(self, pool: str) -> int | None:
        told = super().observed_ns(pool)
        ranges = self._complete.get(pool)
        if told is None or not ranges or self._now is None:
            return told
        place = bisect_right(ranges, told, key=_begin) - 1
        # Complete times that touch or overlap are one.
        until = told
        while 0 <= place < len(ranges) and ranges[place][0] <= until < ranges[place][1]:
            until = ranges[place][1]
            place += 1
        return max(told, min(self._now(), until))


def is_complete(ranges: Sequence[Range], at_ns: int) -> bool:
    """Whether a moment lies in one of these ranges, which are in order of time."""
    place = bisect_right(ranges, at_ns, key=_begin) - 1
    return place >= 0 and at_ns < ranges[place][1]


def _begin(one: Range) -> int:
    return one[0]
