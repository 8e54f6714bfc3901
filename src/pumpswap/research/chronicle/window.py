"""Window: which pools of a chronicle, and which part of its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from pumpswap.amm import PoolState
from pumpswap.amm.acts import Told
from pumpswap.research.chronicle.step import Exactness, Range, Step, StepTimes

__all__ = ["Numbering", "Window"]


class Numbering:
    """The order of steps within their slot, over all pools."""

    def __init__(self) -> None:
        self._slot, self._next = -1, 0

    def next(self, slot: int) -> int:
        """The number of the next step of a slot."""
        if slot != self._slot:
            self._slot, self._next = slot, 0
        self._next += 1
        return self._next - 1


@dataclass(frozen=True, slots=True)
class Window:
    """Which pools (all when empty), from when until before when, in nanoseconds."""

    pools: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None

    def wants(self, pool: str) -> bool:
        """Whether a pool is in it."""
        return not self.pools or pool in self.pools

    def clipped(self, ranges: Iterable[Range]) -> tuple[Range, ...]:
        """The parts of ranges of time that are in it."""
        found = []
        for begin, stop in ranges:
            start = begin if self.since_ns is None else max(begin, self.since_ns)
            end = stop if self.until_ns is None else min(stop, self.until_ns)
            if start < end:
                found.append((start, end))
        return tuple(found)

    def of(self, steps: Iterator[Step], slots: StepTimes, tally: Counter[str] | None = None) -> Iterator[Step]:
        """The steps in it; before them every pool as it was when it begins. What ``tally`` counted before it is
        forgotten.
        """
        if self.since_ns is None:
            return self._wanted(steps)
        return self._since(self._wanted(steps), self.since_ns, slots, Counter() if tally is None else tally)

    def _wanted(self, steps: Iterator[Step]) -> Iterator[Step]:
        for step in steps:
            if self.until_ns is not None and step.at_ns >= self.until_ns:
                return
            if self.wants(step.pool):
                yield step

    def _since(self, steps: Iterator[Step], since_ns: int, slots: StepTimes, tally: Counter[str]) -> Iterator[Step]:
        known: dict[str, PoolState] = {}
        exactness: dict[str, Exactness] = {}
        numbers, has_begun = Numbering(), False
        for step in steps:
            if step.at_ns < since_ns:
                known.pop(step.pool, None)
                if step.after is not None:
                    known[step.pool] = step.after
                if step.act is not None:
                    exactness[step.pool] = step.exactness
                tally.clear()
                continue
            if not has_begun:
                has_begun = True
                yield from _openings(known, exactness, (since_ns, slots.slot_of(since_ns)), numbers)
            yield msgspec.structs.replace(step, order=numbers.next(step.slot))
        if not has_begun:
            yield from _openings(known, exactness, (since_ns, slots.slot_of(since_ns)), numbers)


def _openings(
    known: Mapping[str, PoolState], exactness: Mapping[str, Exactness], moment: tuple[int, int], numbers: Numbering
) -> Iterator[Step]:
    """Every pool as it is now. A state that was only told before is not known any better now."""
    at_ns, slot = moment
    for pool, state in sorted(known.items()):
        how = exactness.get(pool, Exactness.EXACT)
        yield Step(at_ns, slot, numbers.next(slot), pool, Told(state), None, state, exactness=how)
