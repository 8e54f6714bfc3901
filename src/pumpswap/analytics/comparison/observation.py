"""Observation: one snapshot of a pool with both of its scores, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pumpswap.analytics.comparison.outcomes import RoundTrip

__all__ = ["PUMPSWAP", "Observation", "in_order"]

PUMPSWAP = "pumpswap"  # what the collector calls the exchange


@dataclass(frozen=True, slots=True)
class Observation:
    """``base`` and ``enhanced`` are 0 to 100. ``shifts`` are the points that each part of the enhanced score added to
    the base score or took from it; they add up to the difference. Without PumpSwap data both scores are the same, and
    ``missing`` says why. ``facts`` are figures for people, by name. ``trips`` holds a round trip, or None, for each
    horizon.
    """

    pool: str
    at_ns: int
    base: float
    enhanced: float
    name: str = ""
    dex: str = PUMPSWAP
    is_available: bool = True
    missing: str = ""
    shifts: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    trips: tuple[RoundTrip | None, ...] = ()


def in_order(observations: Iterable[Observation]) -> list[Observation]:
    """By pool and time, so that the order in which they came decides nothing."""

    def place(one: Observation) -> tuple[object, ...]:
        return one.pool, one.at_ns, one.base, one.enhanced, one.name, one.dex, one.missing

    return sorted(observations, key=place)
