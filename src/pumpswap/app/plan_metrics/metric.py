"""PlanMetric: one metric of the plan: what was aimed at, what was found, where it can be looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["TITLES", "PlanMetric", "Standing", "unmeasured"]


class Standing(Enum):
    """How a metric stands."""

    MET = "met"
    MISSED = "missed"
    NOT_SHOWN = "not shown by this data"  # measured, and too little to tell
    UNMEASURED = "not measured here"


# Name and target of each, in the plan's words.
TITLES: Mapping[str, tuple[str, str]] = {
    "M1": ("SDK functions working", "all five"),
    "M2": ("signal accuracy with feasibility", "better than the base score"),
    "M3": ("mean execution time", "< 5 s"),
    "M4": ("uptime in test", "≥ 95 %"),
    "M5": ("tradeable signals executed", "> 90 %"),
    "M6": ("mean slippage", "< 5 %"),
    "M7": ("position accuracy", "100 %"),
    "M8": ("position-limit violations", "0"),
    "M9": ("tests passing", "≥ 95 %"),
    "M10": ("database query time", "< 100 ms"),
    "M11": ("CLI commands working", "all"),
    "M12": ("sources of settings", "one"),
}


@dataclass(frozen=True, slots=True)
class PlanMetric:
    """``value`` is for people, in a few words; ``evidence`` are sentences that say where it comes from; ``figures`` are
    for scripts, with their units in the names.
    """

    number: str
    standing: Standing
    value: str
    evidence: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is about."""
        return TITLES[self.number][0]

    @property
    def target(self) -> str:
        """What was aimed at."""
        return TITLES[self.number][1]


def unmeasured(number: str, *why: str) -> PlanMetric:
    """There is no value; the sentences say what would make one."""
    return PlanMetric(number, Standing.UNMEASURED, "no value", why)
