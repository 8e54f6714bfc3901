"""SQLAlchemy engines for a path or a URL, set up so that a committed row survives a power cut."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from pumpswap.errors import ConfigError, StorageError

__all__ = ["SQLITE_HEADER", "WRITES", "make_engine", "parse_target"]

# Option of a connection that will write. SQLite then takes its one write lock when the transaction begins: a
# transaction that reads first and asks for the lock later can be refused, however long it is willing to wait.
WRITES = {"pumpswap_writes": True}

_BUSY_MS = 30_000
SQLITE_HEADER = b"SQLite format 3\0"


def make_engine(target: str | Path) -> Engine:
    """Engine for a SQLite file (a path, or ``sqlite:///path``) or a PostgreSQL URL.

    Raises ConfigError for a target that this package does not serve, StorageError for a file that is no database and
    for a folder that cannot be written.
    """
    where = parse_target(target)
    return _sqlite(where) if isinstance(where, Path) else _postgresql(where)


def parse_target(target: str | Path) -> Path | URL:
    """The file of a SQLite database, or the URL of a PostgreSQL one with its driver.

    Raises ConfigError for a target that this package does not serve.
    """
    if isinstance(target, Path) or "://" not in target:
        if str(target) in ("", ":memory:"):
            raise ConfigError("books in memory would be gone with the process", hint="name a file")
        return Path(target)
    try:
        url = make_url(target)
    except (ArgumentError, ValueError):
        raise ConfigError("the database URL cannot be read", hint="postgresql://user@host/name, or a path") from None
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _file_of(url)
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
    raise ConfigError(f"{backend} databases are not supported", hint="a path (SQLite) or a postgresql:// URL")


def _file_of(url: URL) -> Path:
    if url.drivername not in ("sqlite", "sqlite+pysqlite") or url.query:
        raise ConfigError("a SQLite URL takes neither a driver nor options", hint="give the path of the file")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError("books in memory would be gone with the process", hint="name a file")
    return Path(url.database)


def _sqlite(path: Path) -> Engine:
    path = path.expanduser().absolute()
    _check_file(path)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_MS / 1_000})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    try:
        # As on SQLite: all reads of one transaction see one moment.
        return create_engine(url, pool_pre_ping=True, isolation_level="REPEATABLE READ")
    except (ImportError, NoSuchModuleError):
        raise ConfigError("the PostgreSQL driver is not installed", hint="pip install 'pumpswap[postgres]'") from None
    except SQLAlchemyError as error:
        raise ConfigError(f"the database URL cannot be used: {error}") from None


def _check_file(path: Path) -> None:
    """Create the folder; refuse early and by name what SQLite would refuse late and in riddles."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise StorageError(f"{path} is a folder", hint="name a file in it")
        header = _header(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror}", hint="choose a folder of your own") from None
    if header and header != SQLITE_HEADER:
        raise StorageError(f"{path} is not a database", hint="name another file; this one has not been touched")
    # The write-ahead log and its index lie beside the database.
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise StorageError(f"{path} cannot be written", hint="check who owns the file and its folder")


def _header(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(len(SQLITE_HEADER))


def _set_up_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")  # in WAL mode NORMAL may lose the last commits in a power cut
    (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
    cursor.close()
    if mode != "wal":
        raise StorageError(
            "this file system cannot hold a write-ahead log",
            hint="put the database on a local disk, not a network share",
        )


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pumpswap_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
