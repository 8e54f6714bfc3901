"""FeedTender: begins feeds, and begins them again when they fail, with pauses that grow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed
from pumpswap.engine.health import Backoff, FeedHealth
from pumpswap.engine.intake import Intake
from pumpswap.errors import PumpSwapError, UsageError
from pumpswap.model import AlertLevel

__all__ = ["FeedTender"]

_STEADY_SECONDS = 60.0  # an attempt that has lasted so long was no failure of the start

_log = logging.getLogger(__name__)


class FeedTender:
    """All feeds of one engine; ``health`` by name."""

    def __init__(
        self,
        engine: Engine,
        feeds: Sequence[Feed],
        intake: Intake,
        random: Random,
        sleep: Callable[[float], Awaitable[None]],
        helpers: Sequence[Feed] = (),
    ) -> None:
        """``helpers`` are tended too, but nobody waits for their end. Raises UsageError for two feeds of one name."""
        self.feeds = {feed.name: feed for feed in (*feeds, *helpers)}
        self._helpers = {feed.name for feed in helpers}
        if len(self.feeds) < len(feeds) + len(helpers):
            raise UsageError("two feeds have the same name", hint="name each of them once")
        now = asyncio.get_running_loop().time()
        self.health = {name: FeedHealth(now) for name in self.feeds}
        self._engine, self._intake, self._random, self._sleep = engine, intake, random, sleep

    async def run(self) -> None:
        """Until every feed but the helpers is over."""
        tasks = [asyncio.ensure_future(self._tend(feed)) for feed in self.feeds.values()]
        awaited = [task for name, task in zip(self.feeds, tasks, strict=True) if name not in self._helpers]
        try:
            await asyncio.gather(*awaited)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def words(self) -> dict[str, str]:
        """How each feed is."""
        now = asyncio.get_running_loop().time()
        return {name: health.words(now) for name, health in self.health.items()}

    def ages(self) -> dict[str, float]:
        """Seconds since the last sign of life of each that is not over, or since the start."""
        now = asyncio.get_running_loop().time()
        return {name: round(health.age(now), 3) for name, health in self.health.items() if not health.is_over}

    async def _tend(self, feed: Feed) -> None:
        loop, health, backoff = asyncio.get_running_loop(), self.health[feed.name], Backoff(self._random)
        sink = self._intake.sink(feed.name, health)
        while True:
            began = loop.time()
            try:
                await feed.run(sink)
            except Exception as failed:  # whatever it is, the other feeds and the exits go on
                if loop.time() - began > _STEADY_SECONDS:
                    backoff.reset()
                    health.failures_in_a_row = 0
                self._failed(feed, health, failed)
                await self._sleep(backoff.pause())
            else:
                health.is_over = True
                return

    def _failed(self, feed: Feed, health: FeedHealth, failed: Exception) -> None:
        health.failures += 1
        health.failures_in_a_row += 1
        health.error = failed.what if isinstance(failed, PumpSwapError) else f"{type(failed).__name__}: {failed}"
        if not isinstance(failed, PumpSwapError):
            _log.error("feed-failed", extra={"feed": feed.name}, exc_info=failed)
        # The first failure, then more and more rarely: a feed that is down for a night is one story, not a thousand.
        if health.failures_in_a_row.bit_count() == 1:
            times = "" if health.failures_in_a_row == 1 else f" ({health.failures_in_a_row} times in a row)"
            self._engine.desk.alert(AlertLevel.WARNING, "feed", feed.name, f"begun again after: {health.error}{times}")
        if feed.stale_seconds:
            health.is_faulty = True
            self._engine.risk.fault(f"feed {feed.name}", f"failed: {health.error}")
