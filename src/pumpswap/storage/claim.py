"""Claim: one writer for a set of books, also among several machines that share a server."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pumpswap.errors import StorageError
from pumpswap.storage.connections import named_errors

__all__ = ["Claim"]

_IS_LOCKED = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1
    AND ((classid::bigint << 32) | objid::bigint) = :key
"""


class Claim:
    """Holds the right to write under a name, until it is released or the process or its connection ends.

    On PostgreSQL an advisory lock on a connection of its own. SQLite needs none: its file has one machine, where the
    wallet's lock file does the same.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Raises StorageError when somebody else holds it."""
        self._engine, self._name = engine, name
        self._connection: Connection | None = None
        self._is_released = False
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        if engine.dialect.name == "postgresql" and not self._take():
            raise StorageError(
                f"somebody else writes the books of {name}", hint="stop the other trader, perhaps on another machine"
            )

    def is_held(self) -> bool:
        """Whether it still is ours. The server gives it up when the connection ends, as at its restart: it is claimed
        again then, and is held when nobody else was faster.
        """
        if self._is_released:
            return False
        if self._engine.dialect.name != "postgresql":
            return True
        connection = self._connection
        if connection is not None:
            try:
                if connection.execute(text(_IS_LOCKED), {"key": self._key}).scalar():
                    return True
            except SQLAlchemyError:
                pass  # the connection has ended, and its lock with it
            self._drop()
        try:
            return self._take()
        except StorageError:
            return False  # nobody can tell: it is asked again

    def _take(self) -> bool:
        with named_errors(f"claiming {self._name}"):
            # Without a transaction: an idle one would keep the server from cleaning up.
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                is_taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar()
            except BaseException:
                connection.close()
                raise
        if is_taken:
            self._connection = connection
        else:
            connection.close()
        return bool(is_taken)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # closed, not pooled: nothing of the claim outlives it
            connection.close()

    def release(self) -> None:
        """Let it go: whoever claims next gets it. Harmless when done twice, or when the connection is gone."""
        self._is_released = True
        connection = self._connection
        if connection is None:
            return
        # Asked for, since a server notices a closed connection only a moment later, and until then the lock is held.
        # A connection that has ended has ended its lock too.
        with suppress(DBAPIError):
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        self._drop()
