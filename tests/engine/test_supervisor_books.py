"""The supervisor and its books in virtual time: stops of either kind, databases that are locked, the next process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.engine.supervisor import Ending
from pumpswap.errors import PumpSwapError, StorageError
from pumpswap.model import Decision, RunObserver
from tests.engine.supervised import ScriptedFeed, faults, forever, locked, opened, states, world
from tests.support.virtual_time import run_virtually


def test_a_stop_lets_what_is_on_its_way_land_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going() as ending:
                await asyncio.sleep(0.3)
                assert len(made.engine.desk.orders) == 1
                made.supervisor.stop()
                await asyncio.sleep(0.1)
                assert "shutdown" in faults(made)
                await asyncio.wait([ending])
            assert ending.result() is Ending.STOPPED
            assert made.engine.desk.orders == ()
            assert [position.is_open for position in made.run.positions()] == [True]
            assert faults(made) == {}
            last = made.run.states.heartbeat()
            assert last is not None
            assert (last.stopping, last.waiting) == (True, 0)

    run_virtually(go())


def test_a_second_stop_does_not_wait_and_the_next_process_knows_what_was_lost(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going() as ending:
                await asyncio.sleep(0.4)
                assert len(made.engine.desk.orders) == 1
                made.supervisor.stop()
                made.supervisor.stop()
                await asyncio.sleep(0.01)
                assert ending.done()
        with opened(tmp_path) as database:
            later = world(database, [states()])
            assert [order.order_id for order in later.left.lost] == ["o000001"]
            assert later.engine.desk.orders == ()
            assert later.engine.portfolio.cash == made.engine.portfolio.cash

    run_virtually(go())


def test_books_are_taken_up_by_the_next_process(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going():
                await asyncio.sleep(5)
        with opened(tmp_path) as database:
            later = world(database, [states()])
            held = later.engine.portfolio.positions.open_positions()
            assert held == made.engine.portfolio.positions.open_positions()
            assert len(held) == 1
            assert later.engine.portfolio.ledger.balances() == made.engine.portfolio.ledger.balances()
            assert later.run.states.load("place/states") == {"number": "5"}

    run_virtually(go())


def test_somebodys_lock_on_the_database_delays_the_storing_and_stops_entries(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going():
                await asyncio.sleep(0.1)
                with locked(tmp_path):
                    await asyncio.sleep(5)
                    assert "database" in faults(made)
                    assert list(made.run.positions()) == []
                    assert len(made.engine.portfolio.positions.open_positions()) == 1
                await asyncio.sleep(1)
                assert faults(made) == {}
                assert [position.is_open for position in made.run.positions()] == [True]

    run_virtually(go())


def test_a_stop_waits_for_somebodys_lock_to_store_what_is_left(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going() as ending:
                await asyncio.sleep(0.1)
                with locked(tmp_path):
                    await asyncio.sleep(3)
                    made.supervisor.stop()
                    await asyncio.sleep(5)
                    assert not ending.done()
            assert ending.result() is Ending.STOPPED
            assert [position.is_open for position in made.run.positions()] == [True]
            state = made.run.states.risk()
            assert state is not None
            assert state.faults == ()

    run_virtually(go())


def test_a_database_that_stays_locked_ends_the_run(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going() as ending:
                await asyncio.sleep(0.1)
                with locked(tmp_path):
                    await asyncio.sleep(120)
                    assert isinstance(ending.exception(), StorageError)

    run_virtually(go())


@pytest.mark.parametrize(
    ("is_stopped", "text"),
    [
        (False, "the engine has stopped: StorageError: "),
        (True, "the engine has stopped, and what it did last could not be stored: "),
    ],
)
def test_an_end_that_the_database_does_not_take_is_told_directly(tmp_path: Path, is_stopped: bool, text: str) -> None:
    told: list[str] = []

    async def tell(untold: str) -> None:
        await asyncio.sleep(5)
        told.append(untold)
        raise ConnectionError("and the service is down")

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)], on_untold=tell)
            async with made.going() as ending:
                await asyncio.sleep(0.1)
                with locked(tmp_path):
                    await asyncio.sleep(10)
                    if is_stopped:
                        made.supervisor.stop()
                    await asyncio.sleep(120)
                    assert isinstance(ending.exception(), StorageError)
            assert database.alerts.all() == ()
        (one,) = told
        assert one.startswith(text)
        assert "locked" in one

    run_virtually(go())


def test_faults_of_an_earlier_process_are_gone(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(forever)])
            made.engine.risk.fault("feed other", "was down")
            made.engine.risk.fault("strategy mine", "a bug, mended by now")
            async with made.going():
                await asyncio.sleep(1)
                assert faults(made) == {}

    run_virtually(go())


def test_a_row_that_contradicts_the_books_ends_the_run(tmp_path: Path) -> None:
    decided: list[Decision] = []

    class Deciding(RunObserver):
        def on_decision(self, decision: Decision) -> None:
            decided.append(decision)

    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)], observers=[Deciding()])
            async with made.going() as ending:
                await asyncio.sleep(0.1)
                made.run.save_decision(decided[0])  # somebody else writes these books too
                await asyncio.sleep(5)
                assert ending.done()
                broken = ending.exception()
                assert isinstance(broken, PumpSwapError)
                assert broken.what.startswith("the books cannot be stored")

    run_virtually(go())
