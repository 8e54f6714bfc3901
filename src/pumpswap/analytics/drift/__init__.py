"""Drift: why two runs of one market have not earned the same, cause by cause, to the lamport."""

from __future__ import annotations

from pumpswap.analytics.drift.causes import Cause, split
from pumpswap.analytics.drift.drift import Drift, Pair, drift_between
from pumpswap.analytics.drift.pairs import matched
from pumpswap.analytics.drift.side import DriftFill, DriftRound, DriftSide, rounds_of

__all__ = [
    "Cause",
    "Drift",
    "DriftFill",
    "DriftRound",
    "DriftSide",
    "Pair",
    "drift_between",
    "matched",
    "rounds_of",
    "split",
]
