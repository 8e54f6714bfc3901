"""What a person has set holds for whoever trades with the books, and nothing that a process stores can lift it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.engine.control import Control
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.trading_switch import hear_switch, turn, turned
from pumpswap.errors import UsageError
from pumpswap.model import CommandVerb, RiskState, TradingState, TradingSwitch
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from pumpswap.storage.run import Run
from tests.engine.supervised import opened, states, world
from tests.support.market import SOL, START_NS, at, graduate, seen
from tests.support.paper_life import paper_life
from tests.support.virtual_time import run_virtually

PAUSE, RESUME, EXITS_ONLY = CommandVerb.PAUSE, CommandVerb.RESUME, CommandVerb.EXITS_ONLY
HALT, PANIC = CommandVerb.HALT, CommandVerb.PANIC


def after(*verbs: CommandVerb) -> TradingSwitch:
    switch = TradingSwitch()
    for verb in verbs:
        switch = turned(switch, verb, "me")
    return switch


@pytest.mark.parametrize(
    ("verbs", "trading", "panic", "resumed"),
    [
        ((PAUSE,), TradingState.EXITS_ONLY, "", 0),
        ((HALT, EXITS_ONLY), TradingState.EXITS_ONLY, "", 0),
        ((HALT, RESUME), TradingState.ACTIVE, "", 2),
        ((RESUME, HALT), TradingState.HALTED, "", 1),
        ((HALT, PANIC), TradingState.EXITS_ONLY, "panic by me", 0),
        ((PANIC, PAUSE), TradingState.EXITS_ONLY, "panic by me", 0),
        ((PANIC, HALT, EXITS_ONLY), TradingState.EXITS_ONLY, "panic by me", 0),
        ((PANIC, RESUME), TradingState.ACTIVE, "", 2),
    ],
)
def test_each_word_counts_on_and_only_a_resume_ends_a_panic(
    verbs: tuple[CommandVerb, ...], trading: TradingState, panic: str, resumed: int
) -> None:
    found = after(*verbs)
    assert (found.number, found.trading, found.panic, found.resumed) == (len(verbs), trading, panic, resumed)
    assert found.reason


def test_a_pause_raises_nothing_and_what_is_no_state_is_refused() -> None:
    with pytest.raises(UsageError, match="less than a pause"):
        after(HALT, PAUSE)
    with pytest.raises(UsageError, match="no trading state"):
        after(CommandVerb.STOP)


def lost_day(run: Run) -> RiskTracker:
    """As a process holds it that has lost most of its equity."""
    tracker = RiskTracker(RiskLimits(), run.states.risk(), lambda state: run.states.save_risk(state, 1))
    tracker.measured(100 * SOL, START_NS)
    tracker.measured(20 * SOL, START_NS + 1)
    assert tracker.state.is_drawn_down and tracker.state.day_is_lost
    return tracker


def test_a_resume_lifts_the_locks_once_whoever_hears_it(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        run = life.run
        tracker = lost_day(run)
        turn(run, RESUME, "me", 2)
        stored = run.states.risk()
        assert stored is not None and not stored.is_drawn_down, "as the next start finds it"
        hear_switch(run, tracker)
        assert not tracker.state.is_drawn_down and not tracker.state.day_is_lost
        assert (tracker.state.peak_lamports, tracker.state.day_start_lamports) == (20 * SOL, 20 * SOL)
        tracker.measured(5 * SOL, START_NS + 3)
        for _ in range(2):
            hear_switch(run, tracker)  # the same word lifts nothing again
            assert tracker.state.is_drawn_down
        again = RiskTracker(RiskLimits(), run.states.risk())
        hear_switch(run, again)
        assert again.state.is_drawn_down, "nor in the next process"


def test_a_halt_after_a_resume_that_nobody_has_heard_lifts_the_locks_and_halts(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        tracker = lost_day(life.run)
        turn(life.run, RESUME, "me", 2)
        turn(life.run, HALT, "me", 3)
        hear_switch(life.run, tracker)
        assert (tracker.trading[0], tracker.state.is_drawn_down) == (TradingState.HALTED, False)


@pytest.mark.parametrize("verb", [PAUSE, EXITS_ONLY, HALT])
def test_a_word_outlives_the_process_that_was_ended_before_it_could_hear_it(tmp_path: Path, verb: CommandVerb) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        turn(life.run, verb, "me", 2)
        life.step(seen(graduate(), 0, scored=True), seen(graduate(), 2))  # it buys, and stores its memory: then it dies
        assert life.run.states.risk() != life.engine.risk.state
    with paper_life(tmp_path / "books.sqlite", now_ns=at(4)) as life:
        assert life.engine.risk.state.trading is turned(TradingSwitch(), verb, "me").trading
        assert life.engine.risk.state.entries_ns, "and what it remembered is not lost"


def test_books_without_a_row_of_their_own_keep_the_state_that_was_set(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        life.run.states.save_risk(RiskState(trading=TradingState.HALTED, trading_reason="halted by me"), 1)
        assert life.run.states.switch() == TradingSwitch(0, TradingState.HALTED, "halted by me")
        assert turn(life.run, EXITS_ONLY, "you", 2).number == 1
    with paper_life(tmp_path / "books.sqlite") as life:
        assert life.engine.risk.state.trading is TradingState.EXITS_ONLY


def test_what_was_set_while_an_engine_was_made_is_heard_before_its_first_event(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            outbox = made.supervisor.parts.keeps
            assert isinstance(outbox, Outbox)
            made.supervisor.obey(Control(made.run, made.engine, made.supervisor.stop, outbox, lambda: START_NS))
            turn(made.run, HALT, "me", START_NS)
            async with made.going():
                await asyncio.sleep(0.1)  # its next look at the database is later
                assert made.supervisor.events > 0
            assert [decision.accepted for decision in made.run.decisions()] == [False]
            assert list(made.run.orders()) == []

    run_virtually(go())


def test_the_end_of_an_engine_lifts_nothing_that_was_set_meanwhile(tmp_path: Path) -> None:
    async def go() -> None:
        with opened(tmp_path) as database:
            made = world(database, [states(scored=1)])
            async with made.going() as ending:
                await asyncio.sleep(0.1)
                made.supervisor.stop()
                await asyncio.sleep(0)  # it has said that it stops, and what is on its way may land
                turn(made.run, HALT, "me", START_NS)
                await ending
            assert made.run.states.switch().trading is TradingState.HALTED
        with opened(tmp_path) as database:
            assert world(database, [states(scored=1)]).engine.risk.state.trading is TradingState.HALTED

    run_virtually(go())
