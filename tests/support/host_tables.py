"""Host databases for tests: every table shape of the material, empty or filled with the real export."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

import psycopg

from tests.support.material import material

__all__ = ["EXPORT_FILES", "SHAPES", "create_shape", "host_rows", "insert_rows", "load_export", "run_script"]

SHAPES = ("start-up", "alembic")

# In the order of the foreign keys.
EXPORT_FILES = (
    "dexes",
    "tokens",
    "pools",
    "watchlist",
    "ohlcv_data",
    "trades",
    "new_pools_history",
    "collection_metadata",
)

_SCHEMAS = {"start-up": "schema_{engine}.sql", "alembic": "schema_alembic_{engine}.sql"}
_DELTA = "schema_2026_delta_{engine}.sql"


def create_shape(url: str, shape: str, enhanced: bool = False, delta: bool = False) -> None:
    """Create the host's tables in an empty database: ``sqlite:///PATH`` or a ``postgresql://`` URL.

    ``shape`` is one of SHAPES. The Alembic shape has no enhanced tables: there the start-up shape's section is added.
    """
    engine = "sqlite" if url.startswith("sqlite") else "postgres"
    run_script(url, _sections(_SCHEMAS[shape].format(engine=engine), ("core",)))
    if enhanced:
        run_script(url, _sections(_SCHEMAS["start-up"].format(engine=engine), ("enhanced",)))
    if delta:
        run_script(url, _text(_DELTA.format(engine=engine)))


def load_export(url: str) -> None:
    """Fill the tables with the real export, as the host would have written it in this shape.

    Columns with a zone get the time as it is labelled, wrong labels included. Columns without one get the UTC wall
    clock. Times that a spreadsheet damaged come from ``new_pools_collected_at.csv``.
    """
    for table in EXPORT_FILES:
        insert_rows(url, table, host_rows(table))


def host_rows(table: str) -> Iterator[dict[str, str]]:
    """The rows of one file of the real export, with true times; an empty text is NULL."""
    rows = _csv(table)
    if table != "new_pools_history":
        yield from rows
        return
    times = {row["id"]: row for row in _csv("new_pools_collected_at")}
    for row in rows:
        known = times[row["id"]]
        yield row | {"collected_at": known["collected_at_utc"], "pool_created_at": known["pool_created_at_utc"]}


def insert_rows(url: str, table: str, rows: Iterable[Mapping[str, str]]) -> None:
    """Insert texts as the columns of the table want them; columns that the shape lacks are left out."""
    if url.startswith("sqlite"):
        _insert_sqlite(url, table, rows)
    else:
        _insert_postgres(url, table, rows)


def run_script(url: str, script: str) -> None:
    """Run several statements."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(script)  # type: ignore[call-overload]


def _insert_sqlite(url: str, table: str, rows: Iterable[Mapping[str, str]]) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        types = {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")}
        for columns, batch in _batches(types, rows):
            marks = ", ".join("?" for _ in columns)
            connection.executemany(
                f"INSERT INTO {table} ({_names(columns)}) VALUES ({marks})",
                [[_sqlite_value(types[column], row[column], table, column) for column in columns] for row in batch],
            )


def _insert_postgres(url: str, table: str, rows: Iterable[Mapping[str, str]]) -> None:
    with psycopg.connect(url) as connection:
        types: dict[str, str] = dict(
            connection.execute(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                (table,),
            ).fetchall()
        )
        for columns, batch in _batches(types, rows):
            statement = f"COPY {table} ({_names(columns)}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[call-overload]
                for row in batch:
                    copy.write_row([_postgres_value(types[one], row[one], table, one) for one in columns])
        # What the host inserts next gets the next number.
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        if "int" in types.get("id", ""):
            connection.execute(f"SELECT setval({sequence}, max(id)) FROM {table} WHERE {sequence} IS NOT NULL")  # type: ignore[call-overload]


def _batches(
    types: Mapping[str, str], rows: Iterable[Mapping[str, str]]
) -> Iterator[tuple[list[str], list[Mapping[str, str]]]]:
    """Rows by the columns that both they and the table have."""
    batches: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        batches.setdefault(tuple(column for column in row if column in types), []).append(row)
    for columns, batch in batches.items():
        yield list(columns), batch


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _sqlite_value(kind: str, text: str, table: str, column: str) -> object:
    if text == "":
        return None
    if kind == "DATETIME":
        return _without_zone(text, table, column)
    if kind == "BOOLEAN":
        return int(text in ("t", "true", "1"))
    return _number(text) if kind.startswith("NUMERIC") else text


def _number(text: str) -> object:
    """A float, as the host binds it. SQLite's own conversion of a text uses the x87 unit, whose stack LiteSVM leaves
    full: the first number after a transaction on the practice chain, in the same process, would become NULL.
    """
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text


def _postgres_value(kind: str, text: str, table: str, column: str) -> str | None:
    if text == "":
        return None
    return _without_zone(text, table, column) if kind == "timestamp without time zone" else text


# The host writes the UTC wall clock into these columns; the export labels it with the offset of its database.
_WALL_CLOCKS = {("trades", "block_timestamp"), ("dexes", "last_updated")}


def _without_zone(text: str, table: str, column: str) -> str:
    """A time as the host writes it into a column without a zone; what is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    if moment.tzinfo is not None and (table, column) not in _WALL_CLOCKS:
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _csv(name: str) -> Iterator[dict[str, str]]:
    with _path("real", "host_export", f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _text(name: str) -> str:
    return _path("host", name).read_text(encoding="utf-8")


def _sections(name: str, wanted: Sequence[str]) -> str:
    """A schema file with some of its sections only; BEGIN and COMMIT stay."""
    head, *parts = _text(name).split("\n-- @section ")
    kept = [part for part in parts if part.split(None, 1)[0] in wanted]
    body = "\n".join(part.partition("\n")[2] for part in kept)
    end = "" if parts[-1] in kept else "\nCOMMIT;\n"
    return f"{head}\n{body}{end}"


def _path(*parts: str) -> Path:
    path = material(*parts)
    if path is None:
        raise FileNotFoundError("/".join(parts))
    return path
