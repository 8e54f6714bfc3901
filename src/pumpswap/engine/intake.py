"""Intake: one bounded queue from many feeds to one engine. What comes out of it is the one order of events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from pumpswap.engine.feed import Make, Place
from pumpswap.engine.health import FeedHealth
from pumpswap.model import MarketUpdate

__all__ = ["Intake", "IntakeSink", "Taken"]

_TURNS_WITHOUT_PAUSE = 32  # then the other tasks of the loop get theirs, however much is waiting


@dataclass(frozen=True, slots=True)
class Taken:
    """What the engine is to do next; ``update`` None: time has passed."""

    name: str
    update: MarketUpdate | None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    update: MarketUpdate | None = None
    make: Make | None = None
    place: Place | None = None
    done: asyncio.Future[bool] | None = None

    @property
    def is_tick(self) -> bool:
        """Time has passed, and nothing else."""
        return self.update is None and self.make is None


class Intake:
    """``take`` is called with everything in order; what it raises ends ``run``."""

    def __init__(self, size: int, take: Callable[[Taken], None], pause: Callable[[float], Awaitable[None]]) -> None:
        self._queue: asyncio.Queue[_Entry] = asyncio.Queue()
        # A queue with a bound is not fair: a feed that floods it would keep the others out. These wait in line.
        self._room = asyncio.Semaphore(size)
        self._take, self._pause = take, pause
        self._has_tick = False
        self._waiting = 0
        self.longest = 0  # the most that has ever waited

    def __len__(self) -> int:
        return self._waiting

    def sink(self, name: str, health: FeedHealth) -> IntakeSink:
        """Where a feed puts what it has."""
        return IntakeSink(self, name, health)

    def tick(self) -> None:
        """Time has passed. It takes its turn like everything else; one that still waits is enough."""
        if not self._has_tick:
            self._has_tick = True
            self._queue.put_nowait(_Entry(""))

    async def run(self) -> None:
        """Take what comes, for ever."""
        turns = 0
        while True:
            entry = await self._queue.get()
            self._made_room(entry)
            try:
                self._handle(entry)
            finally:
                self._queue.task_done()
            turns += 1
            if turns % _TURNS_WITHOUT_PAUSE == 0:
                await self._pause(0)

    async def drained(self) -> None:
        """Wait until everything that waits has been taken."""
        await self._queue.join()

    def discard(self) -> int:
        """Forget what waits; how much that was. Its places were not stored: the next start reads it again."""
        count = 0
        with suppress(asyncio.QueueEmpty):
            while True:
                entry = self._queue.get_nowait()
                self._made_room(entry)
                self._queue.task_done()
                count += not entry.is_tick
        return count

    async def put(self, entry: _Entry) -> float:
        """Queue an entry; how many seconds it has waited for room."""
        waited = 0.0
        if self._room.locked():
            loop = asyncio.get_running_loop()
            began = loop.time()
            await self._room.acquire()
            waited = loop.time() - began
        else:
            await self._room.acquire()
        self._queue.put_nowait(entry)
        self._waiting += 1
        self.longest = max(self.longest, self._waiting)
        return waited

    def _made_room(self, entry: _Entry) -> None:
        if entry.is_tick:
            self._has_tick = False
        else:
            self._waiting -= 1
            self._room.release()

    def _handle(self, entry: _Entry) -> None:
        update = entry.update
        if entry.make is not None:
            if entry.done is None or entry.done.done():
                return  # its feed was ended meanwhile
            try:
                update = entry.make()
            except Exception as broken:  # an error of the feed, not of the engine: its own attempt ends with it
                entry.done.set_exception(broken)
                return
            if update is None:
                entry.done.set_result(False)
                return
        self._take(Taken(entry.name, update, entry.place))
        if entry.done is not None and not entry.done.done():
            entry.done.set_result(True)


class IntakeSink:
    """``Sink`` of one feed."""

    def __init__(self, intake: Intake, name: str, health: FeedHealth) -> None:
        self._intake, self._name, self._health = intake, name, health

    async def put(self, update: MarketUpdate, place: Place | None = None) -> None:
        self.alive()
        self._health.waited += await self._intake.put(_Entry(self._name, update, place=place))
        self._health.events += 1

    async def turn(self, make: Make, place: Place | None = None) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.alive()
        self._health.waited += await self._intake.put(_Entry(self._name, make=make, place=place, done=done))
        has_more = await done
        self._health.events += has_more
        self.alive()
        return has_more

    def alive(self) -> None:
        self._health.alive(asyncio.get_running_loop().time())
