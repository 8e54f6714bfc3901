"""Restore: a backup becomes the books of a database, in one transaction: others see what was before, or all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, delete, func, insert, inspect, select, table, text

from pumpswap.errors import BadInput, StorageError
from pumpswap.storage import migrate
from pumpswap.storage.engines import make_engine, parse_target, write_options
from pumpswap.storage.maintenance.backup import write_backup
from pumpswap.storage.maintenance.backup_file import BackupFile, Manifest, StoredTable
from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of, row_counts
from pumpswap.storage.maintenance.values import Code, coder_of, columns_of
from pumpswap.storage.tables import METADATA

__all__ = ["RestorePlan", "plan_restore", "restore"]

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore would write, and what it would remove: rows by table, of what is not empty."""

    place: str
    manifest: Manifest
    removed: Mapping[str, int]


def plan_restore(target: str | Path, path: Path) -> RestorePlan:
    """Verify a backup, and look at what is in the database. Changes nothing; errors as of ``restore``."""
    with BackupFile(path.expanduser()) as backup:
        backup.verify()
        where = parse_target(target)
        if isinstance(where, Path) and not where.expanduser().exists():
            return RestorePlan(str(where), backup.manifest, {})
        with as_it_is(target, "restoring to") as engine, engine.connect() as connection:
            migrate.current_within(connection)
            return RestorePlan(place_of(engine), backup.manifest, _stored(connection))


def restore(target: str | Path, path: Path, *, replace: bool = False) -> RestorePlan:
    """Make the books of a backup those of a database, SQLite or PostgreSQL, whichever the backup was taken from.

    Our tables must be absent or empty, unless ``replace``: then what is in them is removed. Tables of others are not
    touched; a key of ours to a row that they do not have becomes NULL. A backup of an older revision is brought
    forward. All or nothing: other processes see the books of before until all is there. Returns what was done.

    Raises BadInput for a damaged backup, StorageError for one of a newer version and when the database is not empty.
    """
    with BackupFile(path.expanduser()) as given:
        given.verify()
        with (
            _brought_forward(given) as backup,
            as_it_is(target, "restoring to", may_create=True) as engine,
            engine.connect().execution_options(**write_options(engine)) as connection,
            connection.begin(),
        ):
            migrate.upgrade_within(connection)
            removed = _stored(connection)
            if removed and not replace:
                raise StorageError(
                    f"{place_of(engine)} is not empty: {sum(removed.values()):,} rows in {len(removed)} tables",
                    hint="restore to an empty database, or replace what is there with --replace",
                )
            for name in reversed(our_tables(connection)):
                connection.execute(delete(table(name)))
            for stored in _in_order(backup.manifest.tables):
                _fill(connection, backup, stored)
            return RestorePlan(place_of(engine), given.manifest, removed)


def _stored(connection: Connection) -> dict[str, int]:
    counts = row_counts(connection, our_tables(connection))
    return {name: count for name, count in counts.items() if count}


@contextmanager
def _brought_forward(backup: BackupFile) -> Iterator[BackupFile]:
    """The backup itself, or one of the newest revision that is made of it in a database of its own."""
    if backup.manifest.revision == migrate.HEAD:
        yield backup
        return
    with tempfile.TemporaryDirectory(prefix="pumpswap-restore-") as folder:
        scratch, newer = Path(folder, "scratch.sqlite"), Path(folder, "newer.zip")
        engine = make_engine(scratch)
        try:
            migrate.upgrade(engine, backup.manifest.revision)
            with engine.connect().execution_options(**write_options(engine)) as connection, connection.begin():
                for stored in _in_order(backup.manifest.tables):
                    _fill(connection, backup, stored)
            migrate.upgrade(engine)
        finally:
            engine.dispose()
        write_backup(scratch, newer, 0)
        with BackupFile(newer) as brought:
            yield brought


def _in_order(stored: Sequence[StoredTable]) -> list[StoredTable]:
    """Those that others depend on first."""
    order = {each.name: at for at, each in enumerate(METADATA.sorted_tables)}
    strangers = sorted({each.name for each in stored} - set(order))
    if strangers:
        raise BadInput(f"the backup holds tables that are not ours: {', '.join(strangers)}", hint="was it changed?")
    return sorted(stored, key=lambda each: order[each.name])


def _fill(connection: Connection, backup: BackupFile, stored: StoredTable) -> None:
    kinds = columns_of(connection, stored.name)
    unknown = sorted(set(stored.columns) - set(kinds))
    if unknown:
        raise BadInput(f"{stored.name} has no column {', '.join(unknown)}", hint="was the backup changed?")
    is_sqlite = connection.dialect.name == "sqlite"
    decoders = [coder_of(kinds[name], is_sqlite=is_sqlite).decode for name in stored.columns]
    links = _links(connection, stored)
    statement = insert(table(stored.name, *map(column, stored.columns)))
    rows = backup.rows(stored)
    while part := list(islice(rows, _ROWS_AT_ONCE)):
        values = []
        for row in part:
            one = dict(zip(stored.columns, _decoded(decoders, row, stored.name), strict=True))
            for name, known in links.items():
                one[name] = one[name] if one[name] in known else None
            values.append(one)
        connection.execute(statement, values)
    _go_on_counting(connection, stored.name, kinds)


def _decoded(decoders: Sequence[Code], row: Sequence[Any], name: str) -> list[Any]:
    try:
        return [None if value is None else decode(value) for decode, value in zip(decoders, row, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadInput(f"{name} of the backup holds what is no such value: {error}", hint="was it changed?") from None


def _links(connection: Connection, stored: StoredTable) -> dict[str, set[Any]]:
    """Columns with a key to a table of somebody else, and what there is."""
    found: dict[str, set[Any]] = {}
    for key in inspect(connection).get_foreign_keys(stored.name):
        if key["referred_table"] in METADATA.tables:
            continue
        (name,), (referred,) = key["constrained_columns"], key["referred_columns"]
        source = table(key["referred_table"], column(referred), schema=key["referred_schema"])
        if name in stored.columns:
            found[name] = set(connection.execute(select(source.c[referred])).scalars())
    return found


def _go_on_counting(connection: Connection, name: str, kinds: Mapping[str, Any]) -> None:
    """The next row gets a number that no restored one has. SQLite looks by itself."""
    if connection.dialect.name == "sqlite":
        return
    for key in set(inspect(connection).get_pk_constraint(name)["constrained_columns"]) & set(kinds):
        sequence = connection.execute(select(func.pg_get_serial_sequence(name, key))).scalar()
        if sequence is not None:
            newest = connection.execute(select(func.max(column(key))).select_from(table(name))).scalar()
            connection.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :number, :is_used)"),
                {"sequence": sequence, "number": newest or 1, "is_used": newest is not None},
            )
