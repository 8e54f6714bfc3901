"""Feed: a named source of market updates that a supervisor runs, restarts and watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pumpswap.clock import Clock, SystemClock
from pumpswap.model import MarketUpdate

__all__ = ["Feed", "FeedTools", "Make", "Place", "Sink"]

Make = Callable[[], MarketUpdate | None]
Place = Mapping[str, object]


class Sink(Protocol):
    """Where a feed puts what it has. A feed that is faster than the engine waits here."""

    async def put(self, update: MarketUpdate, place: Place | None = None) -> None:
        """Hand over an update. ``place`` is where the source stands after it; it is stored together with what the
        update led to, so that a restart goes on there.
        """
        ...

    async def turn(self, make: Make, place: Place | None = None) -> bool:
        """Have ``make`` called when it is this feed's turn, everything before it done, and its update taken over; waits
        for that. For a market that looks at our book. Returns whether there was an update.
        """
        ...

    def alive(self) -> None:
        """The source has answered, whether or not there was anything new."""
        ...


class Feed(Protocol):
    """Runs until its market is over, or for ever; any error ends this attempt, and the supervisor begins another."""

    @property
    def name(self) -> str:
        """Short and unique; it names the part in heartbeats, faults and alerts."""
        ...

    @property
    def stale_seconds(self) -> float:
        """Without a sign of life for so long entries stop; 0: entries do not depend on it."""
        ...

    async def run(self, sink: Sink) -> None:
        """One attempt. Returning means that nothing will come any more."""
        ...


@dataclass(frozen=True, slots=True)
class FeedTools:
    """Time for a feed, and ``in_thread`` for what blocks: readings of a database."""

    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread
