"""DataRow: one row of a data file or of a table, read strictly. What cannot be read names its place and column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pumpswap.errors import BadInput

__all__ = ["DataRow", "SkippedRow", "skip_counts"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_LONGEST_NUMBER = 80
_LARGEST_EXPONENT = 60


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A readable row that could not be used, and why: ``kind of reason: details``."""

    source: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}, {self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class DataRow:
    """The texts of one row by column name. ``source`` is a file or a table, ``place`` a line or a key in it."""

    source: str
    place: str
    values: Mapping[str, str]

    def text(self, column: str) -> str:
        """The field without surrounding blanks; empty for NULL and for a column that the source does not have."""
        return self.values.get(column, "").strip()

    def number(self, column: str) -> Decimal | None:
        """An exact number. None for NULL, and for the NaN that PostgreSQL writes for an unknown NUMERIC."""
        text = self.text(column)
        if not text or text.lower() == "nan":
            return None
        if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text):
            number = Decimal(text)
            if not number or abs(number.adjusted()) <= _LARGEST_EXPONENT:
                return number
        raise self.bad(column, "is no number")

    def whole(self, column: str) -> int:
        """A whole number."""
        text = self.text(column)
        if not _WHOLE.fullmatch(text):
            raise self.bad(column, "is no whole number")
        return int(text)

    def bad(self, column: str, what: str, hint: str = "repair or remove it; nothing was read") -> BadInput:
        """The error for a field that cannot be read."""
        return BadInput(f"{self.source}, {self.place}, {column}: {self.text(column)[:60]!r} {what}", hint=hint)

    def skipped(self, reason: str) -> SkippedRow:
        """The record of leaving this row out."""
        return SkippedRow(self.source, self.place, reason)


def skip_counts(skipped: Iterable[SkippedRow]) -> dict[str, int]:
    """How many rows were skipped, in all and for each kind of reason."""
    kinds = Counter(row.reason.partition(":")[0] for row in skipped)
    return {"skipped_rows": kinds.total(), **{f"skipped: {kind}": count for kind, count in kinds.most_common()}}
