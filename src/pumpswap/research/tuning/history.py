"""Histories that are played many times: held in memory, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pumpswap.research.chronicle.step import Chronicle, ChronicleIdentity, Range, ScheduleFor, Step, StepTimes

__all__ = ["MOST_HELD", "HeldHistory", "HistoryPart", "held"]

MOST_HELD = 250_000  # steps: half a gigabyte for each process


class HeldHistory:
    """A chronicle whose steps are made once and kept: for thousands of runs over the same one. It can be pickled, and
    is what travels to other machines.
    """

    def __init__(self, chronicle: Chronicle) -> None:
        self.location = chronicle.location
        self.assumptions = chronicle.assumptions
        self.identity = chronicle.identity
        self.counts = dict(chronicle.counts)
        self.slots: StepTimes = chronicle.slots
        self.complete: Mapping[str, tuple[Range, ...]] = dict(chronicle.complete)
        self.span_ns = chronicle.span_ns
        self.schedule_for: ScheduleFor = chronicle.schedule_for
        self._steps = tuple(chronicle.steps())

    def steps(self) -> Iterator[Step]:
        """All of them, in order."""
        return iter(self._steps)


def held(chronicle: Chronicle) -> Chronicle:
    """In memory where it fits (two kilobytes a step); a larger one is read again for every run."""
    return HeldHistory(chronicle) if chronicle.identity.steps <= MOST_HELD else chronicle


class HistoryPart:
    """A chronicle from ``since_ns`` up to a moment, which is not in it."""

    def __init__(self, whole: Chronicle, since_ns: int, until_ns: int) -> None:
        self._whole, self.since_ns, self.until_ns = whole, since_ns, until_ns
        self.location = whole.location
        self.assumptions = whole.assumptions
        self.slots: StepTimes = whole.slots
        self.schedule_for: ScheduleFor = whole.schedule_for
        self.counts: Mapping[str, int] = {}
        # A name for what it is a part of: nobody reads its steps only to count and to hash them.
        name = f"{whole.identity.sha256} {since_ns} {until_ns}"
        self.identity = ChronicleIdentity(name, whole.identity.steps, whole.identity.pools)
        self.complete: Mapping[str, tuple[Range, ...]] = {
            pool: tuple((since, min(until, until_ns)) for since, until in ranges if since < until_ns)
            for pool, ranges in whole.complete.items()
        }

    @property
    def span_ns(self) -> Range:
        """Of the part, whether or not something happened at its ends."""
        since, until = self._whole.span_ns
        return max(since, self.since_ns), min(until, self.until_ns - 1)

    def steps(self) -> Iterator[Step]:
        """Those between the two moments."""
        for step in self._whole.steps():
            if step.at_ns >= self.until_ns:
                return
            if step.at_ns >= self.since_ns:
                yield step
