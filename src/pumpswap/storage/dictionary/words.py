"""Words that several tables share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["AT_NS", "ID", "MINT", "ORDER_ID", "POOL", "RUN_ID", "STAMPS", "Meaning"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of a table, and of each of its columns by name. Markdown."""

    table: str
    columns: Mapping[str, str]


ID = "number of the row, given by the database"
RUN_ID = "the run that the row belongs to"
AT_NS = "when it happened"
POOL = "address of the pool"
MINT = "mint of the coin"
ORDER_ID = "the order behind it; empty where none is"
STAMPS = {
    "created_at": "UTC without a zone; written from the run's own clock",
    "updated_at": "UTC without a zone; the last change of the row",
}
