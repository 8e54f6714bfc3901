"""WhatIfs: refused buys as if they had been made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Insert, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.model import WhatIf
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import WHAT_IFS, StoredRow

__all__ = ["WhatIfs"]

_KEY = ("run_id", "decision_id", "horizon_seconds")
_INTEGERS = (
    *("at_ns", "horizon_seconds", "due_ns", "spent_lamports", "base_units"),
    *("measured_ns", "value_lamports"),
)
_WORDS = ("decision_id", "pool", "mint", "rule", "obstacle")
_COLUMNS = tuple(WHAT_IFS.c[field.name] for field in fields(WhatIf))


def _replacing(stored: sqlite.Insert | postgresql.Insert) -> Insert:
    changed = {name: stored.excluded[name] for name in ("measured_ns", "value_lamports", "obstacle")}
    return stored.on_conflict_do_update(index_elements=_KEY, set_=changed)


_SAVE = {
    "sqlite": _replacing(sqlite.insert(WHAT_IFS)),
    "postgresql": _replacing(postgresql.insert(WHAT_IFS)),
}


class WhatIfs:
    """Of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def save(self, what_if: WhatIf) -> None:
        """Store one that begins, or what it was worth. Its decision must be stored."""
        integers = {name: getattr(what_if, name) for name in _INTEGERS}
        check_integers(integers, f"the refused {what_if.decision_id}")
        words = {name: clean_text(getattr(what_if, name)) for name in _WORDS}
        with self._connections.writing(f"the refused {what_if.decision_id}") as connection:
            connection.execute(_SAVE[connection.dialect.name], {"run_id": self._run_id} | integers | words)

    def open(self) -> Sequence[WhatIf]:
        """Those that are still to be measured, the first that is due first."""
        return self._found(self._query().where(WHAT_IFS.c.measured_ns.is_(None)).order_by(WHAT_IFS.c.due_ns))

    def since(self, since_ns: int, newest: int | None = None) -> Sequence[WhatIf]:
        """Those of refusals since then, oldest first; ``newest``: no more than so many of them, the newest ones."""
        query = self._query().where(WHAT_IFS.c.at_ns >= since_ns)
        if newest is None:
            return self._found(query.order_by(WHAT_IFS.c.at_ns))
        return self._found(query.order_by(WHAT_IFS.c.at_ns.desc()).limit(newest))[::-1]

    def _query(self) -> Select[Any]:
        return select(*_COLUMNS).where(WHAT_IFS.c.run_id == self._run_id)

    def _found(self, query: Select[Any]) -> Sequence[WhatIf]:
        return self._connections.all_rows(query, _what_if_of)


def _what_if_of(row: StoredRow) -> WhatIf:
    return WhatIf(*row)
