"""SlotTimes: when each slot was first heard of, so that what a node repeats grows old."""

from __future__ import annotations

from itertools import islice

from pumpswap.clock import NS_PER_SECOND, Clock

__all__ = ["SlotTimes"]

_SLOT_NS = 400_000_000
_MOST_KEPT = 8_192  # about an hour


class SlotTimes:
    """One for all feeds of a chain. ``stale_after_slots``: when no slot is new for as long as so many take, the chain
    stands still, or the node that tells of it.

    Any slot that was not heard of before is movement, not only a higher one: a single node that claims a slot of the
    far future must not make all that the others tell look old.
    """

    def __init__(self, clock: Clock, stale_after_slots: int = 50) -> None:
        self._clock = clock
        self._limit_ns = stale_after_slots * _SLOT_NS
        self._first_ns: dict[int, int] = {}
        self._lowest = 0  # of those that are remembered
        self._newest: tuple[int, int] | None = None  # slot that was new last, and when

    def hear(self, slot: int) -> int:
        """An answer of this slot has come. Returns since when, in nanoseconds, the slot is known."""
        known = self._first_ns.get(slot)
        if known is not None:
            return known
        if slot < self._lowest:
            return next(iter(self._first_ns.values()))
        now = self._clock.now_ns()
        self._first_ns[slot] = now
        self._newest = slot, now
        if len(self._first_ns) > _MOST_KEPT:
            self._first_ns = dict(islice(self._first_ns.items(), _MOST_KEPT // 2, None))
            self._lowest = min(self._first_ns)
        return now

    def obstacle(self) -> str:
        """That the chain stands still; empty while it moves, and before anything was heard."""
        if self._newest is None or self._clock.now_ns() - self._newest[1] <= self._limit_ns:
            return ""
        seconds = self._limit_ns / NS_PER_SECOND
        return f"the chain stands still: nothing but slot {self._newest[0]} for more than {seconds:g} s"
