"""A database as somebody sees it who knows nothing of pumpswap: plain SQL through the drivers themselves."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["INTEGRITY_ERRORS", "columns_of", "execute", "indexes", "is_postgresql", "query", "schema", "tables"]

Target = str | Path
INTEGRITY_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)


def is_postgresql(target: Target) -> bool:
    """Whether the target is a PostgreSQL URL."""
    return str(target).startswith("postgresql")


def execute(target: Target, *statements: str) -> None:
    """Run statements in one transaction; a SQLite file and its folder are made when they are not there."""
    with _connection(target) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def query(target: Target, statement: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with _connection(target) as connection:
        return [tuple(row) for row in connection.execute(statement).fetchall()]


def tables(target: Target) -> set[str]:
    """Names of all tables."""
    if is_postgresql(target):
        return {name for (name,) in query(target, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    return {name for (name,) in query(target, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def indexes(target: Target) -> set[str]:
    """Names of all indexes."""
    if is_postgresql(target):
        return {name for (name,) in query(target, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    return {name for (name,) in query(target, "SELECT name FROM sqlite_master WHERE type = 'index'")}


def columns_of(target: Target, table: str) -> list[str]:
    """Names of a table's columns."""
    if is_postgresql(target):
        found = query(
            target,
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum",
        )
        return [name for (name,) in found]
    return [name for _, name, *_ in query(target, f"PRAGMA table_info({table})")]


def schema(target: Target) -> dict[str, list[str]]:
    """Everything that the database knows of its tables, by name: columns in order, constraints in any."""
    return _schema_of_postgresql(target) if is_postgresql(target) else _schema_of_sqlite(target)


def _schema_of_sqlite(target: Target) -> dict[str, list[str]]:
    made = {}
    for name, sql in query(target, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        columns, *constraints = re.split(r",? CONSTRAINT ", " ".join(sql.split()).removesuffix(" )"))
        made[name] = [columns, *sorted(constraints)]
    return made


def _schema_of_postgresql(target: Target) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    columns = """
        SELECT c.relname, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
            || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum
    """
    constraints = """
        SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2
    """
    # A column that a later migration added stands at the end of its table; for PostgreSQL that is no difference.
    for rows in (sorted(query(target, columns)), query(target, constraints)):
        for table, line in rows:
            made.setdefault(table, []).append(line)
    # Those without a constraint of their name, which says the same.
    others = """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """
    for name, line in query(target, others):
        made[f"index {name}"] = [line]
    return made


@contextmanager
def _connection(target: Target) -> Iterator[Any]:
    if is_postgresql(target):
        with psycopg.connect(str(target)) as connection:
            yield connection
        return
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(target)) as connection:
        yield connection
