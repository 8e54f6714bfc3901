"""What is true of books at any moment, between any two transactions, whatever was killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, and_, exists, func, literal_column, not_, or_, select

from pumpswap.storage.tables import ATTEMPTS, BALANCES, CHORES, LEDGER, ORDERS, POSITIONS, TRADES

__all__ = ["INVARIANTS", "Invariant"]


class Invariant(NamedTuple):
    """``right`` is what it says when it holds; ``search`` names what contradicts it; no ``hint``: restore a backup."""

    name: str
    right: str
    hint: str
    search: Callable[[Connection], list[str]]


def _sequences(connection: Connection) -> list[str]:
    run, sequence = LEDGER.c.run_id, LEDGER.c.sequence
    query = select(run, func.count(), func.min(sequence), func.max(sequence)).group_by(run).order_by(run)
    return [
        f"the ledger of run {number} has {count} entries, numbered {first} to {last}"
        for number, count, first, last in connection.execute(query)
        if (first, last) != (1, count)
    ]


def _sums(connection: Connection) -> list[str]:
    # Both halves apart: SQLite's sums end at 64 bits.
    high = func.sum(LEDGER.c.units.bitwise_rshift(literal_column("32", Integer)))
    low = func.sum(LEDGER.c.units.bitwise_and(literal_column("4294967295", Integer)))
    key = (LEDGER.c.run_id, LEDGER.c.asset, LEDGER.c.kind)
    counted = {
        (run, asset, kind): ((int(above) << 32) + int(below), count)
        for run, asset, kind, above, below, count in connection.execute(
            select(*key, high, low, func.count()).group_by(*key)
        )
    }
    stored = {
        (row.run_id, row.asset, row.kind): (row.units, row.entries) for row in connection.execute(select(BALANCES))
    }
    wrong = []
    for one in sorted(counted.keys() | stored.keys()):
        (right, entries), (kept, noted) = counted.get(one, (0, 0)), stored.get(one, (0, 0))
        if counted.get(one) != stored.get(one):
            run, asset, kind = one
            wrong.append(f"run {run}: {kind} of {asset} is {right} in {entries} entries, noted is {kept} in {noted}")
    return wrong


_OF_ORDER = and_(TRADES.c.run_id == ORDERS.c.run_id, TRADES.c.order_id == ORDERS.c.order_id)


def _trades(connection: Connection) -> list[str]:
    orphans = select(TRADES.c.run_id, TRADES.c.order_id).where(~exists().where(_OF_ORDER))
    unfilled = select(TRADES.c.run_id, TRADES.c.order_id).join(ORDERS, _OF_ORDER).where(ORDERS.c.status != "filled")
    missing = select(ORDERS.c.run_id, ORDERS.c.order_id).where(ORDERS.c.status == "filled", ~exists().where(_OF_ORDER))
    return [
        f"{order_id} of run {run} {what}"
        for query, what in (
            (orphans, "is traded and is not stored"),
            (unfilled, "is traded and not filled"),
            (missing, "is filled and not traded"),
        )
        for run, order_id in connection.execute(query)
    ]


def _orders(connection: Connection) -> list[str]:
    is_open: ColumnElement[bool] = ORDERS.c.status == "pending"
    halves = or_(
        and_(is_open, or_(ORDERS.c.outcome_ns.is_not(None), ORDERS.c.outcome.is_not(None))),
        and_(not_(is_open), ORDERS.c.outcome_ns.is_(None)),
        and_(ORDERS.c.status.in_(("rejected", "denied", "unknown")), ORDERS.c.outcome.is_(None)),
    )
    query = select(ORDERS.c.run_id, ORDERS.c.order_id, ORDERS.c.status).where(halves)
    return [
        f"{order_id} of run {run} is {status}, and not all of that"
        for run, order_id, status in connection.execute(query)
    ]


def _attempts(connection: Connection) -> list[str]:
    of_order = and_(ATTEMPTS.c.run_id == ORDERS.c.run_id, ATTEMPTS.c.order_id == ORDERS.c.order_id)
    of_chore = and_(ATTEMPTS.c.run_id == CHORES.c.run_id, ATTEMPTS.c.order_id == CHORES.c.order_id)
    orphans = select(ATTEMPTS.c.run_id, ATTEMPTS.c.order_id).where(~exists().where(of_order), ~exists().where(of_chore))
    number, key = ATTEMPTS.c.number, (ATTEMPTS.c.run_id, ATTEMPTS.c.order_id)
    open_ones = func.sum(literal_column("CASE WHEN state IN ('signed', 'sent') THEN 1 ELSE 0 END", Integer))
    query = select(*key, func.count(), func.min(number), func.max(number), open_ones).group_by(*key)
    wrong = [
        f"an attempt of {order_id} of run {run} belongs to no order" for run, order_id in connection.execute(orphans)
    ]
    for run, order_id, count, first, last, still_open in connection.execute(query):
        if (first, last) != (1, count):
            wrong.append(f"{order_id} of run {run} has {count} attempts, numbered {first} to {last}")
        if still_open > 1:
            wrong.append(f"{order_id} of run {run} has {still_open} open attempts")
    return wrong


def _rounds(connection: Connection) -> list[str]:
    key = (POSITIONS.c.run_id, POSITIONS.c.pair_address)
    query = select(*key, func.count()).where(POSITIONS.c.closed_ns.is_(None)).group_by(*key).having(func.count() > 1)
    return [f"pool {pool} of run {run} has {count} open rounds" for run, pool, count in connection.execute(query)]


INVARIANTS = (
    Invariant("ledger", "numbered without gaps", "", _sequences),
    Invariant("sums", "the stored sums are those of the ledger", "", _sums),
    Invariant("orders", "each has all of its outcome or none", "", _orders),
    Invariant("trades", "each belongs to a filled order, each filled order has one", "", _trades),
    Invariant("attempts", "each belongs to an order, at most one of them open", "", _attempts),
    Invariant("positions", "one open round in a pool", "", _rounds),
)
