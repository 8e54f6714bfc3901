"""Vacuum: space that deleted rows have left, given back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, bindparam, text

from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of, require_books

__all__ = ["Sizes", "vacuum"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes on the disk: of the whole SQLite file with its log, of our tables and indexes on PostgreSQL."""

    place: str
    before_bytes: int
    after_bytes: int


def vacuum(target: str | Path) -> Sizes:
    """Rewrite a SQLite file without its empty pages; on PostgreSQL free what is dead in our tables.

    SQLite: the file is locked meanwhile, and needs as much free disk
    again; raises StorageError when somebody writes for longer than the wait for the lock. PostgreSQL: nobody is held
    up; freed space is used again, rarely given back, and the statistics of the query planner are renewed.
    """
    with as_it_is(target, "vacuuming") as engine:
        with engine.connect() as connection:
            require_books(connection)
            names = [*our_tables(connection)]
        measure, clean = (_file_size, _clean_file) if engine.dialect.name == "sqlite" else (_tables_size, _clean_tables)
        before = measure(engine, names)
        clean(engine, names)
        return Sizes(place_of(engine), before, measure(engine, names))


def _file_size(engine: Engine, _names: list[str]) -> int:
    path = str(engine.url.database)
    return sum(each.stat().st_size for each in (Path(path), Path(f"{path}-wal")) if each.exists())


def _clean_file(engine: Engine, _names: list[str]) -> None:
    # Not in a transaction, so not through SQLAlchemy, which begins one.
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(statement)
            cursor.fetchall()
        cursor.close()


def _tables_size(engine: Engine, names: list[str]) -> int:
    query = text(
        "SELECT sum(pg_total_relation_size(CAST(name AS regclass))) FROM unnest(CAST(:names AS text[])) AS name"
    )
    with engine.connect() as connection:
        return int(connection.execute(query.bindparams(bindparam("names", names))).scalar_one())


def _clean_tables(engine: Engine, names: list[str]) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in names:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")
