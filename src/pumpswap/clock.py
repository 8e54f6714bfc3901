"""Time as a dependency. Nobody else reads the wall clock, so a replay and a live run are the same program."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = [
    "NS_PER_SECOND",
    "Clock",
    "ManualClock",
    "SteadyClock",
    "SystemClock",
    "datetime_ns",
    "format_utc",
    "iso_utc",
    "parse_utc",
]

NS_PER_SECOND = 1_000_000_000

_STEP_NS = NS_PER_SECOND  # less is no step: clocks are slewed


class Clock(Protocol):
    """Anything that knows the time in integer nanoseconds since 1970, UTC."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()


class SteadyClock:
    """A clock that others may set, such as the machine's, without its steps back: time goes on from where it was, at
    its own rate, so that whatever waits for a time or asks for an age need not stand still until it has caught up.
    Steps forward, as after a suspension, are followed.
    """

    def __init__(self, wall: Clock, elapsed_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall, self._elapsed_ns = wall, elapsed_ns
        self._last_ns, self._seen_ns = wall.now_ns(), elapsed_ns()

    def now_ns(self) -> int:
        wall, seen = self._wall.now_ns(), self._elapsed_ns()
        steady = self._last_ns + max(seen - self._seen_ns, 0)
        if wall < steady - _STEP_NS:
            wall = steady
        self._last_ns, self._seen_ns = max(wall, self._last_ns), seen
        return self._last_ns

    def ahead_ns(self) -> int:
        """By how much it was set back; 0 when it was not, or has caught up."""
        ahead = self.now_ns() - self._wall.now_ns()
        return ahead if ahead > _STEP_NS else 0


class ManualClock:
    """A clock that its owner moves: replays, simulations, tests. It never goes back."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance_to(self, at_ns: int) -> None:
        """Move to ``at_ns``; an earlier time is ignored, since data may arrive out of order but time may not."""
        if at_ns > self._now_ns:  # asked with every update: no call of max()
            self._now_ns = at_ns


def parse_utc(text: str) -> int:
    """Nanoseconds of an ISO time. A time without a zone is read as UTC. Raises ValueError."""
    return datetime_ns(datetime.fromisoformat(text.strip().replace("Z", "+00:00")))


def datetime_ns(moment: datetime) -> int:
    """Nanoseconds of a datetime; one without a zone is read as UTC. Those of a pandas time are kept."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    whole = (since.days * 86_400 + since.seconds) * NS_PER_SECOND + since.microseconds * 1_000
    return whole + int(getattr(moment, "nanosecond", 0))


def format_utc(at_ns: int) -> str:
    """``2025-10-03 10:41:58`` for people; fractions of a second are dropped."""
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso_utc(at_ns: int, *, fraction: bool = False) -> str:
    """``2025-10-03T10:41:58+00:00`` for programs. A fraction of a second is dropped, or told in microseconds."""
    moment = datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC)
    if fraction:
        moment += timedelta(microseconds=(at_ns % NS_PER_SECOND + 500) // 1_000)
    return moment.isoformat()
