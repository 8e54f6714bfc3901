"""What a running engine tells reaches the database in one transaction, and nothing is lost to somebody's lock."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pumpswap.engine.outbox import PLACE, SHADOW, Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.errors import PumpSwapError, StorageError
from pumpswap.model import Alert, AlertLevel, EquityPoint, ExitState, MarketUpdate, RiskState
from pumpswap.storage.run import Run
from tests.engine.supervised import opened
from tests.support.market import START_NS


def filled(run: Run) -> Outbox:
    """An outbox that has heard something of everything that needs no order."""
    outbox = Outbox(run, StoreRecorder(run))
    outbox.on_update(MarketUpdate(START_NS + 5, "pool"))
    outbox.on_equity(EquityPoint(START_NS, 50, 0, 50))
    for streak in range(3):
        outbox.on_risk(RiskState(losses_in_a_row=streak))
        outbox.on_exits(ExitState("pool", 1, peak_lamports=streak))
    outbox.on_alert(Alert(START_NS, AlertLevel.INFO, "engine", "", "text"))
    outbox.place("rows", {"last": "1"})
    outbox.place("rows", {"last": "2"})
    return outbox


def test_everything_is_stored_at_once_and_of_what_is_remembered_the_newest(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        outbox = filled(run)
        assert run.states.risk() is None
        assert list(run.equity.points()) == []
        outbox.flush()
        assert run.states.risk() == RiskState(losses_in_a_row=2)
        assert [state.peak_lamports for state in run.states.exits()] == [2]
        assert len(list(run.equity.points())) == 1
        assert len(database.alerts.all()) == 1
        assert run.states.load(PLACE + "rows") == {"last": "2"}
        assert len(outbox) == 0
        outbox.flush()
        assert len(database.alerts.all()) == 1


def test_what_a_paper_book_remembers_is_stored_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        shares: dict[str, object] = {"pool": {"units": 1}}
        outbox = Outbox(run, StoreRecorder(run), lambda: dict(shares))
        outbox.flush()
        assert run.states.load(SHADOW) is None
        shares["other"] = {"units": 2}
        other = sqlite3.connect(tmp_path / "books.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError):
            outbox.flush()
        other.execute("ROLLBACK")
        other.close()
        outbox.flush()
        assert run.states.load(SHADOW) == shares


def test_a_lock_of_somebody_else_keeps_it_for_the_next_time(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        outbox = filled(run)
        other = sqlite3.connect(tmp_path / "books.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError):
            outbox.flush()
        other.execute("ROLLBACK")
        other.close()
        outbox.flush()
        assert len(database.alerts.all()) == 1
        assert run.states.load(PLACE + "rows") == {"last": "2"}


def test_a_row_that_the_database_refuses_is_no_lock(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        outbox = filled(run)
        outbox.on_equity(EquityPoint(2**70, 50, 0, 50))
        with pytest.raises(PumpSwapError, match="cannot be stored") as refused:
            outbox.flush()
        assert not isinstance(refused.value, StorageError)
        assert database.alerts.all() == ()
