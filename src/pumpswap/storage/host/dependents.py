"""What of the host's depends on something of ours: taking that away would break it, so it is named instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from pumpswap.errors import StorageError
from pumpswap.storage.host.relation import Relation

__all__ = ["check_column", "check_keys", "named_dependents", "nothing_breaks"]

_HINT = "drop it first, or change it so that it does not need what pumpswap has added"
_OF_COLUMN = text("""
SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(:table) AND a.attname = :column
  AND d.classid <> 'pg_attrdef'::regclass ORDER BY 1
""")
_VIEWS_AND_TRIGGERS = text(
    "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY rowid"
)
_OF_TABLES = text("""
SELECT m.name, k."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table'
""")


def check_column(connection: Connection, relation: Relation, column: str) -> None:
    """PostgreSQL would drop indexes and constraints together with a column, without a word: raise StorageError."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    name = f"{quote(relation.schema or '')}.{quote(relation.name)}"
    users = connection.execute(_OF_COLUMN, {"table": name, "column": column}).scalars().all()
    if users:
        raise StorageError(f"{users[0]} depends on {relation.name}.{column}; nothing was changed", hint=_HINT)


@contextmanager
def named_dependents(relation: Relation, column: str) -> Iterator[None]:
    """SQLite finds what needs a column while it drops it: raise StorageError that names it."""
    try:
        yield
    except OperationalError as error:
        said = str(error.orig)
        if "after drop column" not in said:
            raise
        raise StorageError(
            f"{relation.name}.{column} is still needed: {said}; nothing was changed", hint=_HINT
        ) from error


def check_keys(connection: Connection, tables: Sequence[str]) -> None:
    """SQLite drops a table although others have keys to it: raise StorageError when somebody's table has."""
    if connection.dialect.name != "sqlite":
        return
    for table, referred in connection.execute(_OF_TABLES).all():
        if referred.lower() in tables and table not in tables:
            raise StorageError(f"the table {table} has a key to {referred}; nothing was changed", hint=_HINT)


@contextmanager
def nothing_breaks(connection: Connection) -> Iterator[None]:
    """SQLite: raise StorageError when a view or a trigger that worked before the block does not after it.

    Those that were broken before are put aside meanwhile: SQLite refuses every change of the schema because of them.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    quote = connection.dialect.identifier_preparer.quote_identifier
    made = connection.execute(_VIEWS_AND_TRIGGERS).all()
    works = {(kind, name): _works(connection, kind, table) for kind, name, table, _ in made}
    broken = [(kind, name, sql) for kind, name, _, sql in made if not works[kind, name]]
    for kind, name, _ in broken:
        connection.exec_driver_sql(f"DROP {kind} IF EXISTS {quote(name)}")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")  # the check is ours, and says more
    yield
    connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")
    for kind, name, table, _ in made:
        gone = kind == "trigger" and not _exists(connection, kind, name)
        if works[kind, name] and (gone or not _works(connection, kind, table)):
            raise StorageError(f"the {kind} {name} of the host would break; nothing was changed", hint=_HINT)
    for _, _, sql in broken:
        connection.exec_driver_sql(sql)


def _exists(connection: Connection, kind: str, name: str) -> bool:
    query = text("SELECT 1 FROM sqlite_master WHERE type = :kind AND name = :name")
    return connection.execute(query, {"kind": kind, "name": name}).first() is not None


def _works(connection: Connection, kind: str, table: str) -> bool:
    """Whether SQLite can still compile what uses it. Nothing is run."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    if kind == "view":
        return _compiles(connection, f"SELECT * FROM {quote(table)}")
    columns = connection.execute(text("SELECT name FROM pragma_table_info(:table)"), {"table": table}).scalars().all()
    same = ", ".join(f"{quote(column)} = {quote(column)}" for column in columns)
    return (
        _compiles(connection, f"DELETE FROM {quote(table)}")
        and _compiles(connection, f"INSERT INTO {quote(table)} DEFAULT VALUES")
        and _compiles(connection, f"UPDATE {quote(table)} SET {same}")
    )


def _compiles(connection: Connection, statement: str) -> bool:
    try:
        connection.exec_driver_sql(f"EXPLAIN {statement}").close()
    except OperationalError:
        return False
    return True
