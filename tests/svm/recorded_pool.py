"""Recorded pool accounts of mainnet, put on the practice chain byte for byte."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import AMM_PROGRAM, WSOL_MINT
from pumpswap.localnet.pool_kinds import PoolKind
from tests.support.material import material
from tests.svm.chain import Chain, read_account
from tests.svm.market import Market

# What was not recorded: a graduate's reserves, or those of a pool with some SOL in it.
_UNKNOWN_COINS, _UNKNOWN_SOL = 206_900_000_000_000, 84_990_359_057
_FULL_SUPPLY = 10**15


class RecordedPool:
    """One recorded account with its vaults, which hold what they held where that is known."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name = entry["file"]
        path = material("chain", "accounts", self.name)
        assert path is not None
        address, account = read_account(path)
        self.data = bytes(account.data)
        self.recorded = self._state(address, entry)

    @property
    def market(self) -> Market:
        """The pool as the build of June prices it: it ignores virtual reserves, so the vault holds them."""
        state = self.recorded
        pool = state.pool.with_changes(virtual_quote_reserves=0, protocol_fees=0, creator_fees=0)
        return Market(
            PoolKind(self.name, coin_creator=pool.has_coin_creator, canonical=pool.is_canonical),
            PoolState(
                pool=pool,
                address=state.address,
                base_reserve=state.base_reserve,
                quote_vault=state.effective_quote_reserve,
                base_supply=state.base_supply,
                base_token_program=state.base_token_program,
                quote_token_program=state.quote_token_program,
            ),
        )

    def write(self, chain: Chain) -> Market:
        """The market on the chain, and then the recorded bytes in place of the pool account."""
        market = self.market
        market.write(chain)
        chain.write(market.state.address, AMM_PROGRAM, self.data)
        return market

    def _state(self, address: Pubkey, entry: dict[str, Any]) -> PoolState:
        pool, vaults = Pool.decode(self.data), entry["vaults"]
        assert str(pool.pool_base_token_account) == vaults["base"]["pubkey"]
        assert str(pool.pool_quote_token_account) == vaults["quote"]["pubkey"]
        base_unknown, quote_unknown = _UNKNOWN_COINS, _UNKNOWN_SOL
        if pool.base_mint == WSOL_MINT:
            base_unknown, quote_unknown = quote_unknown, base_unknown
        return PoolState(
            pool=pool,
            address=address,
            base_reserve=vaults["base"]["amount"] or base_unknown,
            quote_vault=vaults["quote"]["amount"] or quote_unknown,
            base_supply=entry.get("base_mint_supply") or (0 if pool.base_mint == WSOL_MINT else _FULL_SUPPLY),
            base_token_program=Pubkey.from_string(vaults["base"]["token_program"]),
            quote_token_program=Pubkey.from_string(vaults["quote"]["token_program"]),
        )


@cache
def recorded_pool_entries() -> tuple[dict[str, Any], ...]:
    """Index entries of all recorded pools; empty when the material is not here."""
    path = material("chain", "accounts", "index.json")
    entries = json.loads(path.read_text()) if path is not None else []
    return tuple(entry for entry in entries if entry["kind"] == "pool")
