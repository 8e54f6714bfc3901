"""The host's own triggers and rules on ``pools``: they would answer our UPDATE, so they rest meanwhile."""

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
WITH pools AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :table
)
SELECT 'TRIGGER', t.tgname, CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
FROM pg_trigger t JOIN pools ON pools.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
UNION ALL
SELECT 'RULE', r.rulename, CASE r.ev_enabled WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END
FROM pg_rewrite r JOIN pools ON pools.oid = r.ev_class WHERE r.ev_enabled IN ('O', 'A')
""")


@contextmanager
def resting(connection: Connection, host: Host) -> Iterator[None]:
    """No trigger or rule of the host on ``pools`` answers in the block; afterwards they are as they were."""
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
        off = [
            (f"{table} DISABLE {kind} {quote(name)}", f"{table} {enable} {kind} {quote(name)}")
            for kind, name, enable in found
        ]
    for stop, _ in off:
        connection.exec_driver_sql(stop)
    yield
    for _, start in off:
        connection.exec_driver_sql(start)
