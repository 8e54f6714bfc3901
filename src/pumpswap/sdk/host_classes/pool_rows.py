"""A pool as a host's code has it, as a state that exact quotes are made on; or one sentence why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT, canonical_pool
from pumpswap.errors import BadInput
from pumpswap.market.rebuild import ASSUMED_SUPPLY, BASE_DECIMALS, QUOTE_DECIMALS, pool_of
from pumpswap.sdk.executor.values import number_of
from pumpswap.units import LAMPORTS_PER_SOL, U64_MAX

__all__ = ["state_of"]

_EXACT = ("base_reserve_units", "quote_vault_units", "virtual_quote_units", "real_quote_units")
_QUOTE_KEYS = ("quote_mint", "quote_token_address", "quote_token_id")
_NOT_IN_SOL = "the pool is not priced in SOL"
_LIKE_A_GRADUATE = 206_900_000_000_000  # base units: decides the fee tier only, where the row tells no price


def state_of(pool: object) -> PoolState | str:
    """``pool`` is a PoolState, what ``get_pool_data`` returns, or a row with ``reserve_sol``, or with
    ``reserve_in_usd`` and the row's own price of SOL. A row is an estimate; both of its sides are never counted.
    """
    if isinstance(pool, PoolState):
        return pool if pool.pool.quote_mint == WSOL_MINT else _NOT_IN_SOL
    if not isinstance(pool, Mapping):
        return "there are no data of the pool"
    if not _is_in_sol(pool):
        return _NOT_IN_SOL
    try:
        if all(isinstance(pool.get(key), int) for key in _EXACT):
            return _exact(pool)
        return _estimated(pool)
    except BadInput as wrong:
        return wrong.what
    except (ValueError, OverflowError):
        return "the figures of the pool are no reserves"


def _is_in_sol(pool: Mapping[str, object]) -> bool:
    """Whether nothing in the row says that the pool is priced in anything else."""
    for name in _QUOTE_KEYS:
        stated = pool.get(name)
        if stated not in (None, "") and str(stated).rpartition("_")[2] != str(WSOL_MINT):
            return False
    symbol = pool.get("quote_token_symbol")
    if isinstance(symbol, str) and symbol.strip() and symbol.strip().upper() not in ("SOL", "WSOL"):
        return False
    return pool.get("quote_decimals") in (None, "", QUOTE_DECIMALS)


def _exact(pool: Mapping[str, object]) -> PoolState:
    base, vault, virtual, real = (int(str(pool[key])) for key in _EXACT)
    mint = _key(pool, "base_mint", "mint_address")
    address = _key(pool, "pair_address") or canonical_pool(mint or Pubkey.default())
    account = pool_of(address, mint or Pubkey.default(), canonical=pool.get("is_canonical") is not False)
    account = account.with_changes(virtual_quote_reserves=virtual, protocol_fees=max(vault - real, 0))
    decimals, slot = pool.get("base_decimals"), pool.get("slot")
    return PoolState(
        pool=account,
        address=address,
        base_reserve=base,
        quote_vault=vault,
        base_supply=ASSUMED_SUPPLY,
        base_decimals=decimals if isinstance(decimals, int) else BASE_DECIMALS,
        slot=slot if isinstance(slot, int) else 0,
    )


def _estimated(pool: Mapping[str, object]) -> PoolState | str:
    depth = _depth_sol(pool)
    if isinstance(depth, str):
        return depth
    quote = int(depth * LAMPORTS_PER_SOL)
    price = number_of(pool, "price") or number_of(pool, "base_token_price_native_currency")
    tokens = number_of(pool, "reserve_token")
    if tokens:
        base = int(Decimal(str(tokens)) * 10**BASE_DECIMALS)
    else:
        base = int(depth / Decimal(str(price)) * 10**BASE_DECIMALS) if price else _LIKE_A_GRADUATE
    if not (0 < quote <= U64_MAX and 0 < base <= U64_MAX):
        return "the pool holds nothing" if quote == 0 else "the figures of the pool are no reserves"
    mint = _key(pool, "base_mint", "mint_address", "base_token_address") or Pubkey.default()
    address = _key(pool, "pair_address") or canonical_pool(mint)
    state = PoolState(
        pool=pool_of(address, mint), address=address, base_reserve=base, quote_vault=quote, base_supply=ASSUMED_SUPPLY
    )
    return msgspec.structs.replace(state, base_decimals=BASE_DECIMALS, quote_decimals=QUOTE_DECIMALS)


def _depth_sol(pool: Mapping[str, object]) -> Decimal | str:
    """The SOL side of the pool."""
    row = pool
    stated = number_of(row, "reserve_sol")
    if stated is not None:
        return Decimal(str(stated)) if stated >= 0 else "the reserve is negative"
    both, sol_usd = number_of(row, "reserve_in_usd"), number_of(row, "quote_token_price_usd")
    if both is None:
        return "the row tells no reserve"
    if sol_usd is None or sol_usd <= 0:
        return "the reserve is in USD, and the row does not tell the price of SOL"
    return max(Decimal(str(both)) / 2 / Decimal(str(sol_usd)), Decimal(0))


def _key(pool: Mapping[str, object], *names: str) -> Pubkey | None:
    for name in names:
        value = pool.get(name)
        if isinstance(value, str) and value:
            return Pubkey.from_string(value.rpartition("_")[2])
    return None
