"""Observers that tests of `run` hand in: they remember what was told, and stop the run when they have heard enough."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pumpswap.app.run_order import BegunRun
from pumpswap.app.run_parts import RunOptions
from pumpswap.model import Filled, Heartbeat, Order, Outcome, Position, RunObserver

__all__ = ["FillsWatcher", "RunWatcher", "until"]


@dataclass(kw_only=True)
class RunWatcher(RunObserver):
    """``begun``: what it runs on, one entry for each start; ``parts`` and ``is_able`` are of the last heartbeat."""

    begun: list[BegunRun] = field(default_factory=list)
    beats: int = 0
    is_able: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    stop: Callable[[], None] = lambda: None

    def options(self) -> RunOptions:
        """With the same random numbers every time."""

        def take(stop: Callable[[], None]) -> None:
            self.stop = stop

        def beat(heartbeat: Heartbeat) -> None:
            self.beats += 1
            self.is_able, self.parts = heartbeat.able, heartbeat.parts

        return RunOptions(observers=(self,), stops=take, on_beat=beat, random=random.Random(1))

    def hears(self, feed: str) -> bool:
        """It has begun and brings what is new from now on."""
        return self.parts.get(feed, "").startswith("ok")

    async def more_beats(self, count: int) -> None:
        """It has run on for so many heartbeats: what should have happened by then has, or never will."""
        beats = self.beats + count
        await until(lambda: self.beats >= beats)


@dataclass
class FillsWatcher(RunWatcher):
    """Stops the run once enough was filled."""

    fills: int
    filled: list[tuple[Order, Filled]] = field(default_factory=list, kw_only=True)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Filled):
            self.filled.append((order, outcome))
        if len(self.filled) >= self.fills:
            self.stop()


async def until(condition: Callable[[], object]) -> None:
    """Raises TimeoutError when it does not come true."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)
