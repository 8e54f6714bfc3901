"""Spell: a time in which a running engine was able to buy, or was not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ANALYSIS", "BROKEN", "STOPPING", "Spell"]

ANALYSIS = "analysis mode"  # nothing is ordered, as its owner wishes
BROKEN = "ended by an error"
STOPPING = "stopping"  # somebody has ended it, or its time was up


@dataclass(frozen=True, slots=True)
class Spell:
    """From ``began_ns`` until the last heartbeat that said the same. ``started_ns`` tells processes apart; ``reason``
    is what was in the way, empty where nothing was: names of faults, ``ANALYSIS``, ``BROKEN`` or
    ``STOPPING``.
    """

    started_ns: int
    began_ns: int
    ended_ns: int
    is_able: bool
    reason: str = ""
