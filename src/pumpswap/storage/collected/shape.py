"""The tables that are there, column by column: what may be written into each, and what does not fit."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    func,
    select,
)
from sqlalchemy.exc import SAWarning

from pumpswap.storage.documents import clean_text

__all__ = ["TableShape", "Unfit"]

# What people read may be cut to the width of its column; everything else says exactly what it says, or nothing.
_FOR_PEOPLE = {"name", "symbol", "token_name", "token_symbol", "last_error"}
_SMALL, _WHOLE, _BIG = 2**15, 2**31, 2**63


class Unfit(Exception):
    """A row that this table cannot take; the text says why."""


class TableShape:
    """One table as its database describes it. ``cut`` counts by column what was shortened or had no room."""

    def __init__(self, connection: Connection, name: str, schema: str | None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # a type that SQLAlchemy does not know is written as it comes
            self.table = Table(name, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
        self.name = name
        self.columns: Mapping[str, Column[Any]] = {column.name.lower(): column for column in self.table.columns}
        self.is_server = connection.dialect.name == "postgresql"
        self.cut: Counter[str] = Counter()
        self._light: dict[tuple[str, ...], Table] = {}

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self.columns

    def light(self, *names: str) -> Table:
        """The table for reading, with those of these columns that exist and no types: figures as the driver has them.

        The same object each time: SQLAlchemy compiles a query once for each.
        """
        if names not in self._light:
            columns: list[Column[Any]] = [Column(self.columns[name].name, key=name) for name in names if self.has(name)]
            self._light[names] = Table(self.table.name, MetaData(), *columns, schema=self.table.schema)
        return self._light[names]

    def obstacle(self, needed: Sequence[str], given: Sequence[str]) -> str:
        """Why no row can be written that has values for ``given``; empty when one can."""
        missing = [name for name in needed if not self.has(name)]
        if missing:
            return f"it has no column {', '.join(missing)}"
        for name, column in self.columns.items():
            fills_itself = column.server_default is not None or column.nullable or (name == "id" and self.fills_id)
            if name not in given and not fills_itself and not (name == "id" and self._counts_ids):
                return f"its column {name} may not be empty, and is not known"
        return ""

    @property
    def fills_id(self) -> bool:
        """Whether the database numbers rows by itself. SQLite does so for INTEGER only, not for BIGINT."""
        column = self.columns.get("id")
        if column is None:
            return False
        if self.is_server:
            return column.server_default is not None or column.identity is not None
        return column.primary_key and isinstance(column.type, Integer) and not isinstance(column.type, BigInteger)

    @property
    def _counts_ids(self) -> bool:
        column = self.columns.get("id")
        return column is not None and isinstance(column.type, Integer) and not self.fills_id

    def numbered(self, connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with ids of ours where the database gives none. Only inside a write transaction."""
        if rows and self._counts_ids:
            newest = connection.execute(select(func.max(self.columns["id"]))).scalar() or 0
            for number, row in enumerate(rows, newest + 1):
                row[self.columns["id"].name] = number
        return rows

    def fitted(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values for which there is a column, as the column takes them. Raises Unfit."""
        row = {}
        for name, value in values.items():
            column = self.columns.get(name)
            if column is None:
                continue
            taken = None if value is None else self._value(column, name, value)
            if taken is None and not column.nullable:
                raise Unfit(f"{self.name}.{name} may not be empty, and {_shown(value)} does not go into it")
            row[column.name] = taken
        return row

    def _value(self, column: Column[Any], name: str, value: Any) -> Any:
        kind = column.type
        match value:
            case bool():
                return value
            case datetime():
                return value if isinstance(kind, DateTime) and kind.timezone else value.replace(tzinfo=None)
            case str():
                return self._words(kind, name, value)
            case int():
                return self._whole(kind, name, value)
            case float() | Decimal():
                return self._figure(kind, name, Decimal(str(value)))
            case _:
                return value if isinstance(kind, JSON) else msgspec.json.encode(value).decode()

    def _words(self, kind: Any, name: str, text: str) -> str:
        text = clean_text(text)
        room = kind.length if isinstance(kind, String) else None
        if room is None or len(text) <= room:
            return text
        if name not in _FOR_PEOPLE:
            raise Unfit(f"{self.name}.{name} takes {room} characters, and this has {len(text)}")
        self.cut[name] += 1
        return text[:room]

    def _whole(self, kind: Any, name: str, number: int) -> int | None:
        limit = _BIG
        if self.is_server and isinstance(kind, Integer) and not isinstance(kind, BigInteger):
            limit = _SMALL if isinstance(kind, SmallInteger) else _WHOLE
        if -limit <= number < limit:
            return number
        self.cut[name] += 1
        return None

    def _figure(self, kind: Any, name: str, figure: Decimal) -> Decimal | float | None:
        if not figure.is_finite():
            return None
        if not self.is_server:
            return float(figure)  # SQLite has no other decimal, and the host binds the same
        if not isinstance(kind, Numeric) or kind.precision is None:
            return figure
        try:
            with localcontext() as context:
                context.prec = 200
                rounded = figure.quantize(Decimal(1).scaleb(-(kind.scale or 0)), rounding=ROUND_HALF_UP)
        except InvalidOperation:
            rounded = figure
        if abs(rounded) < Decimal(10) ** (kind.precision - (kind.scale or 0)):
            return rounded
        self.cut[name] += 1
        return None


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)[:40]
