"""Where the collector goes on: the round over the new pools, and when each known pool is due."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, String, Table

from pumpswap.storage.columns import METADATA, exact, words

__all__ = ["COLLECT_CYCLES", "COLLECT_POOLS"]

COLLECT_CYCLES = Table(
    "pumpswap_collect_cycles",
    METADATA,
    Column("network", String, primary_key=True),
    exact("number"),
    exact("started_ns"),
    exact("next_page"),
    exact("finished_ns", nullable=True),
)

COLLECT_POOLS = Table(
    "pumpswap_collect_pools",
    METADATA,
    Column("pool_id", String, primary_key=True),
    words("network"),
    words("address"),
    Column("watched", Boolean, nullable=False),
    exact("first_seen_ns"),
    exact("snapshot_ns", nullable=True),
    exact("cycle"),  # the last one that has a snapshot of the pool; 0: none
    # Empty: not any more, or not at all.
    exact("snapshot_due_ns", nullable=True),
    exact("candles_due_ns", nullable=True),
    exact("trades_due_ns", nullable=True),
    exact("failures"),
    words("last_error"),
    Index(None, "network", "snapshot_due_ns"),
    Index(None, "network", "candles_due_ns"),
    Index(None, "network", "trades_due_ns"),
)
