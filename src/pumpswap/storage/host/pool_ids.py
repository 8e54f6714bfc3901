"""Which id a pool has in the host's table: what ``pool_id`` of our rows may be, so that booking never fails on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, String, bindparam, select
from sqlalchemy.exc import DBAPIError

from pumpswap.storage.display import host_pool_id
from pumpswap.storage.host.detect import POOLS
from pumpswap.storage.host.journal import ATTACHMENTS, HostFacts, Journal
from pumpswap.storage.host.relation import Relation

__all__ = ["with_pool_id"]

_log = logging.getLogger(__name__)

# Broken key, row that changed meanwhile, lock not available, no right, table or column gone: all of them the host's.
_HOSTS_OWN = {"23503", "40001", "55P03", "42501", "42P01", "42703"}
_NO_RIGHT = "42501"
# As texts: this stands between a fill and its commit.
_IS_ATTACHED = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{ATTACHMENTS.name}'",
    "postgresql": f"SELECT 1 WHERE to_regclass('{ATTACHMENTS.name}') IS NOT NULL",
}


def with_pool_id(connection: Connection, pool: str, write: Callable[[str | None], None]) -> None:
    """Call ``write`` with the value of ``pool_id`` for a pool, in a write transaction.

    That is the plan's id while our tables have no host; on an attached database the id that the host has, and None
    where it has none, or is just deleting it, or does not let us look.
    """
    if connection.exec_driver_sql(_IS_ATTACHED[connection.dialect.name]).first() is None:
        write(host_pool_id(pool))
        return
    try:
        with connection.begin_nested():
            write(_known(connection, pool))
    except DBAPIError as error:
        if not _is_the_hosts(error):
            raise
        _log.warning("pool without its id of the host", extra={"pool": pool, "reason": str(error.orig)})
        write(None)


def _known(connection: Connection, pool: str) -> str | None:
    facts = Journal(connection).facts() or HostFacts(None, has_text_ids=False)
    if not facts.has_text_ids:
        return None
    id_column = Relation(POOLS, {}, schema=facts.schema).table("id").c.id
    wanted = (host_pool_id(pool), pool)  # as it is, and as it was before ids had a network
    query = select(id_column).where(id_column.in_(bindparam("wanted", wanted, expanding=True, type_=String())))
    found = set(_found(connection, query))
    return next((one for one in wanted if one in found), None)


def _found(connection: Connection, query: Select[*tuple[Any, ...]]) -> Sequence[str]:
    if connection.dialect.name == "sqlite":
        return connection.execute(query).scalars().all()
    # Held until we have committed. One that somebody is deleting at this moment is skipped, not waited for.
    held = query.with_for_update(read=True, key_share=True, skip_locked=True)
    try:
        with connection.begin_nested():
            return connection.execute(held).scalars().all()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NO_RIGHT:
            raise
    # A login that may read pools but not change them may not hold their rows either.
    return connection.execute(query).scalars().all()


def _is_the_hosts(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    said = str(error.orig)
    return state in _HOSTS_OWN or "FOREIGN KEY" in said or "no such table" in said or "foreign key mismatch" in said
