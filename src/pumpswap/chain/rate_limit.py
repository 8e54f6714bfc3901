"""RateLimit: how often an endpoint may be asked. On an injected clock, so that tests need no real time (P18)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from pumpswap.clock import NS_PER_SECOND, Clock

__all__ = ["RateLimit", "Sleep", "retry_after_seconds"]

Sleep = Callable[[float], Awaitable[object]]


class RateLimit:
    """A token bucket that hands out turns in the order in which they were asked for.

    ``burst`` turns may follow each other at once; after that one every ``1 / per_second`` seconds. A small burst keeps
    the rate below the limit in every window that a provider may count in.
    """

    def __init__(self, per_second: float, clock: Clock, *, burst: int | None = None, sleep: Sleep = asyncio.sleep):
        self._interval_ns = max(round(NS_PER_SECOND / per_second), 1)
        self._burst_ns = self._interval_ns * ((max(int(per_second / 10), 1) if burst is None else burst) - 1)
        self._clock, self._sleep = clock, sleep
        self._next_ns = 0  # when the bucket is full again, as seen by the last turn
        self._waiting = 0

    async def turn(self, *, urgent: bool = False) -> None:
        """Wait for a turn. An urgent one goes at once and is taken from those that come later: bytes of an order must
        not stand in line behind reads.
        """
        wait_ns = self._book()
        if urgent or wait_ns <= 0:
            return
        self._waiting += 1
        try:
            await self._sleep(wait_ns / NS_PER_SECOND)
        finally:
            self._waiting -= 1

    def _book(self) -> int:
        now = self._clock.now_ns()
        # A clock that was set back must not make everybody wait for the difference.
        self._next_ns = min(self._next_ns, now + self._burst_ns + (self._waiting + 1) * self._interval_ns)
        start = max(self._next_ns, now)
        self._next_ns = start + self._interval_ns
        return start - self._burst_ns - now


def retry_after_seconds(value: str | None, clock: Clock) -> float | None:
    """Seconds of a Retry-After header: a number, or an HTTP date. None when there is none that can be read."""
    if value is None:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - clock.now_ns() / NS_PER_SECOND, 0.0)
