"""Statements: what a database is asked in a block, and how SQLite would look for the answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event

from pumpswap.storage import Database

__all__ = ["Statement", "plan_of", "statements_of"]


class Statement(NamedTuple):
    """As the driver is given it."""

    sql: str
    parameters: Any


@contextmanager
def statements_of(database: Database) -> Iterator[list[Statement]]:
    """What is executed in the block, without BEGIN and COMMIT."""
    seen: list[Statement] = []

    def note(_connection: object, _cursor: object, sql: str, parameters: Any, *_: object) -> None:
        if not sql.startswith("BEGIN"):
            seen.append(Statement(sql, parameters))

    engine = database._connections.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(file: Path, statement: Statement) -> list[str]:
    """The steps of ``EXPLAIN QUERY PLAN``."""
    with sqlite3.connect(file) as books:
        rows = books.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters).fetchall()
    books.close()
    return [str(row[3]) for row in rows]
