"""A supervised paper engine on a database of its own, in virtual time, for the tests of the supervisor."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed, Sink
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import RestoredPaper, restore_paper
from pumpswap.engine.supervisor import Ending, Supervisor, SupervisorParts
from pumpswap.model import Alert, Heartbeat, RunObserver
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from tests.support.market import SOL, START_NS, graduate, seen, settings
from tests.support.paper_life import paper_parts
from tests.support.virtual_time import LoopClock

Script = Callable[[Sink], Awaitable[None]]


class ScriptedFeed:
    """Runs one script after the other: each attempt the next one, the last one again and again."""

    def __init__(self, *scripts: Script, name: str = "feed", stale_seconds: float = 0.0) -> None:
        self.name, self.stale_seconds = name, stale_seconds
        self._scripts = scripts
        self.began: list[float] = []

    async def run(self, sink: Sink) -> None:
        self.began.append(asyncio.get_running_loop().time())
        await self._scripts[min(len(self.began), len(self._scripts)) - 1](sink)


async def forever(sink: Sink) -> None:
    """A script that brings nothing and does not end."""
    await asyncio.Event().wait()


def states(*, every: float = 1.0, scored: int = 0) -> ScriptedFeed:
    """A pool that is seen every second; the first ``scored`` times with figures to score."""

    async def script(sink: Sink) -> None:
        for number in range(10_000):
            seconds = asyncio.get_running_loop().time()
            await sink.put(seen(graduate(), seconds, scored=number < scored), {"number": str(number)})
            await asyncio.sleep(every)

    return ScriptedFeed(script, name="states", stale_seconds=10)


@dataclass
class Heard(RunObserver):
    """What the engine and its supervisor have told."""

    alerts: list[Alert] = field(default_factory=list)
    beats: list[Heartbeat] = field(default_factory=list)

    def on_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)


@dataclass
class World:
    """One process: its engine, its supervisor and its stored run."""

    engine: Engine
    supervisor: Supervisor
    run: Run
    heard: Heard
    left: RestoredPaper

    async def go(self) -> Ending:
        return await self.supervisor.run()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[asyncio.Future[Ending]]:
        """While it runs; it is stopped at the end of the block, if it still does."""
        task = asyncio.ensure_future(self.supervisor.run())
        try:
            yield task
        finally:
            if not task.done():
                self.supervisor.stop()
            await asyncio.wait([task])


def world(database: Database, feeds: Sequence[Feed], *, observers: Sequence[RunObserver] = (), **more: Any) -> World:
    """Made inside a running virtual loop. Goes on with the newest unfinished run of ``database``."""
    clock = LoopClock(START_NS)
    sections = {
        "run": {"queue_size": more.pop("queue_size", 100), "shutdown_seconds": more.pop("shutdown_seconds", 30)}
    }
    chosen = settings(**sections, **more.pop("sections", {}))
    run = database.open_paper() or database.start_run("paper", clock.now_ns())
    left = restore_paper(run, clock.now_ns())
    outbox, heard = Outbox(run, StoreRecorder(run)), Heard()
    parts = {"signaller": more.pop("signaller")} if "signaller" in more else {}
    engine = Engine(paper_parts(chosen, left, **parts), (outbox, heard, *observers))
    engine.clock.advance_to(clock.now_ns())
    if left.is_new:
        engine.deposit(50 * SOL)
    supervisor = Supervisor(
        SupervisorParts(
            engine=engine,
            feeds=feeds,
            keeps=outbox,
            settings=chosen.run,
            clock=clock,
            wall=clock,
            random=Random(1),
            on_beat=heard.beats.append,
            **more,
        )
    )
    return World(engine, supervisor, run, heard, left)


def opened(folder: Path) -> Database:
    """A database that waits for nobody's lock."""
    return open_database(folder / "books.sqlite", busy_ms=1)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Somebody else writes to the database meanwhile, and does not come to an end."""
    with closing(sqlite3.connect(folder / "books.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def faults(made: World) -> dict[str, str]:
    """What stops entries now, by name."""
    return dict(made.engine.risk.state.faults)
