"""Export: our tables as JSON lines, one file each, with a manifest of what is in them. Nothing is lost.

Integers are JSON integers of any size, decimals and times are texts, bytes are base64.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect

from pumpswap.errors import StorageError

__all__ = ["MANIFEST", "Export", "export_tables"]

MANIFEST = "manifest.json"
_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Export:
    """Where the files are, and how many rows each table had."""

    folder: Path
    rows: dict[str, int]

    def discard(self) -> None:
        """Remove it: what it was made for did not happen."""
        shutil.rmtree(self.folder)


def export_tables(connection: Connection, tables: Sequence[str], folder: Path, about: dict[str, Any]) -> Export:
    """Write the tables into a new folder; ``about`` goes into the manifest.

    The folder gets its name when everything is on the disk. Raises StorageError when it exists already and is not
    empty, and OSError when the disk refuses.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"{folder} exists and is not empty", hint="name a new folder for the export")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True)
    except FileExistsError:
        raise StorageError(f"{partial} is in the way", hint="an earlier export broke off: remove it") from None
    try:
        described = {table: _export(connection, table, partial) for table in tables}
        manifest = {"schema": "pumpswap.export", "version": 1, **about, "tables": described}
        _write(partial / MANIFEST, [json.dumps(manifest, indent=2)])
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # ours, and incomplete
        raise
    return Export(folder, {table: entry["rows"] for table, entry in described.items()})


def _export(connection: Connection, table: str, folder: Path) -> dict[str, Any]:
    columns = {column["name"]: str(column["type"]) for column in inspect(connection).get_columns(table)}
    quote = connection.dialect.identifier_preparer.quote
    query = f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}"
    found = connection.exec_driver_sql(query, execution_options={"yield_per": _ROWS_AT_ONCE})
    path = folder / f"{table}.jsonl"
    rows = _write(path, (json.dumps(dict(row), default=_plain) for row in found.mappings()))
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "rows": rows, "sha256": digest, "columns": columns}


def _write(path: Path, lines: Any) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    raise StorageError(f"a stored value of type {type(value).__name__} cannot be exported", hint="this is a bug")
