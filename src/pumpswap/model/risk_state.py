"""What risk remembers over restarts: the circuit breaker, the day, the peak, streaks, the state of trading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from pumpswap.model.trading_switch import TradingState, TradingSwitch

__all__ = ["BreakerState", "RiskState"]


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
    ``panic``, ``switch`` and ``resumed`` are those of the TradingSwitch that was obeyed last.
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
    panic: str = ""
    switch: int = 0
    resumed: int = 0

    def obeying(self, switch: TradingSwitch, equity_lamports: int | None = None) -> RiskState:
        """What is remembered once a person's word was heard; itself when it was heard before."""
        if switch.number <= self.switch:
            return self
        state = self.unlocked(equity_lamports) if switch.resumed > self.resumed else self
        return replace(
            state,
            trading=switch.trading,
            trading_reason=switch.reason,
            panic=switch.panic,
            switch=switch.number,
            resumed=switch.resumed,
        )

    def unlocked(self, equity_lamports: int | None = None) -> RiskState:
        """Without any lock: drawdown and a lost day are measured from this equity, or where that is not known, from
        the next measurement on.
        """
        day, day_start = self.day, self.day_start_lamports
        if self.day_is_lost:
            day, day_start = (0, 0) if equity_lamports is None else (day, equity_lamports)
        return replace(
            self, breaker=BreakerState.CLOSED, failures_in_a_row=0, trial_successes=0, trials=(), losses_in_a_row=0,
            losses_until_ns=0, is_drawn_down=False, peak_lamports=max(equity_lamports or 0, 0), day_is_lost=False,
            day=day, day_start_lamports=day_start,
        )  # fmt: skip
