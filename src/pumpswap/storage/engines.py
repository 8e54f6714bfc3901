"""SQLAlchemy engines for a path or a URL, set up so that a committed row survives a power cut."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from pumpswap.errors import ConfigError, StorageError

__all__ = ["SQLITE_HEADER", "WRITES", "is_held", "make_engine", "parse_target", "place_of", "write_options"]

# Option of a connection that will write. SQLite then takes its one write lock when the transaction begins: a
# transaction that reads first and asks for the lock later can be refused, however long it is willing to wait.
WRITES: dict[str, Any] = {"pumpswap_writes": True}

# PostgreSQL: held by every transaction of ours that writes, until it ends.
_WRITER_LOCK = 0x70756D70  # "pump"
BUSY_MS = 30_000
_SWITCHES = 100
_OWN_FOLDER = "choose a folder of your own with --data-dir"
_DURABLE = ("on", "remote_apply")  # the others lose commits when this machine, or the standby, loses its power
SQLITE_HEADER = b"SQLite format 3\0"
_SMALLEST_PAGE = 512
_HELD: dict[int, tuple[int, int]] = {}  # by engine: which file of this machine it has open with a write-ahead log


def write_options(engine: Engine, *, lock_ms: int | None = None) -> dict[str, Any]:
    """Options of a connection that will write: one writer at a time, on both databases.

    PostgreSQL takes a lock of ours when the transaction begins, and then reads what is committed at each statement. In
    a snapshot, a row of ours that a host has just changed (it deleted a pool, so our key to it became NULL) could not
    be written any more. ``lock_ms``: how long any lock of that server is waited for; SQLite has it from its engine.
    """
    if engine.dialect.name == "sqlite":
        return WRITES
    return WRITES | {"pumpswap_lock_ms": lock_ms, "isolation_level": "READ COMMITTED"}


def make_engine(target: str | Path, *, busy_ms: int = BUSY_MS, as_found: bool = False) -> Engine:
    """Engine for a SQLite file (a path, or ``sqlite:///path``) or a PostgreSQL URL.

    ``busy_ms``: how long SQLite waits for its lock. ``as_found``: leave the journal mode of a SQLite file as it is.
    Raises ConfigError for a target that this package does not serve, StorageError for a file that is no database and
    for a folder that cannot be written.
    """
    where = parse_target(target)
    return _sqlite(where, busy_ms, as_found=as_found) if isinstance(where, Path) else _postgresql(where)


def place_of(engine: Engine) -> str:
    """The database for people: its path, or its URL without any password in it."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    secret = {name: "***" for name in engine.url.query if "password" in name.lower()}
    return engine.url.update_query_dict(secret).render_as_string()


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
        return url.set(drivername="postgresql+psycopg")  # whichever driver the collector's own URL names
    raise ConfigError(f"{backend} databases are not supported", hint="a path (SQLite) or a postgresql:// URL")


def _file_of(url: URL) -> Path:
    if url.drivername not in ("sqlite", "sqlite+pysqlite") or url.query:
        raise ConfigError("a SQLite URL takes neither a driver nor options", hint="give the path of the file")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError("books in memory would be gone with the process", hint="name a file")
    return Path(url.database)


def _sqlite(path: Path, busy_ms: int, *, as_found: bool) -> Engine:
    path = path.expanduser().absolute()
    _check_file(path)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": busy_ms / 1_000})
    event.listen(engine, "do_connect", lambda *_: _begin_private(path))
    event.listen(engine, "connect", _prepare_sqlite if as_found else _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    if not as_found:
        event.listen(engine, "connect", lambda *_: _HELD.update({id(engine): _identity(path)}))
        event.listen(engine, "engine_disposed", lambda _: _HELD.pop(id(engine), None))
    return engine


def is_held(path: Path) -> bool:
    """Whether this process has this file open as a database with a write-ahead log: then nothing here but SQLite may
    open and close it, see ``_is_database``.
    """
    return bool(_HELD) and path.exists() and _identity(path) in _HELD.values()


def _identity(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino


def _postgresql(url: URL) -> Engine:
    try:
        # As on SQLite: all reads of one transaction see one moment.
        engine = create_engine(url, isolation_level="REPEATABLE READ")
    except (ImportError, NoSuchModuleError):
        raise ConfigError("the PostgreSQL driver is not installed", hint="pip install 'pumpswap[postgres]'") from None
    except SQLAlchemyError as error:
        raise ConfigError(f"the database URL cannot be used: {error}") from None
    event.listen(engine, "connect", _set_up_postgresql)
    event.listen(engine, "checkout", _check_server)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _check_file(path: Path) -> None:
    """Create the folder; refuse early and by name what SQLite would refuse late and in riddles."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise StorageError(f"{path} is a folder", hint="name a file in it")
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror}", hint=_OWN_FOLDER) from None
    if path.exists() and not _is_database(path):
        raise StorageError(f"{path} is not a database", hint="name another file; this one has not been touched")
    # The write-ahead log and its index lie beside the database.
    if not os.access(folder, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise StorageError(
            f"{path} cannot be written",
            hint="check who owns the file and its folder, or name another folder with --data-dir",
        )


def _begin_private(path: Path) -> None:
    """A new file is its owner's alone: it tells what somebody owns. Files that are there keep the rights they have;
    SQLite gives its log beside the file the same ones.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error.strerror}", hint=_OWN_FOLDER) from None


def _is_database(path: Path) -> bool:
    """Whether SQLite takes the file for one of its own, or for one that is to become one.

    It must look itself. Whoever closes a descriptor of a file lets go of all POSIX locks that his process has on it:
    if the books were open here already, another process would take itself for the last one that has them, and remove
    the log under us.
    """
    if 0 < path.stat().st_size < _SMALLEST_PAGE:
        return False  # SQLite takes it for an empty one
    try:
        looking = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except sqlite3.OperationalError as error:
        raise StorageError(f"{path} cannot be opened: {error}", hint=_OWN_FOLDER) from None
    try:
        looking.execute("PRAGMA schema_version").fetchone()
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_NOTADB  # somebody else's lock: opening says so
    finally:
        looking.close()
    return True


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: see _begin_sqlite
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # in WAL mode NORMAL may lose the last commits in a power cut


def _set_up_sqlite(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    _prepare_sqlite(connection, entry)
    cursor = connection.cursor()
    mode = _write_ahead(cursor)
    cursor.close()
    if mode != "wal":
        raise StorageError(
            "this file system cannot hold a write-ahead log",
            hint="put the database on a local disk, not a network share",
        )


def _write_ahead(cursor: sqlite3.Cursor) -> str:
    """Switch to the write-ahead log, once in the life of a file; returns the mode that it is in then."""
    mode = ""
    for _ in range(_SWITCHES):
        (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            break
        try:
            (mode,) = cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            # Several processes open a new file at once. SQLite does not wait here; for this lock it does.
            cursor.execute("BEGIN EXCLUSIVE")
            cursor.execute("ROLLBACK")
    return str(mode)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pumpswap_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_up_postgresql(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """What is committed is on the disk, whatever the server, the database or the role says about it."""
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if (cursor.fetchone() or ("",))[0] not in _DURABLE:
        cursor.execute("SET synchronous_commit = 'on'")
    cursor.close()
    connection.commit()


def _check_server(connection: Any, _entry: ConnectionPoolEntry, _proxy: object) -> None:
    """Raises DisconnectionError, for the pool to connect anew, when the server has closed the connection meanwhile.

    What the server has said is looked at here without asking it: a question costs as much as a small query.
    """
    from psycopg import OperationalError

    try:
        connection.pgconn.consume_input()
    except OperationalError as error:
        raise DisconnectionError(str(error)) from error


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("pumpswap_lock_ms") is not None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{options['pumpswap_lock_ms']:d}ms'")
    if options.get("pumpswap_writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
