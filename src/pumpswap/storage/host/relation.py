"""Relation: a table or a view of the host as its database describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, MetaData, Table

__all__ = ["Relation"]


@dataclass(frozen=True, slots=True)
class Relation:
    """``columns`` are names and types as the database writes them; SQLite does not tell cases of letters apart."""

    name: str
    columns: Mapping[str, str]
    schema: str | None = None
    is_table: bool = True
    is_visible: bool = True  # without naming its schema
    is_strict: bool = False  # SQLite: only types that it knows
    id_obstacle: str = ""  # why no key can point to the column id; empty when one can
    obstacles: tuple[str, ...] = ()  # rights that this login lacks, by name: "owner", "select", "update", "references"
    owner: str = ""
    ignores_case: bool = False
    computed: frozenset[str] = frozenset()  # columns that the database fills by itself, and nobody else may

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return self.type_of(column) is not None

    def type_of(self, column: str) -> str | None:
        """Its type, in small letters; None when there is no such column."""
        for name, kind in self.columns.items():
            if name == column or (self.ignores_case and name.lower() == column):
                return kind.lower()
        return None

    def table(self, *columns: str) -> Table:
        """For queries; the types of columns do not matter there."""
        return Table(self.name, MetaData(), *(Column(name) for name in columns), schema=self.schema)
