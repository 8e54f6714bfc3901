"""Locks on somebody else's tables: all of them before anything is changed, and never so that he is in a deadlock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pumpswap.storage.host.relation import Relation

__all__ = ["BUSY", "lock_alone"]

BUSY = frozenset({"55P03", "40P01"})  # lock_not_available, deadlock_detected
_PAUSE_SECONDS = 0.02


def lock_alone(connection: Connection, relations: Iterable[Relation | None], ours: Iterable[str], lock_ms: int) -> None:
    """PostgreSQL: nobody else uses these tables until the transaction ends. SQLite has locked its whole file.

    A collector that deletes a pool holds ``pools`` and wants our tables; whoever holds those and waits for ``pools`` is
    in a deadlock with it, and the server may end either. So only one table is ever waited for, while none is held; what
    the others are used for meanwhile lets all of them go, and the next one is waited for. Tables that this login may
    not lock are left out. Raises the driver's error when ``lock_ms`` was not enough.
    """
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    names = [f"{quote(one.schema or '')}.{quote(one.name)}" for one in relations if one is not None and _may(one)]
    names += map(quote, ours)
    ends = connection.exec_driver_sql(f"SELECT clock_timestamp() + interval '{lock_ms:d} milliseconds'").scalar_one()
    while names:
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(f"LOCK TABLE {names[0]} IN ACCESS EXCLUSIVE MODE")
                if names[1:]:
                    connection.exec_driver_sql(f"LOCK TABLE {', '.join(names[1:])} IN ACCESS EXCLUSIVE MODE NOWAIT")
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in BUSY or _is_over(connection, ends):
                raise
            names = [*names[1:], names[0]]
            connection.exec_driver_sql(f"SELECT pg_sleep({_PAUSE_SECONDS})")


def _is_over(connection: Connection, ends: datetime) -> bool:
    return bool(connection.execute(text("SELECT clock_timestamp() > :ends"), {"ends": ends}).scalar())


def _may(relation: Relation) -> bool:
    return relation.is_table and not {"owner", "update"} <= set(relation.obstacles)
