"""Slots and their times: block times are whole seconds and several slots share one; a replay needs one clock."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from pumpswap.clock import NS_PER_SECOND

__all__ = ["SLOT_NS", "EvenSlots", "SlotTable"]

SLOT_NS = 400_000_000


class EvenSlots:
    """Slots of 400 ms, counted from a moment: for sources that tell no slots, or make their own."""

    def __init__(self, first_slot: int = 0, start_ns: int = 0) -> None:
        self._first_slot, self._start_ns = first_slot, start_ns

    def time_of(self, slot: int) -> int:
        """When a slot begins, nanoseconds."""
        return self._start_ns + (slot - self._first_slot) * SLOT_NS

    def slot_of(self, at_ns: int) -> int:
        """The slot in which a moment lies."""
        return self._first_slot + (at_ns - self._start_ns) // SLOT_NS


class SlotTable:
    """Recorded slots with the seconds of their blocks, as strictly rising times.

    The first slot of a second begins with it and the others follow at 400 ms; where they would reach the next second
    they share it. Slots between recorded ones are interpolated, in integers.
    """

    def __init__(self, seen: Iterable[tuple[int, int]]) -> None:
        """``seen``: (slot, time of its block in nanoseconds), in any order and as often as they come."""
        self._slots: list[int] = []
        self._times: list[int] = []
        seconds: dict[int, int] = {}
        for slot, at_ns in seen:
            second = at_ns // NS_PER_SECOND
            seconds[slot] = min(seconds.get(slot, second), second)
        self._place(sorted(seconds.items()))

    def __len__(self) -> int:
        return len(self._slots)

    def time_of(self, slot: int) -> int:
        """When a slot begins, nanoseconds."""
        slots, times = self._slots, self._times
        at = bisect_right(slots, slot) - 1
        if at < 0 or at == len(slots) - 1:
            if not slots:
                return slot * SLOT_NS
            edge = max(at, 0)
            return times[edge] + (slot - slots[edge]) * SLOT_NS
        if slots[at] == slot:
            return times[at]
        return times[at] + (slot - slots[at]) * (times[at + 1] - times[at]) // (slots[at + 1] - slots[at])

    def slot_of(self, at_ns: int) -> int:
        """The slot in which a moment lies."""
        slots, times = self._slots, self._times
        at = bisect_right(times, at_ns) - 1
        if at < 0 or at == len(slots) - 1:
            if not slots:
                return at_ns // SLOT_NS
            edge = max(at, 0)
            return slots[edge] + (at_ns - times[edge]) // SLOT_NS
        slot = slots[at] + (at_ns - times[at]) * (slots[at + 1] - slots[at]) // (times[at + 1] - times[at])
        # The way there rounds down and the way back too: the next slot may have begun already.
        return slot + 1 if self.time_of(slot + 1) <= at_ns else slot

    def _place(self, rows: list[tuple[int, int]]) -> None:
        start = 0
        while start < len(rows):
            end = start
            while end < len(rows) and rows[end][1] == rows[start][1]:
                end += 1
            self._share(rows[start:end])
            start = end

    def _share(self, rows: list[tuple[int, int]]) -> None:
        """Times for the slots of one second."""
        first_slot, second = rows[0]
        # Block times never fall; where a source says so, its slots still keep their order.
        begin = max(second * NS_PER_SECOND, self._times[-1] + 1 if self._times else 0)
        room = max((second + 1) * NS_PER_SECOND - begin, len(rows))
        length = (rows[-1][0] - first_slot + 1) * SLOT_NS
        for slot, _ in rows:
            offset = (slot - first_slot) * SLOT_NS
            planned = begin + (offset * room // length if length > room else offset)
            self._slots.append(slot)
            self._times.append(max(planned, self._times[-1] + 1 if self._times else 0))
