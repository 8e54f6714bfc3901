"""Rows on their way into a file or a pipe, as CSV or as JSON lines."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pumpswap.cli.formats import printable
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.app.exports import Row

__all__ = ["new_file", "new_path", "write_csv", "write_json_lines"]

# A spreadsheet takes a cell that begins with one of these for a formula. Strangers choose the names of coins.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
# Where a comma is a decimal mark, spreadsheets end a cell at a semicolon: what stands behind it begins another one.
_NEXT_CELL = re.compile(r";(?=[^\w;]*[=+\-@＝＋－＠])")
_COUNTS = frozenset({"sequence", "slot", "decimals", "base_decimals", "held_seconds"})


@contextmanager
def new_path(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Where to write what is at ``path`` when the block has ended well, and not before.

    Raises UsageError when a file is there.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file in it")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists", hint="name another file, or overwrite it with --force")
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[IO[str]]:
    """A text file that is there when the block has ended well, and not before. Raises UsageError when one is there."""
    with new_path(path, overwrite=overwrite) as partial, partial.open("x", encoding="utf-8", newline="") as file:
        yield file


def write_csv(rows: Iterable[Row], columns: Sequence[str], file: IO[str]) -> int:
    """One line for the names of the columns, then one per row; returns how many rows."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        count += 1
        writer.writerow([_cell(row[name]) for name in columns])
    return count


def write_json_lines(rows: Iterable[Row], file: IO[str]) -> int:
    """One object per line, amounts as strings; returns how many."""
    count = 0
    for row in rows:
        count += 1
        file.write(json.dumps({name: _value(name, value) for name, value in row.items()}) + "\n")
    return count


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if not isinstance(value, str):
        return value
    text = _NEXT_CELL.sub(";'", printable(value))
    return f"'{text}" if text.startswith(_FORMULA_STARTS) or value.startswith(_FORMULA_STARTS) else text


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, int) and name not in _COUNTS else value
