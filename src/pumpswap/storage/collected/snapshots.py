"""Rows of new_pools_history: one snapshot of a pool with its score, and the history that the score needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from pumpswap.model.collected import PoolScore, SeenPool
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.storage.collected.rows import insert_new, moment
from pumpswap.storage.collected.shape import TableShape

__all__ = ["history_of", "snapshot_row", "store_snapshots"]


def history_of(
    connection: Connection, shape: TableShape, pool_ids: Sequence[str], since_ns: int
) -> dict[str, list[dict[str, Any]]]:
    """Stored figures of pools since a moment, newest first, as the host's ``get_pool_history`` gives them."""
    found: dict[str, list[dict[str, Any]]] = {}
    table = shape.light("pool_id", "collected_at", *METRIC_KEYS)
    collected = shape.columns["collected_at"]
    since = shape.fitted({"pool_id": "", "collected_at": moment(since_ns)})[collected.name]
    query = (
        select(*(table.c[name] for name in ("pool_id", *METRIC_KEYS) if name in table.c))
        .where(table.c.pool_id.in_(pool_ids), table.c.collected_at >= bindparam("since", since, type_=collected.type))
        .order_by(table.c.collected_at.desc())
    )
    for pool_id, *figures in connection.execute(query):
        names = (name for name in METRIC_KEYS if name in table.c)
        row = {name: 0 if value is None else value for name, value in zip(names, figures, strict=True)}
        found.setdefault(pool_id, []).append(row)
    return found


def snapshot_row(shape: TableShape, pool: SeenPool, pool_id: str, score: PoolScore) -> dict[str, Any]:
    """The row of a snapshot. Raises Unfit."""
    values: dict[str, Any] = {
        "pool_id": pool_id,
        "type": "pool",
        "name": pool.name or None,
        "base_token_price_usd": pool.base_price_usd,
        "base_token_price_native_currency": pool.base_price_native,
        "quote_token_price_usd": pool.quote_price_usd,
        "quote_token_price_native_currency": pool.quote_price_native,
        "address": pool.address,
        "pool_created_at": moment(pool.created_ns),
        "fdv_usd": pool.fdv_usd,
        "market_cap_usd": pool.market_cap_usd,
        "dex_id": pool.dex,
        "base_token_id": pool.base.address if pool.base else None,
        "quote_token_id": pool.quote.address if pool.quote else None,
        "network_id": pool.network,
        "collected_at": moment(pool.at_ns),
        **pool.metrics,
        **score.columns,
    }
    return shape.fitted(values)


def store_snapshots(connection: Connection, shape: TableShape, rows: list[dict[str, Any]]) -> None:
    """Insert rows of ``snapshot_row``."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(row)
    for batch in by_columns.values():
        insert_new(connection, shape, batch)
