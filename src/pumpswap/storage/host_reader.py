"""HostReader: plain rows of a database that belongs to somebody else. It reads, and can do nothing else."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from pumpswap.errors import ConfigError, NotFound, StorageError
from pumpswap.storage.engines import SQLITE_HEADER, is_held, parse_target

__all__ = ["HostMoment", "HostReader", "is_database"]

_BUSY_SECONDS = 30
_ROWS_AT_ONCE = 1_000
_WRITE_VERSION = 18  # offset in the header of a SQLite file; 2 there means a write-ahead log
_WAL = 2


def is_database(target: str | Path) -> bool:
    """Whether a target is meant as a database: a URL, or a SQLite file."""
    if "://" in str(target):
        return True
    path = Path(target)
    return path.is_file() and _header(path).startswith(SQLITE_HEADER)


class HostReader:
    """Opens a SQLite file or a PostgreSQL URL for reading. ``location`` names it without password and options.

    Nothing is created or written, and a writer is never kept waiting: PostgreSQL gets a READ ONLY transaction, SQLite a
    read-only connection. A SQLite file without a write-ahead log in use is copied first (into SQLite's own temporary
    file), since its readers would stop its writer.
    """

    def __init__(self, target: str | Path) -> None:
        where = parse_target(target)
        self._where: Path | URL = where.expanduser().absolute() if isinstance(where, Path) else where
        # Options may hold a password, too.
        self.location = (
            str(self._where)
            if isinstance(self._where, Path)
            else self._where.set(query={}, drivername="postgresql").render_as_string()
        )

    def __repr__(self) -> str:
        return f"HostReader({self.location!r})"

    @contextmanager
    def moment(self) -> Iterator[HostMoment]:
        """One read transaction: all rows that are read in it are from one moment of the database.

        Raises NotFound for a missing file, StorageError for anything that the database or its driver refuses.
        """
        engine = self._engine()
        try:
            with _named_errors(f"reading {self.location}"), engine.connect() as connection:
                yield HostMoment(_begun(connection))
        finally:
            engine.dispose()

    def _engine(self) -> Engine:
        if isinstance(self._where, Path):
            path = self._where
            _check_file(path)
            return create_engine("sqlite://", creator=lambda: _open_file(path), poolclass=NullPool)
        try:
            return create_engine(self._where, poolclass=NullPool)
        except (ImportError, NoSuchModuleError):
            raise ConfigError(
                "the PostgreSQL driver is not installed", hint="pip install 'pumpswap[postgres]'"
            ) from None
        except SQLAlchemyError as error:
            raise ConfigError(f"the database URL cannot be used: {error}") from None


class HostMoment:
    """The tables of a host at one moment. Names of tables and columns come from our code, never from data."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"
        self._columns: dict[str, frozenset[str]] = {}

    def columns(self, table: str) -> frozenset[str]:
        """The columns that a table or view has here; empty where it is missing."""
        if table not in self._columns:
            query = (
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attnum > 0"
                " AND NOT attisdropped"
                if self._is_postgres
                else "SELECT lower(name) FROM pragma_table_xinfo(:name)"  # SQLite does not tell cases apart
            )
            found = self._connection.execute(text(query), {"name": table})
            self._columns[table] = frozenset(str(row[0]) for row in found)
        return self._columns[table]

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        *,
        only: Mapping[str, Sequence[str]] | None = None,
        order: Sequence[str] = (),
        newest_first: bool = False,
        above: tuple[str, int] | None = None,
    ) -> Iterator[dict[str, str]]:
        """The wanted columns that exist, as texts; NULL is empty. No rows where the table is missing.

        ``only`` keeps the rows whose column has one of the texts, ``above`` those whose column is a larger number.
        Rows are streamed: read them inside the moment.
        Times with a zone are written with the offset of the database's own zone, as its owner would see them.
        """
        known = self.columns(table)
        wanted = [column for column in columns if column in known]
        if not wanted or any(column not in known for column in only or ()):
            return
        values: dict[str, str | int] = {}
        clauses = []
        if above is not None:
            clauses.append(f'"{above[0]}" > :above')
            values["above"] = above[1]
        for column, texts in (only or {}).items():
            names = [f"{column}_{number}" for number, _ in enumerate(texts)]
            values.update(zip(names, texts, strict=True))
            clauses.append(f'"{column}" IN ({", ".join(f":{name}" for name in names)})')
        query = f'SELECT {", ".join(map(self._shown, wanted))} FROM "{table}"'
        if clauses:
            query += f" WHERE {' AND '.join(clauses)}"
        keys = [f'"{table}"."{column}"{" DESC" if newest_first else ""}' for column in order if column in known]
        if keys:
            query += f" ORDER BY {', '.join(keys)}"
        yield from self._stream(table, wanted, query, values)

    def rows_of_days(
        self, table: str, columns: Sequence[str], times: str, since: str, before: str
    ) -> Iterator[dict[str, str]]:
        """The same for the rows whose column ``times`` is from one day on and before another, both as ``2026-11-25``,
        the newest first: whether the column is of texts or of times. All columns must exist.
        """
        where = f'"{times}" >= :since AND "{times}" < :before'
        shown = ", ".join(map(self._shown, columns))
        query = f'SELECT {shown} FROM "{table}" WHERE {where} ORDER BY "{table}"."{times}" DESC'
        return self._stream(table, columns, query, {"since": since, "before": before})

    def _stream(
        self, table: str, columns: Sequence[str], query: str, values: Mapping[str, str | int]
    ) -> Iterator[dict[str, str]]:
        streaming = self._connection.execution_options(yield_per=_ROWS_AT_ONCE)
        with _named_errors(f"reading the table {table}"):
            for row in streaming.execute(text(query), values):
                yield {column: _text(value) for column, value in zip(columns, row, strict=True)}

    def _shown(self, column: str) -> str:
        # PostgreSQL writes every value as its exports do: exact numbers, complete times, also those that no type of
        # Python can hold. SQLite would cut its floats to 15 digits.
        return f'"{column}"::text' if self._is_postgres else f'"{column}"'


def _begun(connection: Connection) -> Connection:
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        connection.exec_driver_sql("SET LOCAL datestyle = 'ISO, YMD'")
    else:
        connection.exec_driver_sql("BEGIN")
    return connection


def _open_file(path: Path) -> sqlite3.Connection:
    """A connection that can only read, and in whose way no writer can be."""
    is_wal = _header(path)[_WRITE_VERSION] == _WAL
    connection = _connect(f"{path.as_uri()}?mode=ro")
    if not is_wal or not path.with_name(f"{path.name}-wal").exists():
        connection = _copied(path, connection, is_wal=is_wal)
    connection.isolation_level = None  # the driver begins nothing by itself
    # A name in broken UTF-8 is shown with a question mark; a broken number is then named like any other.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def _copied(path: Path, source: sqlite3.Connection, *, is_wal: bool) -> sqlite3.Connection:
    """The whole database at this moment, in a temporary file of SQLite's own."""
    before = path.stat()
    if is_wal:
        # Nobody has it open. Opened the usual way, SQLite would leave a new log beside it, with us as its owner.
        source.close()
        source = _connect(f"{path.as_uri()}?mode=ro&immutable=1")
    copy = sqlite3.connect("", isolation_level=None)
    try:
        source.backup(copy)
    finally:
        source.close()
    after = path.stat()
    if is_wal and (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        copy.close()
        raise StorageError(f"{path} was changed while it was read", hint="try again")
    copy.execute("PRAGMA query_only = ON")
    return copy


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise NotFound(f"{path} does not exist", hint="give the path or the URL of the host's database")
    try:
        header = _header(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}", hint="check who owns the file") from None
    if not header.startswith(SQLITE_HEADER) or len(header) <= _WRITE_VERSION:
        raise StorageError(f"{path} is not a database", hint="give the path or the URL of the host's database")


def _header(path: Path) -> bytes:
    if is_held(path):  # books of ours in the collector's file: to close it here would let go of their locks
        return (SQLITE_HEADER + bytes(2) + bytes((_WAL, _WAL))).ljust(100, b"\0")
    with path.open("rb") as file:
        return file.read(100)


def _text(value: object) -> str:
    """A value of the driver as an export would write it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return _digits(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else repr(value)


def _digits(value: float) -> str:
    """The decimal that was stored as this float, where it had 15 digits or less; else all digits of the float.

    SQLite itself turns a text into the nearest float or one beside it, so the last step is not the value's.
    """
    text_of_15 = f"{value:.15g}"
    return text_of_15 if abs(float(text_of_15) - value) <= math.ulp(value) else repr(value)


@contextmanager
def _named_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise StorageError(f"{what} failed: {reason}", hint="check the server, the file and your rights") from error
