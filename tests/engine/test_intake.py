"""One queue for many feeds: order, room, and who waits."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random

import pytest

from pumpswap.engine.feed import Sink
from pumpswap.engine.health import Backoff, FeedHealth
from pumpswap.engine.intake import Intake, Taken
from pumpswap.model import MarketUpdate
from tests.support.virtual_time import run_virtually, skip


class Engine:
    """Takes every update in ``seconds``, and remembers it."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.taken: list[tuple[str, int]] = []
        self._seconds = seconds

    def take(self, taken: Taken) -> None:
        skip(self._seconds)
        self.taken.append((taken.name, -1 if taken.update is None else taken.update.at_ns))


async def flood(sink: Sink, count: int) -> None:
    for number in range(count):
        await sink.put(MarketUpdate(number, "pool"))


def test_feeds_that_flood_wait_for_a_slow_engine_and_nobody_starves() -> None:
    async def go() -> None:
        engine = Engine(seconds=0.01)
        intake = Intake(10, engine.take, asyncio.sleep)
        one, other = FeedHealth(0.0), FeedHealth(0.0)
        heart: list[float] = []

        async def beat() -> None:
            while True:
                heart.append(asyncio.get_running_loop().time())
                await asyncio.sleep(0.1)

        tasks = [asyncio.ensure_future(intake.run()), asyncio.ensure_future(beat())]
        await asyncio.gather(flood(intake.sink("one", one), 300), flood(intake.sink("other", other), 300))
        await intake.drained()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert intake.longest == 10
        assert [at_ns for name, at_ns in engine.taken if name == "one"] == list(range(300))
        assert [at_ns for name, at_ns in engine.taken if name == "other"] == list(range(300))
        places = [place for place, (name, _) in enumerate(engine.taken) if name == "other"]
        assert places[0] < 20  # they take turns
        assert (one.events, other.events) == (300, 300)
        assert 5 < one.waited <= 6
        assert max(later - earlier for earlier, later in pairwise(heart)) < 0.5

    run_virtually(go())


def test_a_tick_takes_its_turn_and_one_that_waits_is_enough() -> None:
    async def go() -> None:
        engine = Engine()
        intake = Intake(3, engine.take, asyncio.sleep)
        sink = intake.sink("feed", FeedHealth(0.0))
        await flood(sink, 2)
        intake.tick()
        intake.tick()
        assert len(intake) == 2
        running = asyncio.ensure_future(intake.run())
        await intake.drained()
        intake.tick()
        await intake.drained()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert engine.taken == [("feed", 0), ("feed", 1), ("", -1), ("", -1)]

    run_virtually(go())


def test_a_turn_is_taken_when_everything_before_it_is_done() -> None:
    async def go() -> None:
        engine = Engine()
        intake = Intake(10, engine.take, asyncio.sleep)
        sink = intake.sink("market", FeedHealth(0.0))
        await flood(sink, 3)
        running = asyncio.ensure_future(intake.run())
        seen: list[int] = []

        def make() -> MarketUpdate | None:
            seen.append(len(engine.taken))
            return MarketUpdate(7, "pool")

        assert await sink.turn(make)
        assert not await sink.turn(lambda: None)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert seen == [3]
        assert engine.taken[-1] == ("market", 7)

    run_virtually(go())


def test_what_waits_can_be_discarded() -> None:
    async def go() -> None:
        engine = Engine()
        intake = Intake(10, engine.take, asyncio.sleep)
        await flood(intake.sink("feed", FeedHealth(0.0)), 4)
        assert intake.discard() == 4
        await intake.drained()
        assert engine.taken == []

    run_virtually(go())


def test_an_error_of_the_engine_leaves_the_queue() -> None:
    def broken(taken: Taken) -> None:
        raise ZeroDivisionError

    async def go() -> None:
        intake = Intake(10, broken, asyncio.sleep)
        await flood(intake.sink("feed", FeedHealth(0.0)), 1)
        with pytest.raises(ZeroDivisionError):
            await intake.run()

    run_virtually(go())


def test_pauses_grow_to_a_minute_and_begin_anew() -> None:
    backoff = Backoff(Random(3))
    pauses = [backoff.pause() for _ in range(12)]
    assert all(0.25 * 2**number <= pause <= 0.5 * 2**number for number, pause in enumerate(pauses[:7]))
    assert all(30 <= pause <= 60 for pause in pauses[7:])
    backoff.reset()
    assert backoff.pause() <= 0.5
