"""Outcomes as columns of their order, and back. A filled order keeps its outcome as a trade."""

from __future__ import annotations

from typing import Any, assert_never

from sqlalchemy import Select, and_, select

from pumpswap.model import Costs, Denied, Filled, Outcome, Rejected, Unknown
from pumpswap.storage.documents import Unfilled, dump_outcome, load_outcome
from pumpswap.storage.rows import Values, check_integers, filled_of
from pumpswap.storage.tables import ORDERS, TRADES, StoredRow

__all__ = ["UNRESOLVED", "outcome_of", "outcome_values", "select_outcomes"]

# What may still change. Everything else is final.
UNRESOLVED = ("pending", "unknown")


def outcome_values(outcome: Outcome) -> Values:
    """What an outcome changes in ``pumpswap_orders``. Raises AmountOutOfRange for what the books cannot hold."""
    what = f"the outcome of order {outcome.order_id}"
    check_integers({"at_ns": outcome.at_ns}, what)
    match outcome:
        case Filled():
            return {"status": "filled", "outcome_ns": outcome.at_ns, "outcome": None}
        case Rejected():
            check_integers({"slot": outcome.slot, "code": outcome.code}, what)
            _check_costs(outcome.costs, what)
            return _ended("rejected", outcome)
        case Denied():
            return _ended("denied", outcome)
        case Unknown():
            check_integers({"expiry_height": outcome.expiry_height}, what)
            return _ended("unknown", outcome)
        case _ as never:
            assert_never(never)


def select_outcomes(run_id: int) -> Select[*tuple[Any, ...]]:
    """Orders of a run that have an outcome, each beside its trade, in the order in which they were made."""
    same_order = and_(TRADES.c.run_id == ORDERS.c.run_id, TRADES.c.order_id == ORDERS.c.order_id)
    return (
        select(ORDERS.c.order_id.label("decided_order"), ORDERS.c.status, ORDERS.c.outcome_ns, ORDERS.c.outcome, TRADES)
        .select_from(ORDERS.outerjoin(TRADES, same_order))
        .where(ORDERS.c.run_id == run_id, ORDERS.c.status != "pending")
        .order_by(ORDERS.c.id)
    )


def outcome_of(row: StoredRow) -> Outcome:
    """The outcome in a row of ``select_outcomes``."""
    if row.status == "filled":
        return filled_of(row)
    return load_outcome(row.status, row.decided_order, row.outcome_ns, row.outcome)


def _ended(status: str, outcome: Unfilled) -> Values:
    return {"status": status, "outcome_ns": outcome.at_ns, "outcome": dump_outcome(outcome)}


def _check_costs(costs: Costs, what: str) -> None:
    names = ("network_fee", "priority_fee", "tip", "rent_paid", "rent_returned")
    check_integers({name: getattr(costs, name) for name in names}, what)
