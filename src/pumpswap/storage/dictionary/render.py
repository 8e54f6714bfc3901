"""The page docs/data-dictionary.md, from the tables and their meanings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import CheckConstraint, Column, Dialect, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.storage.collected.own_tables import MARKER
from pumpswap.storage.dictionary.backtest_meanings import TRYING
from pumpswap.storage.dictionary.book_meanings import BOOKS, HOST_COLUMNS, PLAN, VIEWS
from pumpswap.storage.dictionary.collect_meanings import COLLECTING
from pumpswap.storage.dictionary.insight_meanings import INSIGHT
from pumpswap.storage.dictionary.meanings import TRADING
from pumpswap.storage.dictionary.trading_meanings import RUNNING
from pumpswap.storage.host.journal import ATTACHMENTS
from pumpswap.storage.migrate import HEAD
from pumpswap.storage.tables import METADATA

__all__ = ["MEANINGS", "TABLES", "data_dictionary"]

MEANINGS = TRADING | BOOKS | RUNNING | INSIGHT | TRYING | COLLECTING
TABLES: dict[str, Table] = {**METADATA.tables, ATTACHMENTS.name: ATTACHMENTS, MARKER.name: MARKER}
_SQLITE: Dialect = sqlite.dialect()
_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

_HEAD = f"""# Data dictionary

Written by `python -m pumpswap.storage.dictionary` from the tables of revision {HEAD}; a test compares it with them.

Money is in lamports and tokens are in raw units: exact integers of 64 bits (`BIGINT`). Sums that may exceed them are
`NUMERIC` on PostgreSQL and text on SQLite. Names ending in `_ns` are nanoseconds since 1970, UTC. JSON documents hold
exact numbers as text.

Columns marked *plan* carry the names that the host's reports and queries expect; those also marked *view* are for
people, in SOL, whole tokens or seconds: written by us beside the exact columns and never read back. On an attached
database `pool_id` is a key to the host's `pools` with `ON DELETE SET NULL`.
"""


def data_dictionary() -> str:
    """The page, as Markdown."""
    order = [name for name in MEANINGS if name in TABLES]
    parts = [_HEAD, *(_section(TABLES[name]) for name in order), _host_section()]
    return "\n".join(parts)


def _section(table: Table) -> str:
    meaning = MEANINGS[table.name]
    lines = [
        f"## {table.name}",
        "",
        meaning.table,
        "",
        "| column | SQLite | PostgreSQL | empty | | meaning |",
        "|---|---|---|---|---|---|",
    ]
    for column in table.columns:
        marks = [word for word, where in (("plan", PLAN), ("view", VIEWS)) if column.name in where.get(table.name, ())]
        lines.append(
            f"| `{column.name}` | {_type(column, _SQLITE)} | {_type(column, _POSTGRESQL)} | "
            f"{'may be' if column.nullable else 'never'} | {', '.join(marks)} | {meaning.columns[column.name]} |"
        )
    lines += ["", *_constraints(table), ""]
    return "\n".join(lines)


def _type(column: Column[object], dialect: Dialect) -> str:
    said = column.type.compile(dialect=dialect)
    return said if column.server_default is None else f"{said}, default {_default(column)}"


def _default(column: Column[object]) -> str:
    default = column.server_default
    return str(getattr(getattr(default, "arg", default), "text", default))


def _constraints(table: Table) -> Iterator[str]:
    yield f"- Primary key: {_names(column.name for column in table.primary_key.columns)}"
    constraints = sorted(table.constraints, key=lambda one: str(one.name))
    for one in constraints:
        if isinstance(one, ForeignKeyConstraint):
            target = ", ".join(key.target_fullname.rpartition(".")[2] for key in one.elements)
            yield f"- Key: {_names(one.column_keys)} → `{one.elements[0].target_fullname.partition('.')[0]}` ({target})"
        elif isinstance(one, UniqueConstraint):
            yield f"- Unique: {_names(column.name for column in one.columns)}"
        elif isinstance(one, CheckConstraint):
            yield f"- Check: `{one.sqltext}`"
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        yield _index(index)


def _index(index: Index) -> str:
    kind = "Unique index" if index.unique else "Index"
    where = index.dialect_options["sqlite"].get("where")
    only = "" if where is None else f", where `{where}`"
    return f"- {kind} `{index.name}`: {_names(column.name for column in index.columns)}{only}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _host_section() -> str:
    lines = [
        "## What attach adds to a host's own tables",
        "",
        "| table | column | type | meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{table}` | `{column}` | {kind} | {meaning} |" for table, column, kind, meaning in HOST_COLUMNS]
    return "\n".join([*lines, ""])
