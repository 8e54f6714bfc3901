"""Drift: the difference of two runs, every lamport of it under a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pumpswap.analytics.drift.causes import Cause, split
from pumpswap.analytics.drift.pairs import matched
from pumpswap.analytics.drift.side import DriftRound, DriftSide
from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.intervals import mean_of

__all__ = ["Drift", "Pair", "drift_between"]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same chance, taken by both."""

    first: DriftRound
    second: DriftRound
    parts: Mapping[Cause, int]

    @property
    def difference_lamports(self) -> int:
        """By how much the first has earned more."""
        return self.first.gain_lamports - self.second.gain_lamports


@dataclass(frozen=True, slots=True)
class Drift:
    """``parts`` sum to ``difference_lamports``, which is positive where the first run has earned more.

    ``since_ns`` to ``until_ns`` is the time that both have in common, by the first one's clock; ``has_common_time``
    tells whether there is any. ``only_first`` and ``only_second`` are rounds of that time without a partner.
    """

    first: DriftSide
    second: DriftSide
    since_ns: int
    until_ns: int
    pairs: Sequence[Pair]
    only_first: Sequence[DriftRound]
    only_second: Sequence[DriftRound]
    parts: Mapping[Cause, int]

    @property
    def difference_lamports(self) -> int:
        """By how much the first run has earned more."""
        return self.first.gain_lamports - self.second.gain_lamports

    @property
    def has_common_time(self) -> bool:
        """Whether they were ever in the market together."""
        return self.until_ns > self.since_ns

    @property
    def per_pair(self) -> Estimate:
        """Mean difference of a pair in lamports, with an interval: whether it is more than chance."""
        return mean_of([float(pair.difference_lamports) for pair in self.pairs], "no chance was taken by both")


def drift_between(first: DriftSide, second: DriftSide, within_ns: int) -> Drift:
    """Match rounds that were opened within so long of each other, and split the whole difference."""
    later = second.offset_ns - first.offset_ns
    since, until = max(first.first_ns, second.first_ns - later), min(first.last_ns, second.last_ns - later)
    found, left, other_left = matched(first.rounds, second.rounds, within_ns, second_later_ns=later)
    only_first, outside = _parted(left, since, until)
    only_second, others_outside = _parted(other_left, since + later, until + later)
    pairs = [Pair(one, other, split(one, other)) for one, other in found]
    parts = dict.fromkeys(Cause, 0)
    for pair in pairs:
        for cause, lamports in pair.parts.items():
            parts[cause] += lamports
    parts[Cause.ONLY_FIRST] = _gain(only_first)
    parts[Cause.ONLY_SECOND] = -_gain(only_second)
    parts[Cause.OUTSIDE_FIRST] = _gain(outside)
    parts[Cause.OUTSIDE_SECOND] = -_gain(others_outside)
    parts[Cause.IDLE] = first.idle_lamports - second.idle_lamports
    parts[Cause.OTHER] = _unexplained(first) - _unexplained(second)
    return Drift(first, second, since, until, pairs, only_first, only_second, parts)


def _parted(rounds: Sequence[DriftRound], since: int, until: int) -> tuple[list[DriftRound], list[DriftRound]]:
    """Those that were opened in a time, the end included, and the others."""
    inside = [one for one in rounds if since <= one.opened_ns <= until]
    return inside, [one for one in rounds if not since <= one.opened_ns <= until]


def _gain(rounds: Sequence[DriftRound]) -> int:
    return sum(one.gain_lamports for one in rounds)


def _unexplained(side: DriftSide) -> int:
    """What neither its rounds nor its idle transactions have moved."""
    return side.gain_lamports - _gain(side.rounds) - side.idle_lamports
