"""What losses and failures lock, worked out once more from the description of the settings alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from pumpswap.settings import RiskLimits

__all__ = ["OwnLocks"]

SECOND = 10**9
DAY = 86_400 * SECOND


@dataclass
class OwnLocks:
    """Times are nanoseconds, amounts lamports. ``trials`` are entries that left while the breaker was half-open."""

    limits: RiskLimits
    day: int = -1
    day_start: int = 0
    is_lost: bool = False
    peak: int = 0
    is_drawn_down: bool = False
    equity: int = 0
    losses: int = 0
    paused_until: int = 0
    failures: int = 0
    opened: int | None = None  # None: the breaker is closed
    is_half_open: bool = False
    successes: int = 0
    trials: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def measure(self, equity: int, at_ns: int) -> None:
        """Equity at a moment. The first of a day is what the day's loss is counted from."""
        self.equity = equity
        if at_ns // DAY != self.day:
            self.day, self.day_start, self.is_lost = at_ns // DAY, equity, False
        lost = self.day_start - equity
        self.is_lost |= 0 < lost >= self.day_start * Fraction(str(self.limits.max_daily_loss_fraction))
        self.peak = max(self.peak, equity)
        down = self.peak - equity
        self.is_drawn_down |= 0 < down >= self.peak * Fraction(str(self.limits.max_drawdown_fraction))

    def move(self, lamports: int) -> None:
        """Money of the owner comes or goes: no gain, no loss."""
        self.day_start, self.peak = self.day_start + lamports, self.peak + lamports

    def resume(self) -> None:
        """A person lifts all locks: what counts from here on is the equity of now."""
        if self.is_lost:
            self.day_start = self.equity
        self.is_lost = self.is_drawn_down = self.is_half_open = False
        self.peak = self.equity
        self.losses = self.paused_until = self.failures = self.successes = 0
        self.opened = None
        self.trials.clear()

    def close_round(self, realised: int, at_ns: int) -> None:
        """A round has ended."""
        self.losses = self.losses + 1 if realised < 0 else 0
        if self.losses >= self.limits.max_losses_in_a_row:
            self.losses, self.paused_until = 0, at_ns + self.limits.losses_pause_seconds * SECOND

    def pass_time(self, at_ns: int) -> None:
        """An open breaker lets a trial through after its pause."""
        if self.opened is not None and at_ns >= self.opened + self.limits.breaker_seconds * SECOND:
            self.is_half_open = True

    def enter(self, order_id: str) -> None:
        """An entry leaves."""
        if self.opened is not None:
            self.trials.add(order_id)

    def end(self, order_id: str, at_ns: int, outcome: str) -> None:
        """An order is ``filled``, ``unknown`` or ``failed``. An unknown one is a failure at once, and none later; as a
        trial it has failed, and stays out until its fate is known.
        """
        self.pass_time(at_ns)
        was_unknown, is_trial = order_id in self.unknown, order_id in self.trials
        if outcome == "unknown":
            self.unknown.add(order_id)
        else:
            self.unknown.discard(order_id)
            self.trials.discard(order_id)
        if outcome != "filled":
            if not was_unknown:
                self._fail(at_ns)
        elif self.opened is None:
            self.failures = 0
        elif self.is_half_open and is_trial and not was_unknown:
            self.successes += 1
            if self.successes >= self.limits.breaker_successes:
                self.opened, self.is_half_open, self.failures, self.successes = None, False, 0, 0

    def forget(self, order_id: str) -> None:
        """An order is no more."""
        self.trials.discard(order_id)
        self.unknown.discard(order_id)

    def _fail(self, at_ns: int) -> None:
        self.failures += 1
        if self.is_half_open or (self.opened is None and self.failures >= self.limits.breaker_failures):
            self.opened, self.is_half_open, self.successes = at_ns, False, 0
