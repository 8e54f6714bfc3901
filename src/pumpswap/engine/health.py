"""What a supervisor knows of its parts: feeds with their failures, monitors, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

__all__ = ["Backoff", "FeedHealth", "Monitor"]


@dataclass(frozen=True, slots=True)
class Monitor:
    """Something that entries depend on. ``obstacle`` says what is wrong with it now, in a sentence; empty: nothing."""

    name: str
    obstacle: Callable[[], str]


@dataclass(slots=True)
class Backoff:
    """Pauses between attempts: each twice as long as the one before, up to a minute, and never the same for two."""

    random: Random
    first_seconds: float = 0.5
    longest_seconds: float = 60.0
    _next: float = field(default=0.0, init=False)

    def pause(self) -> float:
        """The next pause in seconds: between half and all of what it has grown to."""
        self._next = min(self._next * 2 or self.first_seconds, self.longest_seconds)
        return self._next * (0.5 + self.random.random() / 2)

    def reset(self) -> None:
        """It works again."""
        self._next = 0.0


@dataclass(slots=True)
class FeedHealth:
    """Times are those of the event loop, in seconds. ``waited`` is how long the feed has waited for the engine."""

    started_at: float
    seen_at: float | None = None
    events: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    waited: float = 0.0
    error: str = ""
    is_over: bool = False
    is_faulty: bool = False  # entries wait for it
    revived: Callable[[], None] = lambda: None  # called with the first sign of life while it is faulty

    def alive(self, now: float) -> None:
        """A sign of life."""
        self.seen_at, self.error, self.failures_in_a_row = now, "", 0
        if self.is_faulty:
            self.revived()

    def age(self, now: float) -> float:
        """Seconds since the last sign of life, or since the start without one."""
        return now - (self.started_at if self.seen_at is None else self.seen_at)

    def words(self, now: float) -> str:
        """How it is, in a few words."""
        if self.is_over:
            return f"over, {self.events} updates"
        if self.error:
            return f"failed {self.failures_in_a_row} times in a row: {self.error}"
        if self.seen_at is None:
            return "nothing yet"
        waited = f", waited {self.waited:.1f} s for the engine" if self.waited >= 0.1 else ""
        return f"ok, {self.age(now):.1f} s ago, {self.events} updates{waited}"
