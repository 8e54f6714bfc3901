"""CsvRow: one line of a data file, read strictly. Whatever cannot be read names its file, line and column."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pumpswap.errors import BadInput, NotFound

__all__ = ["CsvRow", "SkippedRow", "csv_header", "csv_rows", "skip_counts"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_LONGEST_NUMBER = 80
_LARGEST_EXPONENT = 60


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A readable row that could not be used, and why: ``kind of reason: details``."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """The fields of one line by column name."""

    file: str
    line: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        """The field without surrounding blanks; empty for NULL and for a column that the file does not have."""
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

    def bad(self, column: str, what: str, hint: str = "repair or remove the line; nothing was read") -> BadInput:
        """The error for a field that cannot be read."""
        return BadInput(f"{self.file}, line {self.line}, {column}: {self.text(column)[:60]!r} {what}", hint=hint)

    def skipped(self, reason: str) -> SkippedRow:
        """The record of leaving this row out."""
        return SkippedRow(self.file, self.line, reason)


def skip_counts(skipped: Iterable[SkippedRow]) -> dict[str, int]:
    """How many rows were skipped, in all and for each kind of reason."""
    kinds = Counter(row.reason.partition(":")[0] for row in skipped)
    return {"skipped_rows": kinds.total(), **{f"skipped: {kind}": count for kind, count in kinds.most_common()}}


def csv_header(path: Path) -> tuple[str, ...]:
    """Column names of a file. Raises NotFound, and BadInput for an empty file or one that is no text."""
    for fields, _line in _records(path):
        return tuple(fields)
    raise BadInput(f"{path.name} is empty", hint="a data file begins with a line of column names")


def csv_rows(path: Path, required: Collection[str]) -> Iterator[CsvRow]:
    """Rows of a comma-separated UTF-8 file whose first line names the columns; blank lines do not count.

    Raises NotFound for a missing file, BadInput for missing or repeated columns, a line with too many or too few
    fields, broken quotes, or bytes that are no text.
    """
    header: list[str] | None = None
    for fields, line in _records(path):
        if header is None:
            header = fields
            _check_header(path, header, required)
        elif len(fields) != len(header):
            raise BadInput(
                f"{path.name}, line {line}: {len(fields)} fields, the header has {len(header)}",
                hint="the file may be cut off, or a field holds a comma without quotes",
            )
        else:
            yield CsvRow(path.name, line, dict(zip(header, fields, strict=True)))
    if header is None:
        raise BadInput(f"{path.name} is empty", hint="a data file begins with a line of column names")


def _check_header(path: Path, header: list[str], required: Collection[str]) -> None:
    missing = [column for column in required if column not in header]
    if missing:
        raise BadInput(
            f"{path.name}, line 1: no column {', '.join(missing)}",
            hint=f"it has {', '.join(header)}"[:200],
        )
    if len(set(header)) != len(header):
        raise BadInput(f"{path.name}, line 1: a column name occurs twice", hint="rename one of them")


def _records(path: Path) -> Iterator[tuple[list[str], int]]:
    line = 1
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for fields in reader:
                line = reader.line_num
                if fields:
                    yield fields, line
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist", hint="check the path") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path.name}, after line {line}: not UTF-8 text", hint="export it as UTF-8") from None
    except csv.Error as error:
        raise BadInput(f"{path.name}, after line {line}: {error}", hint="the file may be cut off or damaged") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", hint="check the path and its permissions") from None
