"""The supervisor in virtual time: order of events, faults that come and go, bugs that are loud."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.engine.feeds.errand import Errand
from pumpswap.engine.health import Monitor
from pumpswap.engine.supervisor import Ending
from pumpswap.errors import EndpointDown, UsageError
from pumpswap.model import BROKEN, Alert, AlertLevel, Heartbeat, MarketUpdate, RunObserver, TradingState
from tests.engine.supervised import ScriptedFeed, World, faults, forever, opened, states, world
from tests.support.market import START_NS, at, graduate, moved, seen
from tests.support.virtual_time import run_virtually, skip

POOL = str(graduate().address)


def now(update: MarketUpdate) -> MarketUpdate:
    """The update as it arrives now."""
    seconds = asyncio.get_running_loop().time()
    return MarketUpdate(at(seconds), update.pool, update.state, update.snapshot, update.swap)


def may_enter(made: World) -> bool:
    return made.engine.risk.trading[0] is TradingState.ACTIVE


def beat_of(made: World) -> Heartbeat:
    return made.heard.beats[-1]


def test_what_feeds_bring_is_taken_in_the_order_in_which_it_came_and_the_market_ends(tmp_path: Path) -> None:
    taken: list[int] = []

    class Taking(RunObserver):
        def on_update(self, update: MarketUpdate) -> None:
            taken.append(update.at_ns)

    async def burst(sink: Sink) -> None:
        for number in range(500):
            await sink.put(MarketUpdate(START_NS + number, POOL))

    async def go() -> Ending:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(burst)], observers=[Taking()], queue_size=10)
            ending = await made.go()
            assert made.supervisor.events == 500
            assert made.supervisor.longest_queue == 10
            return ending

    assert run_virtually(go()) is Ending.MARKET_IS_OVER
    assert taken == [START_NS + number for number in range(500)]


def test_a_feed_that_fails_is_begun_again_more_and_more_rarely_and_entries_wait_for_it(tmp_path: Path) -> None:
    async def fails(sink: Sink) -> None:
        raise EndpointDown("no connection", hint="wait")

    async def works(sink: Sink) -> None:
        while True:
            sink.alive()
            await asyncio.sleep(1)

    async def go() -> None:
        feed = ScriptedFeed(*[fails] * 5, works, name="states", stale_seconds=10)
        with opened(tmp_path) as database:
            made = world(database, [feed])
            async with made.going():
                await asyncio.sleep(3)
                assert faults(made) == {"feed states": "failed: no connection"}
                assert not may_enter(made)
                await asyncio.sleep(60)
                assert faults(made) == {}
                assert may_enter(made)
        pauses = [later - earlier for earlier, later in zip(feed.began, feed.began[1:], strict=False)]
        assert len(pauses) == 5
        for number, pause in enumerate(pauses):  # half a second, doubled, of which a random part is left out
            assert 0.25 * 2**number <= pause <= 0.5 * 2**number
        told = [(alert.level, alert.topic, alert.subject) for alert in made.heard.alerts if alert.topic != "stop"]
        assert told[0] == (AlertLevel.WARNING, "feed", "states")
        assert told[-1] == (AlertLevel.INFO, "fault", "feed states")
        assert [alert.topic for alert in made.heard.alerts].count("feed") == 3  # the first, second and fourth time

    run_virtually(go())


def test_a_feed_that_hangs_stops_entries_and_gives_them_back_when_it_speaks_again(tmp_path: Path) -> None:
    async def hangs(sink: Sink) -> None:
        sink.alive()
        await asyncio.sleep(30)
        sink.alive()
        await forever(sink)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(hangs, name="states", stale_seconds=10)])
            async with made.going():
                await asyncio.sleep(5)
                assert faults(made) == {}
                await asyncio.sleep(10)
                assert faults(made) == {"feed states": "no sign of life for more than 10 s"}
                await asyncio.sleep(17)
                assert faults(made) == {}

    run_virtually(go())


def test_before_a_needed_feed_has_spoken_nothing_is_bought(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(forever, name="states", stale_seconds=10), ScriptedFeed(forever)])
            async with made.going():
                await asyncio.sleep(1)
                assert faults(made) == {"feed states": "nothing was heard from it yet"}

    run_virtually(go())


def test_a_monitor_that_objects_stops_entries_until_it_does_not(tmp_path: Path) -> None:
    wrong = [""]

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(forever)], monitors=[Monitor("venue", lambda: wrong[0])])
            async with made.going():
                await asyncio.sleep(2)
                assert faults(made) == {}
                wrong[0] = "the key is locked"
                await asyncio.sleep(2)
                assert faults(made) == {"venue": "the key is locked"}
                assert not beat_of(made).able
                assert beat_of(made).parts["venue"] == "the key is locked"
                wrong[0] = ""
                await asyncio.sleep(2.5)
                assert faults(made) == {}
                assert beat_of(made).able
        levels = [(alert.level, alert.subject) for alert in made.heard.alerts if alert.topic == "fault"]
        assert levels == [(AlertLevel.ERROR, "venue"), (AlertLevel.INFO, "venue")]

    run_virtually(go())


def test_a_loop_that_is_blocked_stops_entries_while_it_is(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(forever)])
            async with made.going():
                await asyncio.sleep(1.1)
                skip(5)
                await asyncio.sleep(0)
                await asyncio.sleep(0.1)
                assert "event loop" in faults(made)
                await asyncio.sleep(2)
                assert faults(made) == {}

    run_virtually(go())


def test_a_clock_that_was_set_back_stops_entries_until_it_has_caught_up(tmp_path: Path) -> None:
    async def ahead(sink: Sink) -> None:
        await sink.put(MarketUpdate(at(60), POOL))
        await forever(sink)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(ahead)])
            async with made.going():
                await asyncio.sleep(1)
                assert faults(made) == {"clock": "it was set back, and has not caught up yet"}
                await asyncio.sleep(60)
                assert faults(made) == {}

    run_virtually(go())


def test_positions_are_sold_by_time_without_any_news(tmp_path: Path) -> None:
    async def once(sink: Sink) -> None:
        await sink.put(seen(graduate(), 0, scored=True))
        await forever(sink)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(once)], sections={"exits": {"max_hold_seconds": 20}})
            async with made.going():
                await asyncio.sleep(5)
                assert len(made.engine.portfolio.positions.open_positions()) == 1
                await asyncio.sleep(20)
                assert made.engine.portfolio.positions.open_positions() == []

    run_virtually(go())


class Broken(RunObserver):
    """A bug in what listens to the engine."""

    def on_update(self, update: MarketUpdate) -> None:
        raise ZeroDivisionError("a bug")


def test_a_bug_in_the_engine_ends_everything_with_a_stored_alert(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states()], observers=[Broken()])
            with pytest.raises(ZeroDivisionError):
                await made.go()
            stored: list[Alert] = list(database.alerts.all())
            assert [(alert.level, alert.topic) for alert in stored] == [(AlertLevel.CRITICAL, "engine")]
            assert "ZeroDivisionError: a bug" in stored[0].text
            beat = made.run.states.heartbeat()
            assert beat is not None
            assert (beat.stopping, beat.broken) == (True, True)  # it did not end without a word, nor by a wish
            assert [one.reason for one in made.run.spells.since(0)][-1] == BROKEN

    run_virtually(go())


def test_an_error_of_a_market_that_looks_at_our_book_ends_its_attempt_not_the_engine(tmp_path: Path) -> None:
    def broken() -> MarketUpdate:
        raise ValueError("a bug of the market")

    async def asks(sink: Sink) -> None:
        await sink.turn(broken)

    async def over(sink: Sink) -> None:
        assert await sink.turn(lambda: seen(graduate(), 1))
        assert not await sink.turn(lambda: None)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(asks, over)])
            assert await made.go() is Ending.MARKET_IS_OVER
            assert made.supervisor.events == 1
            assert "ValueError: a bug of the market" in made.heard.alerts[0].text

    run_virtually(go())


def test_helpers_run_beside_the_market_and_do_not_keep_it_from_its_end(tmp_path: Path) -> None:
    looked: list[float] = []

    async def look() -> None:
        looked.append(asyncio.get_running_loop().time())
        if len(looked) == 2:
            raise EndpointDown("no connection", hint="wait")

    async def over(sink: Sink) -> None:
        await asyncio.sleep(35)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(over)], helpers=[Errand("frame", 10, look, FeedTools())])
            assert await made.go() is Ending.MARKET_IS_OVER
            assert made.engine.risk.state.faults == ()
            assert [alert.subject for alert in made.heard.alerts if alert.topic == "feed"] == ["frame"]
        assert looked[:2] == [0, 10]
        assert 10.25 <= looked[2] <= 10.5
        assert len(looked) == 5

    run_virtually(go())


def test_a_run_ends_when_its_time_is_up(tmp_path: Path) -> None:
    async def go() -> Ending:
        with opened(tmp_path) as database:
            made = world(database, [states()], seconds=30.0)
            ending = await made.go()
            assert 30 <= asyncio.get_running_loop().time() < 31
            return ending

    assert run_virtually(go()) is Ending.TIME_IS_UP


def test_two_feeds_of_one_name_are_refused(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database, pytest.raises(UsageError):
            world(database, [ScriptedFeed(forever), ScriptedFeed(forever)])

    run_virtually(go())


def test_heartbeats_say_how_everything_is(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states()], process=4_711)
            async with made.going():
                await asyncio.sleep(10.5)
                beat = made.run.states.heartbeat()
                assert beat is not None
                assert (beat.process, beat.mode, beat.able, beat.stopping) == (4_711, "paper", True, False)
                assert (beat.started_ns, beat.at_ns) == (START_NS, at(10))
                assert beat.events == 10  # the eleventh has just come
                assert beat.parts["states"] == "ok, 0.0 s ago, 11 updates"

    run_virtually(go())


def test_moved_prices_are_seen(tmp_path: Path) -> None:
    async def jump(sink: Sink) -> None:
        await sink.put(seen(graduate(), 0, scored=True))
        await asyncio.sleep(5)
        await sink.put(now(seen(moved(graduate(), 300), 0)))
        await forever(sink)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(jump)])
            async with made.going():
                await asyncio.sleep(10)
                assert made.engine.portfolio.positions.open_positions() == []

    run_virtually(go())
