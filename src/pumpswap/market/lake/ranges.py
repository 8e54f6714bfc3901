"""Ranges of time, half open: ``start_ns`` is in, ``end_ns`` is not. What is covered, and where the holes are."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Range", "missing_from", "united"]

Range = tuple[int, int]


def united(ranges: Iterable[Range]) -> list[Range]:
    """The same moments in as few ranges as possible, rising. Empty ranges vanish."""
    result: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def missing_from(covered: Iterable[Range], start_ns: int, end_ns: int) -> list[Range]:
    """What of start…end is in no range of ``covered``."""
    holes: list[Range] = []
    at = start_ns
    for start, end in united(covered):
        if start >= end_ns:
            break
        if start > at:
            holes.append((at, start))
        at = max(at, end)
    if at < end_ns:
        holes.append((at, end_ns))
    return holes
