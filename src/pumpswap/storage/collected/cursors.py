"""Where the collector is: the round over the new pools, and when each known pool is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from pumpswap.model.collected import Cycle, FollowedPool
from pumpswap.storage.documents import clean_text
from pumpswap.storage.tables import COLLECT_CYCLES, COLLECT_POOLS

__all__ = [
    "Due",
    "counts",
    "cycle_of",
    "due_pools",
    "followed",
    "postpone",
    "recall",
    "save_followed",
    "set_cycle",
    "stop_watching",
]

_LONGEST_ERROR = 500


class Due(StrEnum):
    """What a known pool is looked at for; the value is the column of its time."""

    SNAPSHOT = "snapshot_due_ns"
    CANDLES = "candles_due_ns"
    TRADES = "trades_due_ns"


def cycle_of(connection: Connection, network: str) -> Cycle | None:
    """The newest round over a network's new pools."""
    row = connection.execute(select(COLLECT_CYCLES).where(COLLECT_CYCLES.c.network == network)).one_or_none()
    return None if row is None else Cycle(row.network, row.number, row.started_ns, row.next_page, row.finished_ns)


def set_cycle(connection: Connection, cycle: Cycle) -> None:
    """Replace it."""
    values = {
        "number": cycle.number,
        "started_ns": cycle.started_ns,
        "next_page": cycle.next_page,
        "finished_ns": cycle.finished_ns,
    }
    done = connection.execute(update(COLLECT_CYCLES).where(COLLECT_CYCLES.c.network == cycle.network).values(values))
    if not done.rowcount:
        connection.execute(insert(COLLECT_CYCLES), {"network": cycle.network, **values})


def followed(connection: Connection, pool_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows of the known ones among these pools."""
    query = select(COLLECT_POOLS).where(COLLECT_POOLS.c.pool_id.in_(pool_ids))
    return {row["pool_id"]: dict(row) for row in connection.execute(query).mappings()}


def save_followed(connection: Connection, rows: Sequence[Mapping[str, Any]], known: Mapping[str, object]) -> None:
    """Insert rows, or replace those that are known."""
    new = [row for row in rows if row["pool_id"] not in known]
    if new:
        connection.execute(insert(COLLECT_POOLS), new)
    old = [{"key": row["pool_id"], **row} for row in rows if row["pool_id"] in known]
    if old:
        connection.execute(update(COLLECT_POOLS).where(COLLECT_POOLS.c.pool_id == bindparam("key")), old)


def stop_watching(connection: Connection, pool_ids: Sequence[str]) -> None:
    """They are followed as any other pool from now on: not longer than these."""
    if pool_ids:
        wanted = (COLLECT_POOLS.c.pool_id.in_(pool_ids), COLLECT_POOLS.c.watched)
        connection.execute(update(COLLECT_POOLS).where(*wanted).values(watched=False))


def due_pools(connection: Connection, network: str, what: Due, at_ns: int, limit: int) -> list[FollowedPool]:
    """Pools that are due, the longest waiting first. Candles and trades belong to a pool that is stored already."""
    due = COLLECT_POOLS.c[what.value]
    is_stored = () if what is Due.SNAPSHOT else (COLLECT_POOLS.c.cycle > 0,)
    query = (
        select(COLLECT_POOLS)
        .where(COLLECT_POOLS.c.network == network, due <= at_ns, *is_stored)
        .order_by(due, COLLECT_POOLS.c.pool_id)
        .limit(limit)
    )
    return [
        FollowedPool(row.pool_id, row.address, row.first_seen_ns, row.failures) for row in connection.execute(query)
    ]


def postpone(connection: Connection, pool_id: str, what: Due, due_ns: int | None, error: str = "") -> None:
    """Set when a pool is due next; an error is counted, its absence ends the count."""
    failures = COLLECT_POOLS.c.failures + 1 if error else 0
    connection.execute(
        update(COLLECT_POOLS)
        .where(COLLECT_POOLS.c.pool_id == pool_id)
        .values({what.value: due_ns, "failures": failures, "last_error": clean_text(error)[:_LONGEST_ERROR]})
    )


def recall(connection: Connection, network: str, at_ns: int, every_ns: int) -> None:
    """What is due later than ``every_ns`` after a moment is due at that moment."""
    for what in Due:
        due = COLLECT_POOLS.c[what.value]
        wanted = (COLLECT_POOLS.c.network == network, due > at_ns + every_ns)
        connection.execute(update(COLLECT_POOLS).where(*wanted).values({what.value: at_ns}))


def counts(connection: Connection, network: str) -> tuple[int, int]:
    """How many pools are known, and how many of them are still followed."""
    query = select(func.count(), func.count(COLLECT_POOLS.c.snapshot_due_ns)).where(COLLECT_POOLS.c.network == network)
    known, active = connection.execute(query).one()
    return known, active
