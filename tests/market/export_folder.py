"""Small host exports for tests: rows as the host writes them, with whatever a test wants to be different."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import canonical_pool

WSOL = "So11111111111111111111111111111111111111112"
MINT = "ExfkY8EwGfNkJWns2CApCGa6PsQYuJiM6NudRcFNpump"
POOL = str(canonical_pool(Pubkey.from_string(MINT)))  # Cnd9CK…, the pool of the recorded tape
OTHER_POOL = "FcgExnc1FEvmESEYZMNVRevvbmH6aSbuY23mc7ugaQ9W"

SNAPSHOT = {
    "id": "1",
    "pool_id": f"solana_{POOL}",
    "type": "pool",
    "name": "CAT / SOL",
    "base_token_price_usd": "0.0001",
    "base_token_price_native_currency": "4E-07",
    "quote_token_price_usd": "250",
    "quote_token_price_native_currency": "1",
    "address": POOL,
    "reserve_in_usd": "50000",
    "pool_created_at": "10/3/2025 11:40",
    "price_change_percentage_h1": "0.087",
    "price_change_percentage_h24": "0.087",
    "transactions_h1_buys": "2",
    "transactions_h1_sells": "0",
    "transactions_h24_buys": "2",
    "transactions_h24_sells": "0",
    "volume_usd_h24": "1224.2406",
    "dex_id": "pumpswap",
    "base_token_id": MINT,
    "quote_token_id": WSOL,
    "collected_at": "2025-10-03 10:41:58.5-06",
    "signal_score": "18.7204",
}
TIMES = {"id": "1", "pool_created_at_utc": "2025-10-03T16:40:44Z", "collected_at_utc": "2025-10-03T16:41:58.5Z"}
CANDLE = {
    "id": "7",
    "pool_id": f"solana_{POOL}",
    "timeframe": "1m",
    "timestamp": "1759509720",  # 2025-10-03 16:42:00
    "open_price": "0.0001",
    "close_price": "0.00012",
}


def snapshot(**changes: str) -> dict[str, str]:
    return SNAPSHOT | changes


def trade(wall: str, side: str = "buy", *, sol: str = "2", token: str = "5000000", **changes: str) -> dict[str, str]:
    """A trade at a wall clock that is UTC under a wrong label, with SOL at 250 USD, fetched five seconds later."""
    late = int(datetime.fromisoformat(wall).replace(tzinfo=UTC).timestamp()) + 5
    usd = float(sol) * 250
    paid, received = (sol, token) if side == "buy" else (token, sol)
    row = {
        "id": f"solana_370896831_tx{wall[-2:]}{side}_41_{late}",
        "pool_id": f"solana_{POOL}",
        "block_number": "370896831",
        "tx_hash": f"tx{wall[-8:]}{side}{sol}",
        "tx_from_address": "trader",
        "from_token_amount": paid,
        "to_token_amount": received,
        "price_usd": "250" if side == "buy" else f"{usd / float(token):.8f}",
        "volume_usd": f"{usd:.2f}",
        "side": side,
        "block_timestamp": f"{wall}-06",
        "metadata_json": "{}",
    }
    return row | changes


def later(wall: str, seconds: int) -> str:
    return (datetime.fromisoformat(wall) + timedelta(seconds=seconds)).isoformat(sep=" ")


def write_csv(path: Path, rows: list[dict[str, str]], like: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(like))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_export(
    folder: Path,
    snapshots: list[dict[str, str]],
    trades: list[dict[str, str]] | None = None,
    candles: list[dict[str, str]] | None = None,
    times: list[dict[str, str]] | None = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "new_pools_history.csv", snapshots, SNAPSHOT)
    write_csv(folder / "trades.csv", trades or [], trade("2025-10-03 16:42:10"))
    write_csv(folder / "ohlcv_data.csv", candles or [], CANDLE)
    if times is not None:
        write_csv(folder / "new_pools_collected_at.csv", times, TIMES)
    return folder
