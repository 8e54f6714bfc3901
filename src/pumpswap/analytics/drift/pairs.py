"""Pairs: which round of one run is the same chance as which round of the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from pumpswap.analytics.drift.side import DriftRound

__all__ = ["matched"]

Matched = tuple[list[tuple[DriftRound, DriftRound]], list[DriftRound], list[DriftRound]]


def matched(
    first: Sequence[DriftRound], second: Sequence[DriftRound], within_ns: int, *, second_later_ns: int = 0
) -> Matched:
    """Pairs of the same pool that were opened within so long of each other, the nearest ones; then what is left of
    each. ``second_later_ns`` is by how much the second market's clock is ahead. Every round is in exactly one place.
    """
    pairs: list[tuple[DriftRound, DriftRound]] = []
    mine, others = _by_pool(first), _by_pool(second)
    left_first: list[DriftRound] = []
    left_second: list[DriftRound] = []
    for pool in dict.fromkeys([*mine, *others]):
        here, there = mine.get(pool, []), others.get(pool, [])
        near = sorted(
            (abs(one.opened_ns - other.opened_ns + second_later_ns), place, other_place)
            for place, one in enumerate(here)
            for other_place, other in _close(one, there, within_ns, second_later_ns)
        )
        taken, others_taken = set[int](), set[int]()
        for _, place, other_place in near:
            if place not in taken and other_place not in others_taken:
                taken.add(place)
                others_taken.add(other_place)
                pairs.append((here[place], there[other_place]))
        left_first += [one for place, one in enumerate(here) if place not in taken]
        left_second += [one for place, one in enumerate(there) if place not in others_taken]
    pairs.sort(key=lambda pair: (pair[0].opened_ns, pair[0].pool))
    return pairs, _in_order(left_first), _in_order(left_second)


def _close(
    one: DriftRound, others: Sequence[DriftRound], within_ns: int, later_ns: int
) -> Sequence[tuple[int, DriftRound]]:
    """Of rounds in order of opening, with their places."""
    if not one.is_comparable:
        return []
    at_ns = one.opened_ns + later_ns
    first = bisect_left(others, at_ns - within_ns, key=_opened)
    last = bisect_right(others, at_ns + within_ns, key=_opened)
    return [(place, others[place]) for place in range(first, last) if others[place].is_comparable]


def _opened(one: DriftRound) -> int:
    return one.opened_ns


def _by_pool(rounds: Sequence[DriftRound]) -> dict[str, list[DriftRound]]:
    found: dict[str, list[DriftRound]] = {}
    for one in _in_order(rounds):
        found.setdefault(one.pool, []).append(one)
    return found


def _in_order(rounds: Sequence[DriftRound]) -> list[DriftRound]:
    return sorted(rounds, key=lambda one: (one.opened_ns, one.pool))
