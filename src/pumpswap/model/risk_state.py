"""What risk remembers over restarts: the circuit breaker, the day, the peak, streaks, the state of trading."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["BreakerState", "RiskState", "TradingState"]


class TradingState(Enum):
    """``ACTIVE``: everything; ``EXITS_ONLY``: no entries; ``HALTED``: nothing is ordered. Faults only lower it."""

    ACTIVE = "active"
    EXITS_ONLY = "exits-only"
    HALTED = "halted"


class BreakerState(Enum):
    """Of the circuit breaker. ``HALF_OPEN`` lets one entry through at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class RiskState:
    """``entries_ns`` are the times of the accepted buys of the last day, oldest first; ``day`` counts days since 1970
    (UTC), ``day_start_lamports`` is the equity at its first measurement, ``peak_lamports`` the highest equity.
    ``day_is_lost`` and ``is_drawn_down`` stay once a limit was reached: for the day, and until a person resumes.

    ``trials`` are the entries that left while the breaker was half-open and have not ended; ``unknown`` are orders
    whose unknown outcome was counted as a failure already, and whose last one is still to come.

    ``trading`` is what a person has set, and ``faults`` what lowers it by itself, each with its reason: the lower wins.
    """

    trading: TradingState = TradingState.ACTIVE
    trading_reason: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    breaker: BreakerState = BreakerState.CLOSED
    failures_in_a_row: int = 0
    trial_successes: int = 0
    opened_ns: int = 0
    losses_in_a_row: int = 0
    losses_until_ns: int = 0
    day: int = 0
    day_start_lamports: int = 0
    day_is_lost: bool = False
    is_drawn_down: bool = False
    peak_lamports: int = 0
    entries_ns: tuple[int, ...] = ()
    trials: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
