"""TradingSwitch: what a person has set, kept apart from what risk remembers, so that no process can overwrite it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["TradingState", "TradingSwitch"]


class TradingState(Enum):
    """``ACTIVE``: everything; ``EXITS_ONLY``: no entries; ``HALTED``: nothing is ordered. Faults only lower it."""

    ACTIVE = "active"
    EXITS_ONLY = "exits-only"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class TradingSwitch:
    """Only a person's command changes it; whoever trades with the books reads it before each decision.

    ``number`` rises with every command, ``resumed`` is that of the last resume: whoever holds risk lifts its locks once
    for it. ``panic`` is the reason of a panic, from then on until somebody resumes.
    """

    number: int = 0
    trading: TradingState = TradingState.ACTIVE
    reason: str = ""
    panic: str = ""
    resumed: int = 0
