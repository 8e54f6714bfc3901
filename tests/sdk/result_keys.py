"""The keys that callers of the SDK rely on: what a pool and a trade are told with, at least."""

from __future__ import annotations

__all__ = ["POOL_KEYS", "TRADE_KEYS"]

TRADE_KEYS = {
    "status", "success", "message", "data", "transaction_hash", "tx_id", "sol_amount", "sol_received", "token_amount",
    "tokens_received", "price", "actual_price", "price_per_token", "gas_used",
}  # fmt: skip
POOL_KEYS = {
    "mint_address", "pair_address", "base_mint", "quote_mint", "base_decimals", "quote_decimals", "reserve_sol",
    "reserve_token", "liquidity", "reserve_in_usd", "price", "volume_24h", "lp_supply", "coin_creator", "slot",
}  # fmt: skip
