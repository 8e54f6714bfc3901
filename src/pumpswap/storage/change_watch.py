"""ChangeWatch: has anything been stored since the last look? One cheap question for all who look on."""

from __future__ import annotations

from sqlalchemy import func, select

from pumpswap.storage.connections import Connections
from pumpswap.storage.tables import ALERTS, COMMANDS, DECISIONS, EQUITY, MARKS, ORDERS, STATES

__all__ = ["ChangeWatch"]


class ChangeWatch:
    """Of one database, by one reader at a time. Close it after use."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._is_sqlite = connections.engine.dialect.name == "sqlite"
        # SQLite counts, for each connection, what the others have committed: it must always be the same connection.
        self._own = connections.engine.connect() if self._is_sqlite else None
        self._last: tuple[int, ...] | None = None

    def has_changed(self) -> bool:
        """Whether somebody has stored something since the last call; the first one says yes."""
        mark = self._mark()
        changed, self._last = mark != self._last, mark
        return changed

    def close(self) -> None:
        """Give the connection back."""
        if self._own is not None:
            self._own.close()

    def _mark(self) -> tuple[int, ...]:
        if self._own is not None:
            with self._own.begin():
                return (int(self._own.exec_driver_sql("PRAGMA data_version").scalar_one()),)
        newest = [func.max(table.c.id) for table in (ALERTS, COMMANDS, DECISIONS, EQUITY, MARKS, ORDERS)]
        told = [select(each).scalar_subquery() for each in (*newest, func.max(STATES.c.updated_ns))]
        with self._connections.reading() as connection:
            return tuple(int(each or 0) for each in connection.execute(select(*told)).one())
