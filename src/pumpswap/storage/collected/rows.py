"""Small steps of writing that all tables share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.storage.collected.shape import TableShape
from pumpswap.storage.display import utc_time

__all__ = ["change", "insert_new", "moment", "present"]

_KEY = "pumpswap_key"  # no column has this name


def moment(at_ns: int | None) -> datetime | None:
    """A time with its zone, UTC; the shape of a table decides whether the zone is kept."""
    return None if at_ns is None else utc_time(at_ns).replace(tzinfo=UTC)


def insert_new(connection: Connection, shape: TableShape, rows: list[dict[str, Any]]) -> None:
    """Insert rows, all with the same columns; one that another writer has just stored is left alone."""
    if rows:
        build: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(build(shape.table).on_conflict_do_nothing().inline(), shape.numbered(connection, rows))


def change(connection: Connection, shape: TableShape, key: str, rows: Iterable[dict[str, Any]]) -> None:
    """Update rows by their ``key``; all have the same columns."""
    values = [{_KEY: row[key], **{name: value for name, value in row.items() if name != key}} for row in rows]
    if values and len(values[0]) > 1:
        column = shape.columns[key]
        names = [name for name in values[0] if name != _KEY]
        statement = (
            update(shape.table)
            .where(column == bindparam(_KEY))
            .values({name: bindparam(f"new_{name}", type_=shape.columns[name.lower()].type) for name in names})
        )
        connection.execute(
            statement, [{_KEY: row[_KEY], **{f"new_{name}": row[name] for name in names}} for row in values]
        )


def present(connection: Connection, shape: TableShape, column: str, wanted: Iterable[str]) -> set[str]:
    """Those of the texts that some row has in ``column``."""
    texts = sorted({*wanted})
    if not texts:
        return set()
    one = shape.light(column).c[column]
    return {str(found) for found in connection.execute(select(one).where(one.in_(texts))).scalars()}
