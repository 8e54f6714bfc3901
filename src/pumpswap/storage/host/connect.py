"""A transaction on somebody else's database: short waits, errors by name, nothing kept unless all of it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from pumpswap.errors import NotFound, PumpSwapError, StorageError, TimedOut
from pumpswap.storage.connections import named_errors
from pumpswap.storage.engines import make_engine, parse_target, write_options
from pumpswap.storage.host.locks import BUSY

__all__ = ["LOCK_MS", "changing", "host_errors", "open_host"]

LOCK_MS = 5_000
_NO_RIGHT = {"42501"}
_READ_ONLY = {"25006"}
_DEPENDED_ON = {"2BP01"}


@contextmanager
def open_host(target: str | Path, what: str, *, lock_ms: int = LOCK_MS, follows_keys: bool = True) -> Iterator[Engine]:
    """An engine that changes nothing by itself, not even the journal mode of a SQLite file.

    ``follows_keys``: SQLite does what the keys of its tables say. Where one of our tables is made anew it must not:
    dropping the old one would delete the rows of whoever has a key to it.

    Raises NotFound for a file that does not exist, and names what the database says while the block runs.
    """
    where = parse_target(target)
    if isinstance(where, Path) and not where.expanduser().exists():
        raise NotFound(f"{where} does not exist", hint="name the file of the host's database")
    engine = make_engine(target, busy_ms=lock_ms, as_found=True)
    if not follows_keys and engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = OFF"))
    try:
        with named_errors(what), host_errors(what):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def changing(engine: Engine, *, keep: bool, lock_ms: int = LOCK_MS) -> Iterator[Connection]:
    """A write transaction, committed at the end of the block when ``keep``, rolled back otherwise."""
    options = write_options(engine, lock_ms=lock_ms)
    with engine.connect().execution_options(**options) as connection, connection.begin() as transaction:
        yield connection
        if not keep:
            transaction.rollback()


@contextmanager
def host_errors(what: str) -> Iterator[None]:
    """Name what the database of somebody else refuses: a lock, a right, what others depend on."""
    try:
        yield
    except DBAPIError as error:
        named = _named(what, error)
        if named is None:
            raise
        raise named from error


def _named(what: str, error: DBAPIError) -> PumpSwapError | None:
    state, said = getattr(error.orig, "sqlstate", None), str(error.orig).strip()
    first = said.splitlines()[0] if said else ""
    if state in BUSY or "database is locked" in said or "table is locked" in said:
        return TimedOut(
            f"{what} waited for a lock that somebody else holds: {first}; nothing was changed",
            hint="stop the collector, or end the session that keeps a transaction open, and try again",
        )
    if state in _NO_RIGHT:
        return StorageError(
            f"{what} needs a right that this login does not have: {first}; nothing was changed",
            hint="use the login that owns the host's tables, or let its owner grant you that role",
        )
    if state in _READ_ONLY or "readonly database" in said:
        return StorageError(
            f"{what} needs to write, and this database is read-only: {first}; nothing was changed",
            hint="use a login that may write, on the primary server",
        )
    if state in _DEPENDED_ON:
        return StorageError(
            f"{what} would break what depends on it: {' '.join(said.split())}; nothing was changed",
            hint="drop what depends on it first, or change it so that it does not",
        )
    return None
