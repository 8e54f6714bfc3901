"""Stored values as JSON, the same for both engines: what a column holds is a string, true, false or null.

Strings, because no JSON reader keeps 64 bits in a number. A backup does not say what a column is: the database that it
is restored to knows that of its own. So the sum of a ledger, a text on SQLite and NUMERIC on PostgreSQL, needs no rule.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Connection, DateTime, Double, Float, Integer, LargeBinary, Numeric, inspect
from sqlalchemy.types import TypeEngine

__all__ = ["Code", "Coder", "coder_of", "columns_of"]

Code = Callable[[Any], Any]


class Coder:
    """How one column is written to JSON and read from it. ``encode`` and ``decode`` take no None."""

    def __init__(self, encode: Code, decode: Code) -> None:
        self.encode = encode
        self.decode = decode


def columns_of(connection: Connection, table: str) -> dict[str, TypeEngine[Any]]:
    """Names and types of a table's columns, as the database has them."""
    return {str(column["name"]): column["type"] for column in inspect(connection).get_columns(table)}


def coder_of(kind: TypeEngine[Any], *, is_sqlite: bool) -> Coder:
    """The coder of a column of this type."""
    # Order matters: the floating types are Numeric too.
    for types, of_sqlite, of_postgresql in _CODERS:
        if isinstance(kind, types):
            return of_sqlite if is_sqlite else of_postgresql
    return _TEXT if is_sqlite else _CLEAN_TEXT


def _digits(value: Any) -> str:
    """Figures as their shortest exact text; SQLite gives integers where a float has no fraction."""
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _moment_text(value: str | datetime) -> str:
    return value if isinstance(value, str) else value.isoformat(" ", "microseconds")


def _without_nul(value: str) -> str:
    # Only PostgreSQL cannot hold it. Ours never have one: see documents.clean_text.
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


_TEXT = Coder(str, str)
_CLEAN_TEXT = Coder(str, _without_nul)
_BLOB = Coder(lambda value: b64encode(value).decode(), b64decode)
_CODERS: Sequence[tuple[tuple[type, ...], Coder, Coder]] = (
    ((Boolean,), Coder(bool, bool), Coder(bool, bool)),
    ((LargeBinary,), _BLOB, _BLOB),
    ((DateTime,), Coder(_moment_text, str), Coder(_moment_text, datetime.fromisoformat)),
    ((Float, Double), Coder(_digits, float), Coder(_digits, float)),
    ((Numeric,), Coder(_digits, float), Coder(_digits, Decimal)),
    ((Integer,), Coder(_digits, int), Coder(_digits, int)),
)
