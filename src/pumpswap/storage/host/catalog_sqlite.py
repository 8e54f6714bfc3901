"""Tables and columns of a SQLite database."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from pumpswap.storage.host.relation import Relation

__all__ = ["find", "own_schema"]

_TABLES = text("SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) IN :names")
_COLUMNS = text("SELECT name, type, pk, hidden FROM pragma_table_xinfo(:name)")
_UNIQUE = text('SELECT name, origin FROM pragma_index_list(:name) WHERE "unique" AND NOT partial')
_STRICT = re.compile(r"\)[^)]*\bstrict\b[^)]*\Z", re.IGNORECASE)
_INDEXED = text("SELECT name, coll FROM pragma_index_xinfo(:name) WHERE key")


def find(connection: Connection, names: Sequence[str]) -> list[Relation]:
    """The relations with these names."""
    query = _TABLES.bindparams(bindparam("names", expanding=True))
    return [
        _relation(connection, name, kind, _STRICT.search(sql or "") is not None)
        for name, kind, sql in connection.execute(query, {"names": list(names)})
    ]


def own_schema(_connection: Connection) -> str | None:
    """SQLite has one."""
    return None


def _relation(connection: Connection, name: str, kind: str, is_strict: bool) -> Relation:
    columns = connection.execute(_COLUMNS, {"name": name}).all()
    return Relation(
        name,
        {column: type_name for column, type_name, *_ in columns},
        is_table=kind == "table",
        is_strict=is_strict,
        id_obstacle="" if _is_unique(connection, name) else f"{name}.id is neither its primary key nor unique",
        ignores_case=True,
        computed=frozenset(column.lower() for column, _, _, hidden in columns if hidden),
    )


def _is_unique(connection: Connection, name: str) -> bool:
    """Whether SQLite lets a key point to ``id``; it would tell only when rows are written."""
    key = [column.lower() for column, _, pk, _ in connection.execute(_COLUMNS, {"name": name}) if pk]
    if key == ["id"]:
        return True
    for index, origin in connection.execute(_UNIQUE, {"name": name}).all():
        indexed = connection.execute(_INDEXED, {"name": index}).all()
        # An index with an order of its own does not count; a constraint always has the column's.
        if [(column or "").lower() for column, _ in indexed] == ["id"] and (origin == "u" or indexed[0][1] == "BINARY"):
            return True
    return False
