"""Rows of a collector, written one after the other as it does."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.storage.collected import open_collected

GOOD = {
    "volume_usd_h24": "200000",
    "reserve_in_usd": "90000",
    "price_change_percentage_h1": "40",
    "price_change_percentage_h24": "60",
    "transactions_h1_buys": 300,
    "transactions_h1_sells": 20,
    "transactions_h24_buys": 900,
    "transactions_h24_sells": 300,
}


@dataclass(frozen=True)
class CollectorFile:
    """A SQLite file with the collector's tables."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> CollectorFile:
        with open_collected(path, 1):
            return cls(path)

    def add(self, pool: str, mint: str, at_ns: int, *, number: int | None = None, **changes: Any) -> None:
        """One snapshot that scores well, unless ``changes`` say otherwise."""
        row = {
            "pool_id": f"solana_{pool}",
            "type": "pool",
            "name": "COIN / SOL",
            "address": pool,
            "dex_id": "pumpswap",
            "base_token_id": mint,
            "quote_token_id": str(WSOL_MINT),
            "network_id": "solana",
            "collected_at": f"{format_utc(at_ns)}.{at_ns % NS_PER_SECOND // 1_000:06d}",
            **GOOD,
            **changes,
        }
        if number is not None:
            row["id"] = number
        marks = ", ".join("?" * len(row))
        with sqlite3.connect(self.path) as connection:
            connection.execute(f"INSERT INTO new_pools_history ({', '.join(row)}) VALUES ({marks})", [*row.values()])
        connection.close()

    def add_state(self, state: PoolState, at_ns: int, **changes: Any) -> None:
        """The same about a pool whose state is known."""
        self.add(str(state.address), str(state.pool.base_mint), at_ns, **changes)
