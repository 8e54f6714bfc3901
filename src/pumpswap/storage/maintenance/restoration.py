"""Restore: a backup becomes the books of a database, in one transaction: others see what was before, or all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, table

from pumpswap.errors import BadInput, StorageError
from pumpswap.storage import migrate
from pumpswap.storage.engines import make_engine, parse_target, write_options
from pumpswap.storage.maintenance.backup import write_backup
from pumpswap.storage.maintenance.backup_file import BackupFile, Manifest, StoredTable
from pumpswap.storage.maintenance.filling import fill
from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of, row_counts
from pumpswap.storage.tables import METADATA

__all__ = ["RestorePlan", "plan_restore", "restore"]


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
                fill(connection, backup, stored)
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
                    fill(connection, backup, stored)
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
