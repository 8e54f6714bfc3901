"""What the tables are made of: exact integers, texts, documents, and the columns for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    Row,
    String,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import TypeEngine

__all__ = [
    "DISPLAY",
    "ID",
    "METADATA",
    "StoredRow",
    "WideInteger",
    "display",
    "document",
    "exact",
    "identity",
    "moment",
    "of_run",
    "stamp",
    "words",
]

StoredRow = Row[*tuple[Any, ...]]

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Only INTEGER fills itself on SQLite; there it has 64 bits as well.
ID = BigInteger().with_variant(Integer(), "sqlite")
# As floats, because SQLite has no other decimal: these columns are for people, the integers beside them are exact.
DISPLAY = Numeric(38, 18, asdecimal=False)


class WideInteger(TypeDecorator[int]):
    """An integer of any size: sums, and figures that are only observed. SQLite's NUMERIC would make floats of them."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric(78, 0) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return Decimal(value) if dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> int | None:
        return None if value is None else int(value)


def identity() -> Column[Any]:
    """Number of the row, given by the database."""
    return Column("id", ID, primary_key=True, autoincrement=True)


def of_run(*, primary_key: bool = False) -> Column[Any]:
    """The run that a row belongs to."""
    return Column("run_id", ID, ForeignKey("pumpswap_runs.run_id"), primary_key=primary_key, nullable=False)


def exact(name: str, *, nullable: bool = False) -> Column[Any]:
    """Signed 64 bits: raw units, lamports, nanoseconds."""
    return Column(name, BigInteger, nullable=nullable)


def words(name: str, *, nullable: bool = False) -> Column[Any]:
    """A word or a line."""
    return Column(name, String, nullable=nullable)


def document(name: str, *, nullable: bool = False) -> Column[Any]:
    """JSON."""
    return Column(name, Text, nullable=nullable)


def display(name: str) -> Column[Any]:
    """A figure for people."""
    return Column(name, DISPLAY)


def moment(name: str) -> Column[Any]:
    """UTC without a zone, as in the host's tables."""
    return Column(name, DateTime)


def stamp(name: str) -> Column[Any]:
    """As ``moment``; we always write it from the run's own clock, the default serves other writers only."""
    return Column(name, DateTime, server_default=text("CURRENT_TIMESTAMP"))
