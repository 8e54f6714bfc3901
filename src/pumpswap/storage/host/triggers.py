"""The host's own triggers on ``pools``: they would answer our UPDATE and change its rows, so they rest meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from pumpswap.storage.host.detect import Host

__all__ = ["resting"]

_OF_SQLITE = text(
    # In the letters of whoever made the trigger, not of the table.
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(:table) ORDER BY rowid"
)
# Enabled ones, without those behind keys. The letter says when they fire.
_OF_POSTGRESQL = text("""
SELECT t.tgname, CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS TRIGGER' ELSE 'ENABLE TRIGGER' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
""")


@contextmanager
def resting(connection: Connection, host: Host) -> Iterator[None]:
    """No trigger of the host on ``pools`` fires in the block; afterwards they are as they were."""
    quote = connection.dialect.identifier_preparer.quote
    pools = host.pools
    if host.engine == "sqlite":
        off = [
            (f"DROP TRIGGER {quote(name)}", sql)
            for name, sql in connection.execute(_OF_SQLITE, {"table": pools.name}).all()
        ]
    else:
        table = f"ALTER TABLE {quote(pools.schema or '')}.{quote(pools.name)}"
        found = connection.execute(_OF_POSTGRESQL, {"schema": pools.schema, "table": pools.name}).all()
        off = [(f"{table} DISABLE TRIGGER {quote(name)}", f"{table} {on} {quote(name)}") for name, on in found]
    for stop, _ in off:
        connection.exec_driver_sql(stop)
    yield
    for _, start in off:
        connection.exec_driver_sql(start)
