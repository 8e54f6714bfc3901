"""MovingRange: the lowest and the highest of what was seen within a window of time, in little memory."""

from __future__ import annotations

from collections import deque

from pumpswap.clock import NS_PER_SECOND

__all__ = ["MovingRange"]

Seen = tuple[int, int]  # when, and what


class MovingRange:
    """Values come in order of time; an earlier time counts as the latest one. Of each second only the extremes are
    kept, so a window of 300 s has at most 302 of them on either side, however often it is fed; they may stay for up to
    a second longer than the window.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._lowest: deque[Seen] = deque()  # rising values: the first is the lowest
        self._highest: deque[Seen] = deque()  # falling values: the first is the highest
        self._latest_ns = 0

    def __len__(self) -> int:
        return len(self._lowest) + len(self._highest)

    def add(self, at_ns: int, value: int) -> tuple[Seen, Seen]:
        """Take a value over; the lowest and the highest of the window then, each with its time."""
        at_ns = self._latest_ns = max(at_ns, self._latest_ns)
        for kept, sign in ((self._lowest, 1), (self._highest, -1)):
            while kept and sign * kept[-1][1] >= sign * value:
                kept.pop()
            if kept and kept[-1][0] // NS_PER_SECOND == at_ns // NS_PER_SECOND:
                kept[-1] = at_ns, kept[-1][1]
            else:
                kept.append((at_ns, value))
            while kept[0][0] < at_ns - self._window_ns:
                kept.popleft()
        return self._lowest[0], self._highest[0]

    def restart(self) -> None:
        """Forget what was seen: what follows is compared with what follows."""
        self._lowest.clear()
        self._highest.clear()
