"""Claim: one writer for a set of books, also among several machines that share a server."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pumpswap.errors import StorageError
from pumpswap.storage.connections import named_errors

__all__ = ["Claim"]


class Claim:
    """Holds the right to write under a name, until it is released or the process or its connection ends.

    On PostgreSQL an advisory lock on a connection of its own. SQLite needs none: its file has one machine, where the
    wallet's lock file does the same.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Raises StorageError when somebody else holds it."""
        self._connection: Connection | None = None
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        if engine.dialect.name != "postgresql":
            return
        with named_errors(f"claiming {name}"):
            # Without a transaction: an idle one would keep the server from cleaning up.
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            is_taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}).scalar()
        if not is_taken:
            connection.close()
            raise StorageError(
                f"somebody else writes the books of {name}", hint="stop the other trader, perhaps on another machine"
            )
        self._connection = connection

    def release(self) -> None:
        """Let it go: whoever claims next gets it. Harmless when done twice, or when the connection is gone."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # Asked for, since a server notices a closed connection only a moment later, and until then the lock is held.
        # A connection that has ended has ended its lock too.
        with suppress(DBAPIError):
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        connection.invalidate()  # closed, not pooled: nothing of the claim outlives it
        connection.close()
