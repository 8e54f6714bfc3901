"""Claim: one writer for a set of books, also among several machines that share a server."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, Engine, text

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
        if engine.dialect.name != "postgresql":
            return
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with named_errors(f"claiming {name}"):
            # Without a transaction: an idle one would keep the server from cleaning up.
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            is_taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar()
        if not is_taken:
            connection.close()
            raise StorageError(
                f"somebody else writes the books of {name}", hint="stop the other trader, perhaps on another machine"
            )
        self._connection = connection

    def release(self) -> None:
        """Let it go. Harmless when done twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # the connection is closed, not pooled: the lock belongs to it
            connection.close()
