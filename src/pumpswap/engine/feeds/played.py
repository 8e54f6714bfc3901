"""PlayedFeed: a market that is made or was recorded, played as quickly as it goes or at the pace of its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.feed import Sink
from pumpswap.model import MarketUpdate

__all__ = ["PlayedFeed", "ShiftedClock"]

_LONGEST_SLEEP_SECONDS = 60.0


class ShiftedClock:
    """The time of a market of the past that is played now: as far from its beginning as we are from ours."""

    def __init__(self, wall: Clock, start_ns: int) -> None:
        self._wall, self._shift_ns = wall, start_ns - wall.now_ns()

    def now_ns(self) -> int:
        return self._wall.now_ns() + self._shift_ns


class PlayedFeed:
    """``updates`` are asked for one by one when it is our turn: what lands of our orders before an update is in the
    book by then. ``next_ns`` tells when the next one is due, None when there is none; without it, or without a
    ``clock``, nothing waits. ``done`` are the updates that an earlier process has taken.
    """

    stale_seconds = 0.0  # its time stands still with it

    def __init__(
        self,
        name: str,
        updates: Iterator[MarketUpdate],
        *,
        clock: Clock | None = None,
        next_ns: Callable[[], int | None] | None = None,
        done: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self._updates, self._clock, self._next_ns, self._sleep = updates, clock, next_ns, sleep
        self._done = done

    async def run(self, sink: Sink) -> None:
        while await self._is_due(sink) and await sink.turn(self._next, {"updates": str(self._done + 1)}):
            self._done += 1

    def _next(self) -> MarketUpdate | None:
        return next(self._updates, None)

    async def _is_due(self, sink: Sink) -> bool:
        if self._clock is None or self._next_ns is None:
            return True
        due = self._next_ns()
        while due is not None and (left := due - self._clock.now_ns()) > 0:
            await self._sleep(min(left / NS_PER_SECOND, _LONGEST_SLEEP_SECONDS))
            sink.alive()
        return due is not None
