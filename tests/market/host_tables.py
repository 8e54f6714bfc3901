"""Small host databases for tests: tables as the host has them, with whatever a test wants to be different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.market.export_folder import CANDLE, MINT, POOL, SNAPSHOT, WSOL, trade
from tests.support.host_tables import insert_rows, run_script

Row = Mapping[str, str]

# Candles of the CSV tests have only what a replay needs.
CANDLE_ROW = CANDLE | {
    "datetime": "2025-10-03 16:42:00+00",
    "high_price": "0.00012",
    "low_price": "0.0001",
    "volume_usd": "17.5",
}
POOL_ROW = {
    "id": f"solana_{POOL}",
    "address": POOL,
    "name": "CAT / SOL",
    "dex_id": "pumpswap",
    "base_token_id": MINT,
    "quote_token_id": WSOL,
    "reserve_usd": "50000.25",
    "created_at": "2025-10-03 16:40:44+00",
}
SNAPSHOT_ROW = SNAPSHOT | {"collected_at": "2025-10-03 16:41:58.5+00", "pool_created_at": "2025-10-03 16:40:44+00"}
WATCHED_ROW = {"id": "1", "pool_id": f"solana_{POOL}", "network_address": MINT}
TRADE_ROW = trade("2025-10-03 16:42:10")

_LIKE: Mapping[str, Row] = {
    "pools": POOL_ROW,
    "new_pools_history": SNAPSHOT_ROW,
    "trades": TRADE_ROW,
    "ohlcv_data": CANDLE_ROW,
    "watchlist": WATCHED_ROW,
}
_TIMES = {"created_at", "collected_at", "pool_created_at", "datetime", "block_timestamp"}
_NUMBERS = {"from_token_amount", "to_token_amount", "signal_score", "reserve_usd"}
_NUMERIC_PARTS = ("price", "usd", "percentage")


def pool(**changes: str) -> dict[str, str]:
    return POOL_ROW | changes


def seen(**changes: str) -> dict[str, str]:
    return SNAPSHOT_ROW | changes


def candle(**changes: str) -> dict[str, str]:
    return CANDLE_ROW | changes


def traded(wall: str, side: str = "buy", **changes: str) -> dict[str, str]:
    """A trade whose label is right, as on a server whose zone is UTC."""
    row = trade(wall, side, **changes)
    return row | {"block_timestamp": row["block_timestamp"].replace("-06", "+00")}


def write_host(url: str, *, without: Sequence[str] = (), zones: bool = True, **rows: Sequence[Row]) -> str:
    """Make the host's tables, but those in ``without``, and fill them. ``zones``: PostgreSQL keeps time zones."""
    for table, like in _LIKE.items():
        if table not in without:
            create(url, table, like, zones=zones)
            insert_rows(url, table, rows.get(table, ()))
    return url


def create(url: str, table: str, like: Row, *, zones: bool = True, texts: bool = False) -> None:
    """One table with these columns; ``texts`` makes all of them texts, so that they hold anything."""
    columns = ", ".join(f'"{name}" {"TEXT" if texts else _type(url, name, zones)}' for name in like)
    run_script(url, f"CREATE TABLE {table} ({columns})")


def _type(url: str, column: str, zones: bool) -> str:
    if column in _TIMES:
        return "DATETIME" if url.startswith("sqlite") else "TIMESTAMPTZ" if zones else "TIMESTAMP"
    if column in ("timestamp", "block_number") or column.startswith("transactions_"):
        return "BIGINT"
    is_number = column in _NUMBERS or any(part in column for part in _NUMERIC_PARTS)
    return "NUMERIC" if is_number else "VARCHAR(255)"
