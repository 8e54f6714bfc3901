"""A market that a collector can watch for a week in seconds: a server on this machine, and a clock that only waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.app.collect import collector_for
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.market.collect_plan import CollectTally
from pumpswap.market.collector import Collector, CollectorParts
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_source import SourceParts
from pumpswap.settings import Settings, SignalSettings
from pumpswap.storage.collected import open_collected
from tests.storage import stranger
from tests.support.gecko_server import GeckoServer
from tests.support.gecko_world import START, GeckoWorld

__all__ = ["HOUR_SECONDS", "Watched"]

HOUR_SECONDS = 3_600


@dataclass
class Watched:
    """A server, its world, and a database that is filled from it. Waiting moves the clock and the world, nothing else.

    ``before_request`` is called with the collector that runs, before each of its requests.
    """

    server: GeckoServer
    target: str | Path
    changes: dict[str, Any] = field(default_factory=dict)
    min_score: float = 0.0  # every pool is worth its candles and trades
    clock: ManualClock = field(default_factory=lambda: ManualClock(START * NS_PER_SECOND))
    notes: list[str] = field(default_factory=list)

    @property
    def world(self) -> GeckoWorld:
        return self.server.world

    async def sleep(self, seconds: float) -> None:
        """Time passes for the clock and for the world."""
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_SECOND))
        self.world.at_seconds = self.clock.now_ns() // NS_PER_SECOND
        await asyncio.sleep(0)

    def settings(self) -> Settings:
        usual = {"interval_seconds": HOUR_SECONDS, "follow_hours": 24 * 7, "watch": False, "max_retries": 2}
        collect = self.server.settings(**(usual | self.changes))
        return Settings(collect=collect, signals=SignalSettings(min_score=self.min_score))

    def collect(self, cycles: int, stop_when: Callable[[Collector], bool] | None = None) -> CollectTally:
        """A process of its own, as far as the database can tell: opens it, runs, closes it."""
        return asyncio.run(self._collect(cycles, stop_when))

    async def _collect(self, cycles: int, stop_when: Callable[[Collector], bool] | None) -> CollectTally:
        settings = self.settings()
        source = SourceParts(sleep=self.sleep, random=Random(1))
        with open_collected(self.target, self.clock.now_ns()) as market:
            async with GeckoClient(settings.collect, self.clock, source) as client:
                running: list[Collector] = []

                def phase(_text: str) -> None:
                    if stop_when is not None and stop_when(running[0]):
                        running[0].stop()

                parts = CollectorParts(self.clock, self.sleep, phase, self.notes.append)
                running.append(collector_for(settings, client, market, parts))
                return await running[0].run(cycles=cycles)

    def wait_a_round(self) -> None:
        """Until the next round would begin."""
        self.clock.advance_to(self.clock.now_ns() + self.settings().collect.interval_seconds * NS_PER_SECOND)
        self.world.at_seconds = self.clock.now_ns() // NS_PER_SECOND

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in stranger.query(self.target, text)]

    def number(self, text: str) -> int:
        ((found,),) = self.query(text)
        return int(found)
