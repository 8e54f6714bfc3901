"""Backup: one moment of the books in one portable file, taken while a trader writes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, column, inspect, select, table

from pumpswap import __version__
from pumpswap.clock import format_utc
from pumpswap.errors import StorageError
from pumpswap.storage import migrate
from pumpswap.storage.maintenance.backup_file import BackupFile, BackupWriter, Manifest, is_backup
from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of, require_books
from pumpswap.storage.maintenance.values import coder_of, columns_of

__all__ = ["Backup", "write_backup"]

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and read again."""

    source: str
    path: Path
    size_bytes: int
    manifest: Manifest


def write_backup(target: str | Path, path: Path, created_ns: int) -> Backup:
    """Write all our tables, as they are at one moment, to ``path``; the tables of others are left out.

    Writers are not held up. A backup of before under this name is replaced, and only when the new one is complete,
    on the disk, and read again without a difference. ``created_ns`` is noted in it.

    Raises NotFound when there are no books, StorageError when ``path`` is something else than a backup.
    """
    path = path.expanduser().absolute()
    _check_place(path)
    with as_it_is(target, "the backup of") as engine:
        with _new_file(path) as file:
            manifest = _write(engine, file, format_utc(created_ns))
            size_bytes = file.tell()
        return Backup(place_of(engine), path, size_bytes, manifest)


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise StorageError(f"{path} is a folder", hint="name a file in it, for example books.backup.zip")
    if path.exists() and not is_backup(path):
        raise StorageError(f"{path} exists and is no backup of pumpswap", hint="choose another name for the backup")
    if not path.parent.is_dir():
        raise StorageError(f"the folder {path.parent} does not exist", hint="make it first")


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file beside ``path`` that takes its name when the block has ended well and it was read again."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with BackupFile(partial) as written:
            written.verify()
        partial.replace(path)
        _sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """The new name must survive a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(engine: Engine, file: IO[bytes], created: str) -> Manifest:
    with BackupWriter(file) as writer, _one_moment(engine) as connection:
        revision = require_books(connection)
        for name in our_tables(connection):
            writer.add_table(name, list(columns_of(connection, name)), _rows(connection, name))
        return writer.finish(created=created, pumpswap=__version__, engine=engine.dialect.name, revision=revision)


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A read transaction in which the books cannot be migrated either."""
    with engine.connect() as looking:
        names = [*our_tables(looking), migrate.VERSION_TABLE] if migrate.current_within(looking) else []
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql" and names:
            # Before the first question, which fixes the moment. It holds up nobody but who changes these tables.
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
        yield connection


def _rows(connection: Connection, name: str) -> Iterator[Sequence[Any]]:
    kinds = columns_of(connection, name)
    is_sqlite = connection.dialect.name == "sqlite"
    coders = [(at, coder_of(kind, is_sqlite=is_sqlite).encode) for at, kind in enumerate(kinds.values())]
    # Columns without a type: the values as the driver has them, unchanged by SQLAlchemy.
    source = table(name, *map(column, kinds))
    key = inspect(connection).get_pk_constraint(name)["constrained_columns"]
    query = select(source).order_by(*(source.c[part] for part in key))
    for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
        yield [None if row[at] is None else encode(row[at]) for at, encode in coders]
