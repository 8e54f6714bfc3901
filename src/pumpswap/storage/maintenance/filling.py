"""Filling tables from a backup, the fast way of each engine, in the transaction of its caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, column, func, inspect, select, table, text

from pumpswap.errors import BadInput, StorageError
from pumpswap.storage.maintenance.backup_file import BackupFile, StoredTable
from pumpswap.storage.maintenance.values import Code, coder_of, columns_of
from pumpswap.storage.tables import METADATA

__all__ = ["fill"]

_ROWS_AT_ONCE = 5_000


def fill(connection: Connection, backup: BackupFile, stored: StoredTable) -> None:
    """Insert all rows of a table. Raises BadInput when they are not what the manifest or the table says."""
    kinds = columns_of(connection, stored.name)
    unknown = sorted(set(stored.columns) - set(kinds))
    if unknown:
        raise BadInput(f"{stored.name} has no column {', '.join(unknown)}", hint="was the backup changed?")
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(map(quote, stored.columns))
    is_sqlite = connection.dialect.name == "sqlite"
    decoders = [coder_of(kinds[name], is_sqlite=is_sqlite).decode for name in stored.columns]
    # Asked now: while a COPY is under way, its connection answers nothing else.
    links = _links(connection, stored)
    rows = _values(backup, stored, decoders, links)
    if is_sqlite:
        marks = ", ".join("?" * len(stored.columns))
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            connection.exec_driver_sql(f"INSERT INTO {quote(stored.name)} ({names}) VALUES ({marks})", part)
    else:
        _copy(connection, f"COPY {quote(stored.name)} ({names}) FROM STDIN", rows)
        _go_on_counting(connection, stored.name, kinds)


def _values(
    backup: BackupFile, stored: StoredTable, decoders: Sequence[Code], links: Mapping[int, set[Any]]
) -> Iterator[tuple[Any, ...]]:
    for row in backup.rows(stored):
        values = _decoded(decoders, row, stored.name)
        for at, known in links.items():
            values[at] = values[at] if values[at] in known else None
        yield tuple(values)


def _decoded(decoders: Sequence[Code], row: Sequence[Any], name: str) -> list[Any]:
    try:
        return [None if value is None else decode(value) for decode, value in zip(decoders, row, strict=True)]
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadInput(f"{name} of the backup holds what is no such value: {error}", hint="was it changed?") from None


def _links(connection: Connection, stored: StoredTable) -> dict[int, set[Any]]:
    """Positions of the columns with a key to a table of somebody else, and what that table has."""
    found: dict[int, set[Any]] = {}
    for key in inspect(connection).get_foreign_keys(stored.name):
        if key["referred_table"] in METADATA.tables:
            continue
        (name,), (referred,) = key["constrained_columns"], key["referred_columns"]
        source = table(key["referred_table"], column(referred), schema=key["referred_schema"])
        if name in stored.columns:
            found[stored.columns.index(name)] = set(connection.execute(select(source.c[referred])).scalars())
    return found


def _copy(connection: Connection, statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """COPY goes past SQLAlchemy, on the connection that is beneath it."""
    driver = connection.connection.driver_connection
    errors = connection.dialect.loaded_dbapi.Error
    if driver is None:
        raise StorageError("the connection to the database is closed", hint="try again")
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise StorageError(f"the database refuses the backup: {error}", hint="nothing was changed") from error


def _go_on_counting(connection: Connection, name: str, kinds: Mapping[str, Any]) -> None:
    """The next row gets a number that no restored one has. SQLite looks by itself."""
    for key in set(inspect(connection).get_pk_constraint(name)["constrained_columns"]) & set(kinds):
        sequence = connection.execute(select(func.pg_get_serial_sequence(name, key))).scalar()
        if sequence is not None:
            newest = connection.execute(select(func.max(column(key))).select_from(table(name))).scalar()
            connection.execute(
                text("SELECT setval(CAST(:sequence AS regclass), :number, :is_used)"),
                {"sequence": sequence, "number": newest or 1, "is_used": newest is not None},
            )
