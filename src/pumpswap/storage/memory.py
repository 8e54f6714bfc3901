"""Memory: what is remembered of no run in particular, one document for each thing."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Insert, select
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text, dump_mapping, load_mapping
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import MEMORY, StoredRow

__all__ = ["Memory"]


def _replacing(stored: sqlite.Insert | postgresql.Insert) -> Insert:
    changed = {name: stored.excluded[name] for name in ("document", "updated_ns")}
    return stored.on_conflict_do_update(index_elements=("name",), set_=changed)


_SAVE = {
    "sqlite": _replacing(sqlite.insert(MEMORY)),
    "postgresql": _replacing(postgresql.insert(MEMORY)),
}


class Memory:
    """Of one database; errors as of ``Run``. Inside of ``Database.batch`` it is stored with the rest of it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def save(self, name: str, document: Mapping[str, object], at_ns: int) -> None:
        """Remember ``document`` under ``name``, instead of what was there. Raises UsageError when it is no JSON."""
        check_integers({"updated_ns": at_ns}, f"the memory {name}")
        text = clean_text(dump_mapping(document, f"the memory {name}"))
        with self._connections.writing(f"the memory {name}") as connection:
            values = {"name": name, "document": text, "updated_ns": at_ns}
            connection.execute(_SAVE[connection.dialect.name], values)

    def load(self, name: str) -> dict[str, object] | None:
        """What is remembered under ``name``; None when nothing is."""
        query = select(MEMORY).where(MEMORY.c.name == name)
        return next(iter(self._connections.all_rows(query, _document_of)), None)


def _document_of(row: StoredRow) -> dict[str, object]:
    return load_mapping(row.document)
