"""Pair addresses as they are stored, and what becomes of those that the chain does not know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from pumpswap.storage.host import pairs
from pumpswap.storage.host.connect import LOCK_MS, changing, open_host
from pumpswap.storage.host.detach import attached_host
from pumpswap.storage.host.detect import Host
from pumpswap.storage.host.journal import Attachment, Journal, JournalKind

__all__ = ["StoredPair", "clear_pairs", "stored_pairs"]


@dataclass(frozen=True, slots=True)
class StoredPair:
    """``is_ours``: attach has filled it; otherwise somebody has written it into a column of his own."""

    pool_id: str
    address: str
    is_ours: bool


def stored_pairs(target: str | Path) -> list[StoredPair]:
    """Pair addresses of the PumpSwap pools, ordered by pool. Raises NotFound when the database is not attached."""
    with open_host(target, "reading pair addresses") as engine, engine.connect() as connection:
        return _stored(connection, attached_host(connection))


def clear_pairs(target: str | Path, pool_ids: Collection[str], at_ns: int, *, lock_ms: int = LOCK_MS) -> int:
    """Set back to NULL what attach has filled for these pools; it does not fill them again. Returns how many."""
    with (
        open_host(target, "emptying pair addresses", lock_ms=lock_ms) as engine,
        changing(engine, keep=True, lock_ms=lock_ms) as connection,
    ):
        host = attached_host(connection)
        journal = Journal(connection, at_ns)
        were_blank = {one.name for one in journal.entries(JournalKind.BLANK)}
        wrong = [
            Attachment(
                JournalKind.BLANK if one.pool_id in were_blank else JournalKind.VALUE,
                host.pools.name,
                one.pool_id,
                one.address,
            )
            for one in _stored(connection, host)
            if one.is_ours and one.pool_id in pool_ids
        ]
        refused = [Attachment(JournalKind.REFUSED, one.table, one.name, one.detail) for one in wrong]
        journal.add(*refused)
        return pairs.empty_again(connection, host, wrong)


def _stored(connection: Connection, host: Host) -> list[StoredPair]:
    if not host.pools.has(pairs.PAIR) or not host.pools.has("dex_id"):
        return []
    journal = Journal(connection)
    is_our_column = journal.has(Attachment(JournalKind.COLUMN, host.pools.name, pairs.PAIR))
    filled = {(one.name, one.detail) for one in journal.entries(JournalKind.VALUE, JournalKind.BLANK)}
    pools = pairs.pools_table(host)
    query = select(pools.c.id, pools.c[pairs.PAIR]).where(pairs.of_pumpswap(host, pools), pools.c[pairs.PAIR] != "")
    return [
        StoredPair(str(pool_id), str(address), is_our_column or (str(pool_id), address) in filled)
        for pool_id, address in connection.execute(query.order_by(pools.c.id))
    ]
