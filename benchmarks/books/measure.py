"""Milliseconds of calls, and the same SQL once more through the bare driver."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import event

from pumpswap.storage import Database

__all__ = ["Bare", "Statement", "milliseconds", "percentiles", "statements_of"]


class Statement(NamedTuple):
    """What our code has sent to the driver."""

    sql: Any
    parameters: Any
    is_many: bool
    is_raw: bool = False  # with numbered places, as PostgreSQL itself has them


def milliseconds(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Wall time of each call."""
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def percentiles(taken: Sequence[float]) -> dict[str, float]:
    """p50 and p99; of p99 the value that is reached by one in a hundred."""
    ordered = sorted(taken)
    return {"p50": _rounded(ordered[len(ordered) // 2]), "p99": _rounded(ordered[-max(1, len(ordered) // 100) - 1])}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


@contextmanager
def statements_of(database: Database) -> Iterator[list[Statement]]:
    """What is executed in the block, without BEGIN and COMMIT."""
    engine = database._connections.engine
    seen: list[Statement] = []

    def note(_c: object, _cursor: object, sql: str, parameters: Any, _context: object, is_many: bool) -> None:
        if not sql.startswith("BEGIN"):
            seen.append(Statement(sql, parameters, is_many))

    execute = psycopg.RawCursor.execute

    def note_raw(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
        seen.append(Statement(query, params, is_many=False, is_raw=True))
        return execute(cursor, query, params, **options)

    event.listen(engine, "before_cursor_execute", note)
    psycopg.RawCursor.execute = note_raw  # type: ignore[method-assign]  # settlements go past SQLAlchemy
    try:
        yield seen
    finally:
        psycopg.RawCursor.execute = execute  # type: ignore[method-assign]
        event.remove(engine, "before_cursor_execute", note)


class Bare:
    """A connection of the driver alone, set up as ours: rows stay tuples, nothing is checked."""

    def __init__(self, target: str | Path) -> None:
        self._connection: Any
        if isinstance(target, Path):
            self._connection = sqlite3.connect(target, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
        else:
            self._connection = psycopg.connect(target, autocommit=True)
        self._is_sqlite = isinstance(target, Path)

    def read(self, statements: Sequence[Statement]) -> None:
        """Execute and fetch everything."""
        for one in statements:
            self._connection.execute(one.sql, one.parameters).fetchall()

    def write(self, statements: Sequence[Statement]) -> None:
        """Execute in one transaction that is committed."""
        self._connection.execute("BEGIN IMMEDIATE" if self._is_sqlite else "BEGIN")
        cursor = self._connection.cursor()
        for one in statements:
            if one.is_raw:
                psycopg.RawCursor(self._connection).execute(one.sql, one.parameters)
            elif one.is_many:
                cursor.executemany(one.sql, one.parameters)
            else:
                cursor.execute(one.sql, one.parameters)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close it."""
        self._connection.close()
