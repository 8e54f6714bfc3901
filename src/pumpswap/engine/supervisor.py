"""Supervisor: keeps an engine running: feeds into one order of events, time, control, monitors, heartbeats, the stop.

The engine itself stays synchronous and knows nothing of this. A feed that fails is begun again; an error of the engine
is a bug, and ends everything at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Any, Protocol

from pumpswap.clock import Clock
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import Feed, Place
from pumpswap.engine.health import Monitor
from pumpswap.engine.intake import Intake, Taken
from pumpswap.engine.tending import FeedTender
from pumpswap.engine.vigil import LoopLag, Vigil
from pumpswap.errors import StorageError
from pumpswap.model import ANALYSIS, AlertLevel, Heartbeat
from pumpswap.settings import RunSettings

__all__ = ["Control", "Ending", "Keeps", "Supervisor", "SupervisorParts"]

_STORE_PATIENCE_SECONDS = 60.0  # so long the database may refuse before that is more than somebody's lock
_NEWS_PAUSE_SECONDS = 0.01  # until the engine has settled what it was told of
_SHUTDOWN = "shutdown"

_log = logging.getLogger(__name__)

Task = asyncio.Future[Any]


class Control(Protocol):
    """Who takes commands from other terminals."""

    def poll(self) -> None:
        """Take what waits."""
        ...


class Keeps(Protocol):
    """Who stores a run. All methods raise StorageError when the database refuses; what was to be stored is kept."""

    def flush(self) -> None:
        """Store everything that the engine has told since the last time, in one transaction."""
        ...

    def place(self, feed: str, place: Place) -> None:
        """Where a feed stands; stored by the next flush."""
        ...

    def beat(self, heartbeat: Heartbeat) -> None:
        """The engine runs."""
        ...


class Ending(Enum):
    """Why a run has ended."""

    STOPPED = "stopped"
    TIME_IS_UP = "time is up"
    MARKET_IS_OVER = "the market is over"


_STOPPING = {
    Ending.STOPPED: "somebody has stopped it: no entries any more, what is on its way may land",
    Ending.TIME_IS_UP: "its time is up: no entries any more, what is on its way may land",
    Ending.MARKET_IS_OVER: "the market is over",
}


@dataclass(frozen=True, slots=True)
class SupervisorParts:
    """``clock`` is the market's time, ``wall`` the machine's; they differ for a market of the past. ``ticks`` False:
    time passes only by the market's own updates. ``process`` is the number that heartbeats carry.

    ``seconds`` ends the run after so long; ``on_beat`` hears every heartbeat; ``news`` returns when the venue has
    something to settle; ``look`` is called every ``control_ms``: for a settings file that has changed. ``helpers`` run
    like feeds, but no market is over with them. ``on_untold`` gets what ended the engine where the database does not
    take that; it is waited for.
    """

    engine: Engine
    feeds: Sequence[Feed]
    keeps: Keeps
    settings: RunSettings
    clock: Clock
    wall: Clock
    random: Random
    monitors: Sequence[Monitor] = ()
    helpers: Sequence[Feed] = ()
    ticks: bool = True
    process: int = 0
    seconds: float | None = None
    on_beat: Callable[[Heartbeat], None] = field(default=lambda _: None)
    news: Callable[[], Awaitable[None]] | None = None
    look: Callable[[], None] = field(default=lambda: None)
    on_untold: Callable[[str], Awaitable[None]] | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Supervisor:
    """Runs once. ``stop`` may be called from anywhere in the loop's thread; the second call does not wait any more."""

    def __init__(self, parts: SupervisorParts) -> None:
        self.parts = parts
        self.events = 0  # updates that the engine has taken
        self.dropped = 0  # updates that were waiting when everything was stopped at once
        self._intake = Intake(parts.settings.queue_size, self._take, parts.sleep)
        self._tender = FeedTender(parts.engine, parts.feeds, self._intake, parts.random, parts.sleep, parts.helpers)
        self._vigil = Vigil(parts.engine, self._tender, parts.monitors, parts.clock)
        self._lag = LoopLag()
        self._control: Control | None = None
        self._started_ns = 0
        self._store_failed_at: float | None = None
        self._ending: Ending | None = None
        self._wish_to_end = asyncio.Event()
        self._wish_to_end_now = asyncio.Event()
        self._is_broken = False

    @property
    def longest_queue(self) -> int:
        """The most updates that have ever waited."""
        return self._intake.longest

    def obey(self, control: Control) -> None:
        """Look for commands there, now and then. Before ``run``."""
        self._control = control

    def stop(self) -> None:
        """End: no entries any more, what is on its way may land. Called again: end now."""
        if self._wish_to_end.is_set():
            self._wish_to_end_now.set()
        self._ending = self._ending or Ending.STOPPED
        self._wish_to_end.set()

    async def run(self) -> Ending:
        """Until somebody stops it, the time is up or the market is over.

        Raises what broke the engine, after a stored alert; StorageError when the database refuses for too long.
        """
        self._started_ns = self.parts.wall.now_ns()
        self._vigil.begin()
        self._store()  # what these books begin with is there before anything happens
        self._poll()  # and what a person has set meanwhile is heard
        services = [
            asyncio.ensure_future(work)
            for work in (
                self._intake.run(),
                self._keep_time(),
                self._keep_books(),
                self._watch(),
                self._beat_on(),
                self._hear(),
            )
        ]
        feeds = asyncio.ensure_future(self._tender.run())
        untold = ""
        try:
            await self._until_end(services, feeds)
            await self._wind_down(services, feeds)
        except Exception as broken:
            untold = self._cry(broken)
            raise
        finally:
            await _end([*services, feeds])
            await self._tell_untold(untold)  # it may take long: nothing trades any more
        await self._last_words()
        assert self._ending is not None
        return self._ending

    # ------------------------------------------------------------------------------------------ the engine's turn

    def _take(self, taken: Taken) -> None:
        engine = self.parts.engine
        if taken.update is None:
            engine.tick(self.parts.clock.now_ns())
            return
        self.events += 1
        engine.step(taken.update)
        if taken.place is not None:
            self.parts.keeps.place(taken.name, taken.place)

    # ------------------------------------------------------------------------------------------ services

    async def _keep_time(self) -> None:
        """What time alone brings: outcomes, exits that wait, strategies that look now and then."""
        while self.parts.ticks:
            await self.parts.sleep(self.parts.settings.control_ms / 1_000)
            self._intake.tick()
        await asyncio.Event().wait()

    async def _hear(self) -> None:
        """Outcomes as soon as they are known, not only when time passes."""
        while self.parts.news is not None:
            await self.parts.news()
            self._intake.tick()
            await self.parts.sleep(_NEWS_PAUSE_SECONDS)
        await asyncio.Event().wait()

    async def _keep_books(self) -> None:
        while True:
            await self.parts.sleep(self.parts.settings.control_ms / 1_000)
            self.parts.look()
            self._store()
            self._poll()

    def _poll(self) -> None:
        if self._control is not None and self._stored(self._control.poll):
            self._store()

    async def _watch(self) -> None:
        while True:
            await self._lag.measure(self.parts.sleep)
            self._vigil.look(self._lag)

    async def _beat_on(self) -> None:
        while True:
            self._beat()
            await self.parts.sleep(self.parts.settings.heartbeat_seconds)

    # ------------------------------------------------------------------------------------------ the end

    async def _until_end(self, services: Sequence[Task], feeds: Task) -> None:
        wish = asyncio.ensure_future(self._wish_to_end.wait())
        seconds = self.parts.seconds
        limit = None if seconds is None else asyncio.ensure_future(self.parts.sleep(seconds))
        own: list[Task] = [wish] if limit is None else [wish, limit]
        try:
            await _first([*services, feeds, *own])
        finally:
            await _end(own)
        if self._ending is None:
            is_over = feeds.done()
            self._ending = Ending.MARKET_IS_OVER if is_over else Ending.TIME_IS_UP

    async def _wind_down(self, services: Sequence[Task], feeds: Task) -> None:
        """No entries; wait for what is on its way; then the feeds end, and what they have brought is still taken."""
        engine = self.parts.engine
        self._wish_to_end.set()
        engine.risk.fault(_SHUTDOWN, "the engine is being stopped")
        engine.desk.alert(AlertLevel.INFO, "stop", "", _STOPPING[self._ending or Ending.STOPPED])
        self._beat()
        if self._ending is not Ending.MARKET_IS_OVER:
            await self._meanwhile(self._landed(), services)
            await _end([feeds])
        if self._wish_to_end_now.is_set():
            self.dropped = self._intake.discard()
        else:
            await self._meanwhile(self._intake.drained(), services)
            if self._ending is Ending.MARKET_IS_OVER:
                await self._meanwhile(self._landed(), services)
        if not self.parts.ticks and self._ending is Ending.MARKET_IS_OVER:
            engine.finish()  # its market has no more time in which anything could land
        engine.mark_all()
        engine.risk.lift(_SHUTDOWN)

    async def _landed(self) -> None:
        """Until no order is on its way; not longer than the settings say."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.parts.settings.shutdown_seconds
        while self.parts.engine.desk.orders and loop.time() < until:
            if self._ending is Ending.MARKET_IS_OVER and not self.parts.ticks:
                return
            await self.parts.sleep(min(self.parts.settings.control_ms / 1_000, 0.1))

    async def _meanwhile(self, work: Awaitable[None], services: Sequence[Task]) -> None:
        """Wait for something while the services go on; a second stop, or a service that breaks, ends it."""
        waited = asyncio.ensure_future(work)
        now = asyncio.ensure_future(self._wish_to_end_now.wait())
        try:
            await _first([*services, waited, now])
        finally:
            await _end([waited, now])

    async def _last_words(self) -> None:
        """What is left to store is stored, or its error raised when somebody's lock does not end."""
        loop, pause = asyncio.get_running_loop(), self.parts.settings.control_ms / 1_000
        until = loop.time() + self.parts.settings.shutdown_seconds
        try:
            while loop.time() < until and not self._store():
                await self.parts.sleep(pause)
            self.parts.keeps.flush()
            self.parts.keeps.beat(self._heartbeat())
        except StorageError as refused:
            await self._tell_untold(f"the engine has stopped, and what it did last could not be stored: {refused.what}")
            raise

    def _cry(self, broken: Exception) -> str:
        """A bug must be seen: stored if that is still possible; the caller shows it in any case. Returns what could not
        be stored.
        """
        text = f"the engine has stopped: {type(broken).__name__}: {broken}"
        self._is_broken = True  # its last heartbeat says that this was no crash: somebody has told why it ended
        try:
            self.parts.engine.desk.alert(AlertLevel.CRITICAL, "engine", type(broken).__name__, text)
            self.parts.keeps.flush()
        except Exception:  # the first error is the one that counts, and it is raised
            _log.exception("last-words-not-stored")
            return text
        try:
            self.parts.keeps.beat(self._heartbeat())
        except Exception:  # why it has ended is stored already
            _log.exception("last-words-not-stored")
        return ""

    async def _tell_untold(self, text: str) -> None:
        if not text or self.parts.on_untold is None:
            return
        try:
            await self.parts.on_untold(text)
        except Exception:  # what is raised already counts
            _log.exception("last-words-not-told")

    # ------------------------------------------------------------------------------------------ storing

    def _store(self) -> bool:
        return self._stored(self.parts.keeps.flush)

    def _stored(self, write: Callable[[], None]) -> bool:
        """Whether the database took it. A lock of somebody else stops entries; one that does not end, everything."""
        now = asyncio.get_running_loop().time()
        try:
            write()
        except StorageError as refused:
            if self._store_failed_at is None:
                self._store_failed_at = now
            elif now - self._store_failed_at > _STORE_PATIENCE_SECONDS:
                raise
            if self.parts.engine.risk.fault("database", refused.what):
                self.parts.engine.desk.alert(AlertLevel.ERROR, "database", "", refused.what)
            return False
        if self._store_failed_at is not None:
            self._store_failed_at = None
            self.parts.engine.risk.lift("database")
            self.parts.engine.desk.alert(AlertLevel.INFO, "database", "", "the database takes what is stored again")
        return True

    def _beat(self) -> None:
        beat = self._heartbeat()
        self._stored(lambda: self.parts.keeps.beat(beat))
        self.parts.on_beat(beat)

    def _heartbeat(self) -> Heartbeat:
        parts, engine = self.parts, self.parts.engine
        words = {**self._tender.words(), **self._vigil.words(), "loop": self._lag.words()}
        if self._control is not None:
            words["control"] = "ok" if self._store_failed_at is None else "waits for the database"
        in_the_way = ", ".join(sorted(name for name, _ in engine.risk.state.faults))
        if not in_the_way and engine.parts.mode == "analysis":
            in_the_way = ANALYSIS
        return Heartbeat(
            at_ns=parts.wall.now_ns(),
            started_ns=self._started_ns,
            process=parts.process,
            mode=engine.parts.mode,
            waiting=len(self._intake),
            able=not in_the_way,
            events=self.events,
            stopping=self._is_broken or self._wish_to_end.is_set(),
            broken=self._is_broken,
            parts=words,
            in_the_way=in_the_way,
            every_seconds=parts.settings.heartbeat_seconds,
        )


async def _first(waiting: Sequence[Task]) -> None:
    """Until one of them has ended; raises its error."""
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()


async def _end(tasks: Sequence[Task]) -> None:
    """Cancel them and wait until they are gone."""
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):  # a cancellation is none
            _log.error("ended-with-an-error", exc_info=result)
