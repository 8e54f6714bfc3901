"""The rows of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from pathlib import Path

from pumpswap.errors import BadInput, NotFound
from pumpswap.market.data_row import DataRow

__all__ = ["csv_header", "csv_rows"]


def csv_header(path: Path) -> tuple[str, ...]:
    """Column names of a file. Raises NotFound, and BadInput for an empty file or one that is no text."""
    for fields, _line in _records(path):
        return tuple(fields)
    raise BadInput(f"{path.name} is empty", hint="a data file begins with a line of column names")


def csv_rows(path: Path, required: Collection[str]) -> Iterator[DataRow]:
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
            yield DataRow(path.name, f"line {line}", dict(zip(header, fields, strict=True)))
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
