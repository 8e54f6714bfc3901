"""StoreRecorder: whole batches or nothing of them; of what is remembered only the newest, with what caused it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.engine.recorder import UPDATES_PER_BATCH, StoreRecorder
from pumpswap.model import (
    Alert,
    AlertLevel,
    ExitState,
    MarketUpdate,
    Proposal,
    RiskState,
)
from pumpswap.storage import Run, open_database
from tests.storage import samples
from tests.support.market import SOL, START_NS, engine, feed, graduate, moved, seen


def update(number: int) -> MarketUpdate:
    return MarketUpdate(START_NS + number, "P")


def test_a_batch_holds_the_newest_of_what_is_remembered(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("demo", 1)
        reader = database.run(run.run_id)
        saved: list[int] = []
        save = run.states.__class__.save_risk

        def counted(states: object, state: RiskState, at_ns: int) -> None:
            saved.append(state.peak_lamports)
            save(states, state, at_ns)  # type: ignore[arg-type]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run.states.__class__, "save_risk", counted)
            with StoreRecorder(run) as recorder:
                for number in range(UPDATES_PER_BATCH + 10):
                    recorder.on_risk(RiskState(peak_lamports=number))
                    recorder.on_update(update(number))
        assert saved == [UPDATES_PER_BATCH - 1, UPDATES_PER_BATCH + 9]
        assert reader.states.risk() == RiskState(peak_lamports=UPDATES_PER_BATCH + 9)


def test_a_run_that_fails_loses_its_last_batch_whole(tmp_path: Path) -> None:
    def fail(run: Run) -> None:
        with StoreRecorder(run) as recorder:
            recorder.on_decision(samples.decision(1))
            recorder.on_risk(RiskState(peak_lamports=1))
            for number in range(UPDATES_PER_BATCH):
                recorder.on_update(update(number))
            recorder.on_decision(samples.decision(2))
            recorder.on_risk(RiskState(peak_lamports=2))
            raise RuntimeError("the engine broke")

    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("demo", 1)
        with pytest.raises(RuntimeError, match="the engine broke"):
            fail(run)
        assert [one.decision_id for one in run.decisions()] == ["d000001"]
        assert run.states.risk() == RiskState(peak_lamports=1)


def test_without_a_batch_of_its_own_everything_is_written_at_once_or_into_that_of_its_caller(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", 1)
        recorder = StoreRecorder(run)
        for number in range(3 * UPDATES_PER_BATCH):
            recorder.on_update(update(number))
        recorder.on_risk(RiskState(peak_lamports=5))
        recorder.on_exits(ExitState("P", 1))
        recorder.on_decision(samples.decision())
        recorder.on_repeat(samples.decision(2), "d000001", 3)
        recorder.on_proposal(Proposal("d000001", "P", "M", "X", 5, 6, 7))
        recorder.on_alert(Alert(5, AlertLevel.ERROR, "order", "P", "accepted, but not ordered"))
        assert run.states.risk() == RiskState(peak_lamports=5)
        assert run.states.exits() == (ExitState("P", 1),)
        assert run.decided.repeated() == 3
        assert len(run.proposals.waiting()) == len(database.alerts.all()) == 1


def test_what_the_exits_of_a_closed_round_remember_is_dropped(tmp_path: Path) -> None:
    start = graduate()
    market = [seen(start, 1, scored=True), seen(start, 3)]
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("demo", START_NS)
        with StoreRecorder(run) as recorder:
            engine(observers=[recorder]).run(feed(*market), START_NS, 50 * SOL)
        assert [state.pool for state in run.states.exits()] == [str(start.address)]
        assert database.run(run.run_id).states.risk() is not None
        again = database.start_run("demo", START_NS)
        market += [seen(moved(start, 300), second) for second in (20, 30)]
        with StoreRecorder(again) as recorder:
            engine(observers=[recorder]).run(feed(*market), START_NS, 50 * SOL)
        assert list(again.open_positions()) == []
        assert again.states.exits() == ()


def test_a_recorder_of_a_run_that_goes_on_knows_what_is_held(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", 1)
        run.save_position(samples.position())
        held = StoreRecorder(run)._held
        assert held == {samples.POOL: samples.position()}
