"""What a person approves: no more than was shown, and not after its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.engine.control import Control
from pumpswap.errors import NotFound
from pumpswap.model import ProposalStatus
from tests.support.market import SOL, at, graduate, seen, settings
from tests.support.paper_life import paper_life


def test_no_more_is_bought_than_was_approved(tmp_path: Path) -> None:
    chosen = settings(risk={"base_position_fraction": "0.01"})
    with paper_life(tmp_path / "books.sqlite", chosen, mode="approve") as life:
        start = graduate()
        life.step(seen(start, 0, scored=True), seen(start, 5))
        (asked,) = life.run.proposals.all()
        with life.run.batch():
            life.engine.deposit(50 * SOL)  # what would be bought now is twice as much
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(5))
        life.poll()
        (order,) = life.engine.desk.orders
        assert order.quote_lamports == asked.quote_lamports
        stored = life.run.decided.get(order.decision_id)
        assert stored is not None
        assert [step.lamports for step in stored.decision.sizing if step.rule == "approved"] == [asked.quote_lamports]


@pytest.mark.parametrize("late_s", [0, 30])
def test_what_is_approved_when_its_time_is_over_is_not_ordered(tmp_path: Path, late_s: int) -> None:
    chosen = settings(run={"approve_seconds": 10})
    with paper_life(tmp_path / "books.sqlite", chosen, mode="approve") as life:
        life.step(seen(graduate(), 0, scored=True))  # the engine's own clock stands still from now on
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(10 + late_s))
        life.poll()
        assert life.engine.desk.orders == ()
        assert life.run.proposals.get("d000001").status is ProposalStatus.EXPIRED


def test_what_was_approved_in_time_but_is_read_too_late_is_not_ordered(tmp_path: Path) -> None:
    chosen = settings(run={"approve_seconds": 10})
    with paper_life(tmp_path / "books.sqlite", chosen, mode="approve") as life:
        life.step(seen(graduate(), 0, scored=True))
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(5))
        now = lambda: at(60)  # noqa: E731 - the machine was suspended, and the engine has not heard of the time yet
        life.control = Control(life.run, life.engine, lambda: None, life, now, now)
        life.poll()
        assert life.engine.desk.orders == ()
        assert life.run.proposals.get("d000001").status is ProposalStatus.EXPIRED


def test_in_a_recorded_market_an_approval_counts_by_the_time_of_the_market(tmp_path: Path) -> None:
    chosen = settings(run={"approve_seconds": 10})
    with paper_life(tmp_path / "books.sqlite", chosen, mode="approve") as life:
        life.step(seen(graduate(), 0, scored=True))
        year = 365 * 86_400
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(year + 5))
        life.control = Control(life.run, life.engine, lambda: None, life, lambda: at(year + 6), lambda: at(6))
        life.poll()
        assert len(life.engine.desk.orders) == 1


def test_an_approval_of_what_does_not_wait_is_refused(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite", mode="approve") as life, pytest.raises(NotFound, match="d000009"):
        life.engine.desk.approve("d000009", "me@here")
