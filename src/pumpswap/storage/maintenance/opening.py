"""Opening a database as it is, and what of it is ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, table
from sqlalchemy.sql.functions import count

from pumpswap.errors import NotFound
from pumpswap.storage import migrate
from pumpswap.storage.connections import named_errors
from pumpswap.storage.engines import make_engine, parse_target, place_of
from pumpswap.storage.tables import METADATA

__all__ = ["as_it_is", "our_tables", "place_of", "require_books", "row_counts"]


@contextmanager
def as_it_is(target: str | Path, what: str, *, may_create: bool = False) -> Iterator[Engine]:
    """An engine for a database that is not brought forward by being opened; errors name ``what``.

    Raises NotFound for a SQLite file that does not exist, unless it may be created.
    """
    where = parse_target(target)
    if isinstance(where, Path) and not may_create and not where.expanduser().exists():
        raise NotFound(f"there is no database {where}", hint="name its file or URL; --data-dir chooses its folder")
    engine = make_engine(target, as_found=not may_create)
    try:
        with named_errors(f"{what} {place_of(engine)}"):
            yield engine
    finally:
        engine.dispose()


def require_books(connection: Connection) -> str:
    """Revision of the database. Raises NotFound when it holds no books, StorageError for a newer one."""
    revision = migrate.current_within(connection)
    if revision is None:
        raise NotFound(
            f"there are no books in {place_of(connection.engine)}", hint="is it the right one? See --data-dir and URL"
        )
    return revision


def our_tables(connection: Connection) -> Sequence[str]:
    """Names of our tables that are there, those that others depend on first."""
    there = set(inspect(connection).get_table_names())
    return [str(each.name) for each in METADATA.sorted_tables if each.name in there]


def row_counts(connection: Connection, tables: Sequence[str]) -> dict[str, int]:
    """How many rows each table has."""
    return {name: connection.execute(select(count()).select_from(table(name))).scalar_one() for name in tables}
