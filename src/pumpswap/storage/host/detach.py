"""Detach: take our tables and columns out of a host's database again, after they were exported."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, Engine, text

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage import migrate
from pumpswap.storage.host import pairs
from pumpswap.storage.host.connect import LOCK_MS, changing, open_host
from pumpswap.storage.host.dependents import check_column, check_keys, named_dependents, nothing_breaks
from pumpswap.storage.host.detect import Host, detect
from pumpswap.storage.host.export import Export, export_tables
from pumpswap.storage.host.journal import ATTACHMENTS, Attachment, Journal, JournalKind, our_tables
from pumpswap.storage.host.locks import lock_alone
from pumpswap.storage.host.obstacles import check_rights
from pumpswap.storage.host.plan import Plan, Recorder
from pumpswap.storage.host.relation import Relation
from pumpswap.storage.tables import METADATA

__all__ = ["Attached", "Detached", "attached_host", "detach", "look"]

_WHAT = "detaching"
_OLDEST_SQLITE = (3, 35)  # the first that drops columns


@dataclass(frozen=True, slots=True)
class Attached:
    """What detach would take away: rows by table, and columns as ``table.column``."""

    host: str
    rows: dict[str, int]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Detached:
    """``export`` is None when it was only tried. ``journal_mode``: what a SQLite file is in afterwards, else empty."""

    plan: Plan
    export: Export | None
    journal_mode: str = ""


def look(target: str | Path) -> Attached:
    """What is attached. Raises NotFound when nothing is; changes nothing."""
    with open_host(target, _WHAT) as engine, engine.connect() as connection:
        host = attached_host(connection)
        rows = {name: _count(connection, name) for name in our_tables(connection)}
        columns = tuple(f"{relation.name}.{name}" for relation, name in _columns(connection, host))
        return Attached(host.describe(), rows, columns)


def detach(target: str | Path, folder: Path, at_ns: int, *, dry_run: bool = False, lock_ms: int = LOCK_MS) -> Detached:
    """Export our tables into ``folder``, then remove everything that attach has made, all or nothing.

    Columns that were there before attach stay; what it filled into them is emptied. ``dry_run`` exports nothing and
    gives the rest up at the end.

    Raises NotFound when the database is not attached, TimedOut when somebody holds a lock, StorageError when rights
    are missing or something of the host's depends on what would be removed. Nothing is changed in any of these cases.
    """
    with open_host(target, _WHAT, lock_ms=lock_ms) as engine:
        export: Export | None = None
        with changing(engine, keep=not dry_run, lock_ms=lock_ms) as connection:
            host = attached_host(connection)
            tables = our_tables(connection)
            columns = _columns(connection, host)
            check_rights(connection, host, alters=[relation for relation, _ in columns], creates=False)
            _check_sqlite(host)
            check_keys(connection, tables)
            facts = Journal(connection).facts()
            removal = _Removal(connection, host)
            # Nobody writes between the export and the end, and nothing is waited for after it.
            lock_alone(connection, (host.pools, host.enhanced, host.vectors), tables, lock_ms)
            if not dry_run:
                about = {"revision": migrate.current_within(connection), "engine": host.engine, "at_ns": at_ns}
                export = export_tables(connection, tables, folder, about)
            try:
                with nothing_breaks(connection):
                    removal.run(columns, tables)
            except Exception:
                # Before the commit: our tables are still where they were.
                if export is not None:
                    export.discard()
                raise
            plan = Plan(host.describe(), tuple(removal.recorder.steps), removal.counts, kept=not dry_run)
        mode = _restore_mode(engine, facts.journal_mode if facts else "") if not dry_run else ""
        return Detached(plan, export, mode)


def attached_host(connection: Connection) -> Host:
    """The host in a database that is attached. Raises NotFound, and StorageError for what a newer version has made."""
    host = detect(connection)
    migrate.current_within(connection)
    if not Journal(connection).exists():
        raise NotFound(
            "this database is not attached: there is nothing to detach",
            hint="to remove our tables from a database of our own use `pumpswap db downgrade`",
        )
    return host


def _check_sqlite(host: Host) -> None:
    if host.engine == "sqlite" and sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {sqlite3.sqlite_version} of this Python cannot drop a column",
            hint="use a Python with 3.35 or newer",
        )


def _columns(connection: Connection, host: Host) -> list[tuple[Relation, str]]:
    """Columns that attach has added and that are still there."""
    relations = {relation.name: relation for relation in (host.pools, host.enhanced) if relation is not None}
    made = Journal(connection).entries(JournalKind.COLUMN)
    return [
        (relations[one.table], one.name)
        for one in made
        if one.table in relations and relations[one.table].has(one.name)
    ]


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


class _Removal:
    """The steps, in an open transaction."""

    def __init__(self, connection: Connection, host: Host) -> None:
        self.connection = connection
        self.host = host
        self.recorder = Recorder(connection)
        self.counts: Counter[str] = Counter()

    def run(self, columns: list[tuple[Relation, str]], tables: list[str]) -> None:
        values = Journal(self.connection).entries(JournalKind.VALUE, JournalKind.BLANK)
        dropped = {(relation.name, name) for relation, name in columns}
        if values and self.host.pools.has(pairs.PAIR) and (self.host.pools.name, pairs.PAIR) not in dropped:
            self._empty(values)
        for relation, name in columns:
            with self.recorder.step("column", f"drop column {relation.name}.{name}"):
                check_column(self.connection, relation, name)
                operations = Operations(MigrationContext.configure(self.connection))
                with named_dependents(relation, name):
                    operations.drop_column(relation.name, name, schema=relation.schema)
        with self.recorder.step("tables", "drop our own tables, with their keys") as step:
            METADATA.drop_all(self.connection)
            for name in (migrate.VERSION_TABLE, ATTACHMENTS.name):
                if name in tables:
                    self.connection.execute(text(f"DROP TABLE {name}"))
            step.note = f"{len(tables)} tables"

    def _empty(self, values: list[Attachment]) -> None:
        with self.recorder.step("values", f"empty {pairs.PAIR} where attach had filled your own column") as step:
            count = pairs.empty_again(self.connection, self.host, values)
            self.counts.update(emptied=count)
            step.note = f"{count} rows"


def _restore_mode(engine: Engine, before: str) -> str:
    """Give a SQLite file the journal mode back that it had: the first opening by us has made it WAL."""
    if engine.dialect.name != "sqlite":
        return ""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            return ""
        (mode,) = driver.execute("PRAGMA journal_mode").fetchone()
        if before and mode != before:
            try:
                (mode,) = driver.execute(f"PRAGMA journal_mode = {before}").fetchone()
            except sqlite3.OperationalError as error:
                # Somebody has it open: it stays in WAL, which harms nobody, and the caller says so.
                if "locked" not in str(error):
                    raise
        return str(mode)
