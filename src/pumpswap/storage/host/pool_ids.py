"""Which id a pool has in the host's table: what ``pool_id`` of our rows may be, so that booking never fails on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, RootTransaction
from sqlalchemy.exc import DBAPIError

from pumpswap.errors import StorageError
from pumpswap.storage.display import host_pool_id
from pumpswap.storage.host.detect import POOLS
from pumpswap.storage.host.journal import ATTACHMENTS, HostFacts, JournalKind

__all__ = ["with_pool_id"]

_log = logging.getLogger(__name__)

# Broken key, row that changed meanwhile, lock not available, no right, table or column gone: all of them the host's.
_HOSTS_OWN = {"23503", "40001", "55P03", "42501", "42P01", "42703"}
_NO_RIGHT = "42501"
# As texts, not built anew each time: this stands between a fill and its commit.
_IS_ATTACHED = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{ATTACHMENTS.name}'",
    "postgresql": f"SELECT 1 WHERE to_regclass('{ATTACHMENTS.name}') IS NOT NULL",
}
_FACTS = f"SELECT detail FROM {ATTACHMENTS.name} WHERE kind = '{JournalKind.HOST}'"
# Held until we have committed. One that somebody is deleting at this moment is skipped, not waited for.
_HELD = " FOR KEY SHARE SKIP LOCKED"


class _PoolId(NamedTuple):
    """``is_held``: nobody can take the host's row away before our transaction ends."""

    value: str | None
    is_held: bool


# What one transaction has found out: it stays so until its end. Attaching waits for that, and so does a DELETE.
_found: WeakKeyDictionary[RootTransaction, dict[str, _PoolId]] = WeakKeyDictionary()


def with_pool_id(connection: Connection, pool: str, write: Callable[[str | None], object]) -> None:
    """Call ``write`` with the value of ``pool_id`` for a pool, in a write transaction.

    That is the plan's id while our tables have no host; on an attached database the id that the host has, and None
    where it has none, or is just deleting it, or does not let us look.
    """
    transaction = connection.get_transaction()
    if transaction is None:
        raise StorageError("pool ids belong into a transaction", hint="this is a bug")
    known = _found.setdefault(transaction, {})
    if pool not in known:
        known[pool] = _look_up(connection, pool)
    if known[pool].is_held:
        write(known[pool].value)
        return
    try:
        with connection.begin_nested():
            write(known[pool].value)
    except DBAPIError as error:
        if _state(error) not in _HOSTS_OWN:
            raise
        _warn(pool, error)
        write(None)


def _look_up(connection: Connection, pool: str) -> _PoolId:
    if connection.exec_driver_sql(_IS_ATTACHED[connection.dialect.name]).first() is None:
        return _PoolId(host_pool_id(pool), is_held=True)
    detail = connection.exec_driver_sql(_FACTS).scalar()
    facts = msgspec.json.decode(detail or "{}", type=HostFacts)
    if not facts.has_text_ids:
        return _PoolId(None, is_held=True)
    if connection.dialect.name == "sqlite":
        return _PoolId(_host_id(connection, facts, pool), is_held=True)  # we hold the lock of the whole file
    try:
        with connection.begin_nested():
            return _PoolId(_host_id(connection, facts, pool, _HELD), is_held=True)
    except DBAPIError as error:
        if _state(error) not in _HOSTS_OWN:
            raise
        if _state(error) != _NO_RIGHT:
            _warn(pool, error)
            return _PoolId(None, is_held=True)
    return _PoolId(_only_read(connection, facts, pool), is_held=False)


def _only_read(connection: Connection, facts: HostFacts, pool: str) -> str | None:
    """A login that may read pools but not change them may not hold their rows either."""
    try:
        with connection.begin_nested():
            return _host_id(connection, facts, pool)
    except DBAPIError as error:
        if _state(error) not in _HOSTS_OWN:
            raise
        _warn(pool, error)
        return None


def _host_id(connection: Connection, facts: HostFacts, pool: str, lock: str = "") -> str | None:
    quote = connection.dialect.identifier_preparer.quote
    table = POOLS if facts.schema is None else f"{quote(facts.schema)}.{POOLS}"
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    wanted = (host_pool_id(pool), pool)  # as it is, and as it was before ids had a network
    query = f"SELECT id FROM {table} WHERE id IN ({mark}, {mark}){lock}"
    found = set(connection.exec_driver_sql(query, wanted).scalars())
    return next((one for one in wanted if one in found), None)


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _warn(pool: str, error: DBAPIError) -> None:
    _log.warning("pool without its id of the host", extra={"pool": pool, "reason": str(error.orig)})
