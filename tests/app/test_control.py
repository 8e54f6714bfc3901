"""Another terminal's hand on the engine: who is asked, how long, and what happens where nobody is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pumpswap.app.control import PATIENCE_SECONDS, RemoteControl, open_control, origin_of_process, running_runs
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import NotFound, NotRunning, StorageError
from pumpswap.model import (
    BreakerState,
    CommandStatus,
    CommandVerb,
    Heartbeat,
    ProposalStatus,
    RiskState,
    TradingState,
)
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.support.market import START_NS, at, graduate, seen
from tests.support.paper_life import PaperLife, paper_life


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


class Terminal:
    """The other terminal: its clock, and what happens whenever it waits."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self.clock = ManualClock(now_ns)
        self.meanwhile: Callable[[], None] = lambda: None
        self.waited = 0.0

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.clock.advance_to(self.clock.now_ns() + int(seconds * NS_PER_SECOND))
        self.meanwhile()


def beat(life: PaperLife, at_ns: int = START_NS, *, stopping: bool = False) -> None:
    life.run.states.beat(Heartbeat(at_ns, START_NS, 4711, "paper", stopping=stopping))


def test_a_running_engine_takes_the_command_and_its_answer_is_shown(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        beat(life)
        terminal.meanwhile = life.poll
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            given = control.give(CommandVerb.PAUSE)
    assert (given.is_running, given.is_done, given.state) == (True, True, TradingState.EXITS_ONLY)
    assert given.command.origin == origin_of_process()
    assert "paused" in given.command.answer
    assert terminal.waited < 1


@pytest.mark.parametrize(
    ("age_seconds", "stopping", "runs"), [(0, False, True), (10, False, True), (11, False, False), (0, True, False)]
)
def test_running_means_a_young_heartbeat(chosen: Settings, age_seconds: int, stopping: bool, runs: bool) -> None:
    terminal = Terminal(START_NS + age_seconds * NS_PER_SECOND)
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        beat(life, stopping=stopping)
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            assert control.is_running() is runs


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3)])
def test_of_several_engines_a_live_one_comes_first_whichever_has_beaten_last(
    chosen: Settings, order: tuple[int, ...]
) -> None:
    """Or commands, and what is looked at, would change from one to the other with every heartbeat."""
    now_ns = at(8)
    with open_database(chosen.database_target) as database:
        for kind in ("paper", "live", "simulated", "paper", "live", "demo"):
            database.start_run(kind, START_NS)
        for run_id, beat_ns in zip((1, 2, 3), map(at, order), strict=True):
            database.run(run_id).states.beat(Heartbeat(beat_ns, START_NS, 4711, "paper"))
        database.run(4).states.beat(Heartbeat(at(7), START_NS, 4711, "paper", stopping=True))
        database.run(5).states.beat(Heartbeat(at(-60), START_NS, 4711, "auto"))
        assert [header.run_id for header in running_runs(database, chosen, now_ns)] == [2, 3, 1]
        assert [header.run_id for header in database.newest_runs(2)] == [6, 5]
    with open_control(chosen, clock=ManualClock(now_ns)) as control:
        assert control.run.run_id == 2
    with open_control(chosen, 1, clock=ManualClock(now_ns)) as control:
        assert control.run.run_id == 1


def test_without_an_engine_the_stored_state_is_changed_and_the_next_start_honours_it(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        before = RiskState(
            breaker=BreakerState.OPEN, is_drawn_down=True, peak_lamports=9, trials=("o1",), unknown=("o2",)
        )
        life.run.states.save_risk(before, 5)
    with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
        given = control.give(CommandVerb.HALT)
        assert (given.is_running, given.is_done, given.state) == (False, True, TradingState.HALTED)
        assert "next start" in given.command.answer
        halted = control.run.states.risk()
        assert halted is not None
        assert (halted.breaker, halted.trials, halted.unknown) == (BreakerState.OPEN, ("o1",), ("o2",))
    with paper_life(chosen.database_target, now_ns=at(5)) as life:
        assert life.engine.risk.state.trading is TradingState.HALTED
    with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
        assert control.give(CommandVerb.RESUME).state is TradingState.ACTIVE
        resumed = control.run.states.risk()
        assert resumed is not None
        assert (resumed.breaker, resumed.is_drawn_down, resumed.unknown) == (BreakerState.CLOSED, False, ("o2",))
        assert [each.status for each in control.run.commands.all()] == [CommandStatus.DONE] * 2
    assert terminal.waited == 0


def test_what_needs_an_engine_says_that_there_is_none(chosen: Settings) -> None:
    with pytest.raises(NotRunning, match="no engine runs") as never:
        open_control(chosen).__enter__()
    assert "pumpswap run" in never.value.hint
    terminal = Terminal(at(60))
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            for verb in (CommandVerb.PANIC, CommandVerb.CLOSE, CommandVerb.STOP):
                with pytest.raises(NotRunning, match="none ever has"):
                    control.give(verb)
            with pytest.raises(NotRunning):
                control.answer(("d000001",), ProposalStatus.APPROVED)
            beat(life)
            with pytest.raises(NotRunning, match="60 s old") as refused:
                control.give(CommandVerb.PANIC)
            beat(life, at(59), stopping=True)
            with pytest.raises(NotRunning, match="has been stopped"):
                control.give(CommandVerb.PANIC)
        assert life.run.commands.all() == ()
    assert refused.value.exit_code == 6
    assert "pumpswap run" in refused.value.hint


def test_a_live_wallet_without_an_engine_can_be_sold_by_hand(chosen: Settings) -> None:
    with open_database(chosen.database_target) as database:
        run = database.start_run("live", 1, wallet="wallet", network="network")
        run.states.beat(Heartbeat(1, 1, 1, "auto"))
    with open_control(chosen) as control, pytest.raises(NotRunning) as refused:
        control.give(CommandVerb.PANIC)
    assert "positions close" in refused.value.hint


def test_a_command_that_nobody_answers_is_taken_back_unless_it_makes_things_safer(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        beat(life)
        terminal.meanwhile = lambda: beat(life, terminal.clock.now_ns())
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            with pytest.raises(NotRunning, match="taken back"):
                control.give(CommandVerb.PANIC)
            assert terminal.waited == pytest.approx(PATIENCE_SECONDS)
            with pytest.raises(NotRunning, match="is stored"):
                control.give(CommandVerb.HALT)
            with pytest.raises(NotRunning, match="taken back"):
                control.give(CommandVerb.RESUME)
            panic, halt, resume = control.run.commands.all()
        assert (panic.status, halt.status) == (CommandStatus.FAILED, CommandStatus.WAITING)
        assert resume.status is CommandStatus.FAILED
        life.poll()
        assert life.engine.risk.state.trading is TradingState.HALTED
        assert life.run.commands.get(halt.number).status is CommandStatus.DONE


def test_a_halt_holds_although_the_engine_that_is_ending_has_not_heard_it(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        life.step(seen(graduate(), 0))
        life.engine.risk.fault("shutdown", "the engine is being stopped")
        beat(life, stopping=True)
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            given = control.give(CommandVerb.HALT)
        assert (given.is_done, given.state) == (True, TradingState.HALTED)
        life.engine.risk.lift("shutdown")  # what risk remembers is stored once more
    with paper_life(chosen.database_target, now_ns=at(4)) as life:
        assert life.engine.risk.state.trading is TradingState.HALTED


def test_a_halt_reaches_a_process_that_gives_no_sign_of_life(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            assert control.give(CommandVerb.HALT).is_done
        life.step(seen(graduate(), 0))
        life.poll()
        life.step(seen(graduate(), 1, scored=True))
        (refused,) = life.run.decisions()
        assert [verdict.policy for verdict in refused.refusals] == ["trading state"]
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            assert control.give(CommandVerb.RESUME).is_done
        life.poll()
        life.step(seen(graduate(), 2, scored=True))
        assert [decision.accepted for decision in life.run.decisions()][-1]


def test_a_pause_of_what_is_halted_is_refused_without_an_engine_too(chosen: Settings) -> None:
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target), open_control(chosen) as control:
        control.give(CommandVerb.HALT)
        given = control.give(CommandVerb.PAUSE)
        assert (given.is_done, given.state) == (False, TradingState.HALTED)
        assert "less than a pause" in given.command.answer
        assert control.run.states.switch().number == 1


def test_an_answer_in_the_last_moment_counts(chosen: Settings) -> None:
    terminal = Terminal()
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target) as life:
        beat(life)

        def last_moment() -> None:
            if terminal.waited >= PATIENCE_SECONDS - 0.01:
                life.poll()

        terminal.meanwhile = last_moment
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            assert control.give(CommandVerb.STOP).is_done
    assert life.stopped == 1


def test_proposals_are_listed_with_size_impact_and_time_and_answered(chosen: Settings) -> None:
    terminal = Terminal(at(2))
    assert isinstance(chosen.database_target, Path)
    with paper_life(chosen.database_target, mode="approve") as life:
        life.step(seen(graduate(1), 0, scored=True), seen(graduate(2), 1, scored=True))
        beat(life, at(2))

        def meanwhile() -> None:
            with life.run.batch():
                life.engine.tick(terminal.clock.now_ns())
            life.poll()

        terminal.meanwhile = meanwhile
        with open_control(chosen, clock=terminal.clock, sleep=terminal.sleep) as control:
            first, second = control.waiting()
            assert (first.proposal.decision_id, first.seconds_left) == ("d000001", 118)
            assert first.impact is not None and first.impact.numbers["max_impact_bps"] == "150"
            assert first.decision is not None and first.decision.quote_lamports == first.proposal.quote_lamports > 0
            (ordered,) = control.answer(("d000001",), ProposalStatus.APPROVED)
            (declined,) = control.answer((second.proposal.decision_id,), ProposalStatus.DECLINED)
            assert (ordered.status, declined.status) == (ProposalStatus.ORDERED, ProposalStatus.DECLINED)
            assert ordered.origin == origin_of_process()
            assert control.waiting() == ()
            with pytest.raises(NotFound, match="d000099"):
                control.answer(("d000099",), ProposalStatus.APPROVED)
            with pytest.raises(StorageError, match="does not wait"):
                control.answer(("d000001",), ProposalStatus.DECLINED)
        assert [order.decision_id for order in life.engine.desk.orders] == [ordered.follow_up]


def test_a_run_is_chosen_by_its_number_or_by_the_latest_heartbeat(chosen: Settings) -> None:
    with open_database(chosen.database_target) as database:
        runs = [database.start_run(kind, 1) for kind in ("paper", "live", "simulated", "demo")]
        for run, beat_ns in zip(runs, (5, 9, 7), strict=False):
            run.states.beat(Heartbeat(beat_ns, 1, 1, "paper"))
    with open_control(chosen) as control:
        assert control.run.run_id == runs[1].run_id  # a demo has no engine that listens
    with open_control(chosen, 3) as control:
        assert control.run.run_id == 3
    with pytest.raises(NotFound):
        open_control(chosen, 77).__enter__()


def test_without_an_engine_money_that_is_traded_by_hand_comes_first(chosen: Settings) -> None:
    now_ns = 100 * NS_PER_SECOND
    with open_database(chosen.database_target) as database:
        paper, live = database.start_run("paper", 1), database.start_run("live", 1)
        paper.states.beat(Heartbeat(NS_PER_SECOND, 1, 1, "paper"))
        with open_control(chosen, clock=ManualClock(now_ns)) as control:
            assert control.run.run_id == live.run_id
        paper.states.beat(Heartbeat(now_ns, 1, 1, "paper"))
        with open_control(chosen, clock=ManualClock(now_ns)) as control:
            assert control.run.run_id == paper.run_id, "an engine runs"
        live.finish(now_ns, {})
        with open_control(chosen, clock=ManualClock(2 * now_ns)) as control:
            assert control.run.run_id == paper.run_id


def test_the_origin_names_user_host_and_process() -> None:
    assert "@" in origin_of_process()
    assert " process " in origin_of_process()


def test_controls_are_made_for_one_run(chosen: Settings) -> None:
    with open_database(chosen.database_target) as database:
        run = database.start_run("paper", 1)
        control = RemoteControl(database, run, chosen, ManualClock(5), lambda _: None)
        assert control.heartbeat() is None
        assert control.held() == ()
