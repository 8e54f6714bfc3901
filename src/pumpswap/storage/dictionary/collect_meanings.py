"""What the collector's own tables mean, column by column."""

from __future__ import annotations

from pumpswap.storage.dictionary.words import POOL, Meaning

__all__ = ["COLLECTING"]

COLLECTING: dict[str, Meaning] = {
    "pumpswap_collect_cycles": Meaning(
        "Where `pumpswap collect` is in its round over the new pools of a network; one row per network.",
        {
            "network": "the service's name of the network: `solana`",
            "number": "number of the round, counted from 1",
            "started_ns": "when the round began",
            "next_page": "first page of the round whose pools are not stored yet",
            "finished_ns": "when the round ended; empty while it runs, and after a crash in it",
        },
    ),
    "pumpswap_collect_pools": Meaning(
        "When each pool that `pumpswap collect` knows is looked at again. Written in one transaction with the rows of "
        "each look, so that a crash neither loses one nor repeats it.",
        {
            "pool_id": "the id of the pool in `pools`",
            "network": "the service's name of the network",
            "address": POOL,
            "watched": "whether it is on the watchlist, or was named with `--watch`",
            "first_seen_ns": "when the collector saw it first",
            "snapshot_ns": "time of the newest snapshot",
            "cycle": "number of the round in which that was taken; a round takes one snapshot of a pool",
            "snapshot_due_ns": "when the next snapshot is due; empty once the pool has been followed long enough",
            "candles_due_ns": "when its candles are due; empty while they are not collected",
            "trades_due_ns": "when its trades are due; empty while they are not collected",
            "failures": "how often in a row a look at it has failed",
            "last_error": "why the last one failed; empty when it did not",
        },
    ),
    "pumpswap_collected_tables": Meaning(
        "The host-like tables that `pumpswap collect` has made where there was no host, so that it never takes those "
        "of a host for its own. Only where it has made some. What they hold: [market data](market-data.md).",
        {"name": "name of the table", "created_ns": "when it was made"},
    ),
}
