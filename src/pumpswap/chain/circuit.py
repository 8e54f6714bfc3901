"""Circuit: stops asking an endpoint that fails, and lets one question through when it may have recovered."""

from __future__ import annotations

from enum import Enum

from pumpswap.clock import NS_PER_SECOND, Clock

__all__ = ["Circuit", "CircuitState"]


class CircuitState(Enum):
    """Closed: in use. Open: not asked. Half-open: one trial is allowed, its result decides."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit:
    """Opens after ``failures_to_open`` failures in a row; every failed trial doubles the pause, up to a limit."""

    def __init__(
        self,
        clock: Clock,
        *,
        failures_to_open: int = 2,
        pause_seconds: float = 1.0,
        longest_pause_seconds: float = 60.0,
    ) -> None:
        self._clock = clock
        self._failures_to_open = failures_to_open
        self._pause_ns = round(pause_seconds * NS_PER_SECOND)
        self._longest_ns = round(longest_pause_seconds * NS_PER_SECOND)
        self._opened = 0  # times in a row without a success
        self._until_ns: int | None = None
        self._on_trial = False
        self.failures_in_a_row = 0

    @property
    def state(self) -> CircuitState:
        if self._until_ns is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self._clock.now_ns() < self._until_ns else CircuitState.HALF_OPEN

    @property
    def wait_seconds(self) -> float:
        """Until the pause is over: 0 when closed or half-open."""
        if self._until_ns is None:
            return 0.0
        return max(self._until_ns - self._clock.now_ns(), 0) / NS_PER_SECOND

    @property
    def is_due(self) -> bool:
        """Half-open, and nobody is trying yet."""
        return self.state is CircuitState.HALF_OPEN and not self._on_trial

    @property
    def is_on_trial(self) -> bool:
        """A trial is under way: others should not be asked the same of this endpoint."""
        return self._on_trial

    def asked(self) -> None:
        """A question goes out; in the half-open state it is the trial. While it is open only those ask who did not
        look: were their question a trial, its failure would leave nobody to make the next one.
        """
        self._on_trial = self.state is CircuitState.HALF_OPEN

    def abandoned(self) -> None:
        """The question was cancelled: nothing is known about the endpoint."""
        self._on_trial = False

    def succeeded(self) -> None:
        self._until_ns, self._opened, self._on_trial, self.failures_in_a_row = None, 0, False, 0

    def failed(self) -> None:
        self.failures_in_a_row += 1
        if self._on_trial or self.failures_in_a_row >= self._failures_to_open:
            self.trip()

    def trip(self) -> None:
        """Open now. Questions that were under way when it opened do not lengthen the pause."""
        if self.state is CircuitState.OPEN:
            self._on_trial = False
            return
        pause_ns = min(self._pause_ns << min(self._opened, 20), self._longest_ns)
        self._until_ns = self._clock.now_ns() + pause_ns
        self._opened += 1
        self._on_trial = False
