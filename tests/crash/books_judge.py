"""What must be true of books whose writer was killed: sound, whole, and nothing lost that the writer had reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pumpswap.errors import NotFound
from pumpswap.model import AttemptState, Denied, Filled, Rejected
from pumpswap.portfolio.audit import audit_run
from pumpswap.storage import Run, open_database
from pumpswap.storage.maintenance import Status, check
from tests.crash.books_process import NETWORK, STEPS, WALLET

__all__ = ["BrokenBooks", "judge_books", "latest_of"]


class BrokenBooks(AssertionError):
    """Something is lost, half there, or does not agree."""


def latest_of(lines: list[str]) -> dict[str, int]:
    """The newest order of which the writer has reported each step."""
    latest: dict[str, int] = {}
    for line in lines:
        step, _, number = line.partition(" ")
        if step in STEPS and number.isdigit():
            latest[step] = int(number)
    return latest


def judge_books(target: str | Path, reported: Mapping[str, int]) -> int:
    """Raises BrokenBooks for the first thing that is not as it must be; returns how many trades there are."""
    try:
        wrong = [f"{finding.name}: {finding.text}" for finding in check(target) if finding.status is Status.FAILED]
    except NotFound:
        _expect(not reported, "there are no books any more")  # else it died before there were any
        return 0
    _expect(not wrong, f"db check: {wrong}")
    with open_database(target) as database:
        run = database.open_live(str(WALLET), NETWORK)
        if run is None:
            _expect(not reported, "the run is lost")
            return 0
        report = audit_run(run)
        _expect(report.is_right, f"the audit differs: {report.differences[:3]}")
        return _judge_run(run, reported)


def _judge_run(run: Run, reported: Mapping[str, int]) -> int:
    decisions = {decision.decision_id for decision in run.decisions()}
    orders = {order.order_id: order for order in run.orders()}
    outcomes = {outcome.order_id: outcome for outcome in run.outcomes()}
    attempts = {one: run.attempts.of_order(one) for one in list(orders)[-3:]}
    entries = Counter(entry.order_id for entry in run.ledger())
    marked = {mark.at_ns for mark in run.marks()}
    measured = {point.at_ns for point in run.equity.points()}
    for step, number in reported.items():
        order = orders.get(f"l{number:06d}")
        _expect(f"d{number:06d}" in decisions, f"decision {number} is lost")
        if step == "decided":
            continue
        if order is None:
            raise BrokenBooks(f"order {number} is lost, and was reported as {step}")
        states = [attempt.state for attempt in attempts.get(order.order_id, run.attempts.of_order(order.order_id))]
        outcome = outcomes.get(order.order_id)
        if step in ("signed", "sent", "landed"):
            _expect(len(states) == 1, f"the attempt of order {number} is lost")
        if step == "landed":
            _expect(states == [AttemptState.LANDED], f"order {number} has landed, its attempt is {states}")
        if step in ("settled", "marked", "measured"):
            _expect(isinstance(outcome, Filled | Rejected), f"order {number} was settled, stored is {outcome}")
        if step == "marked" and isinstance(outcome, Filled):
            is_held = any(position.pool == order.pool for position in run.open_positions())
            _expect(order.created_ns in marked or not is_held or _sold(run, order.pool), f"mark {number} is lost")
        if step == "measured":
            _expect(order.created_ns in measured, f"equity {number} is lost")
    for order_id, outcome in outcomes.items():
        moved = entries[order_id] > 0
        _expect(
            moved == isinstance(outcome, Filled | Rejected), f"{order_id} is {type(outcome).__name__}, and half booked"
        )
        _expect(isinstance(outcome, Filled | Rejected | Denied) or order_id == max(orders), f"{order_id} is left open")
    _expect(all(order_id in outcomes for order_id in list(orders)[:-1]), "an order before the last is left open")
    return sum(1 for outcome in outcomes.values() if isinstance(outcome, Filled))


def _sold(run: Run, pool: str) -> bool:
    """A sale of everything leaves nothing to mark."""
    newest = run.latest_position(pool)
    return newest is not None and newest.closed_ns is not None


def _expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise BrokenBooks(what)
