"""The host's collection_metadata: when a collector ran last, how often, and what went wrong."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from pumpswap.storage.collected.rows import insert_new, moment
from pumpswap.storage.collected.shape import TableShape

__all__ = ["note_run"]


def note_run(connection: Connection, shape: TableShape, collector: str, at_ns: int, errors: list[str]) -> None:
    """Count one run of a collector, as the host does: its last error stays until there is another one."""
    columns = shape.columns
    counts = [columns.get("run_count"), columns.get("error_count")]
    key = columns["collector_type"]
    found = connection.execute(
        select(*(column for column in (key, *counts) if column is not None)).where(key == collector)
    )
    before = found.mappings().one_or_none()
    at = moment(at_ns)

    def counted(name: str, more: int) -> int:
        column = columns.get(name)
        return more + (0 if before is None or column is None else before[column.name] or 0)

    values: dict[str, Any] = {
        "last_run": at,
        "run_count": counted("run_count", 1),
        "error_count": counted("error_count", len(errors)),
        "last_updated": at,
        "updated_at": at,
    }
    values |= {"last_error": errors[-1]} if errors else {"last_success": at}
    if before is None:
        first = {"collector_type": collector, "created_at": at, "metadata_json": {}} | values
        insert_new(connection, shape, [shape.fitted(first)])
    else:
        connection.execute(update(shape.table).where(key == collector).values(shape.fitted(values)))
