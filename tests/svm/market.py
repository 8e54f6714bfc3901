"""A pool on the practice chain with everything it stands on: account, mints, vaults."""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
)
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pool_kinds import PoolKind
from pumpswap.localnet.pools import PoolSpec, make_state, token_account
from tests.support.material import material
from tests.svm.chain import Chain, read_account

_RECORDED_MINT = "mint_token_2022.2026-08-10.24QHKVts.json"


class Reserves(NamedTuple):
    """Vault balances and supply of the base mint; the supply decides the fee tier."""

    base: int
    quote: int
    base_supply: int
    lp: int = 1_000_000_000


class Market:
    """One pool. ``state`` is what we believe, ``read`` what the chain says."""

    def __init__(self, kind: PoolKind, state: PoolState) -> None:
        self.kind = kind
        self.state = state

    @property
    def pool(self) -> Pool:
        return self.state.pool

    def write(self, chain: Chain) -> None:
        """Puts the pool account, both mints and both vaults on the chain."""
        state, pool = self.state, self.state.pool
        chain.write(state.address, AMM_PROGRAM, pool.encode())
        self.write_mints(chain)
        write_tokens(
            chain,
            pool.pool_base_token_account,
            pool.base_mint,
            state.address,
            state.base_reserve,
            state.base_token_program,
        )
        write_tokens(
            chain,
            pool.pool_quote_token_account,
            pool.quote_mint,
            state.address,
            state.quote_vault,
            state.quote_token_program,
        )

    def write_mints(self, chain: Chain) -> None:
        state, pool = self.state, self.state.pool
        # Real Token-2022 coins carry metadata in the mint; with that mint both layouts are exercised.
        with_metadata = state.base_token_program == TOKEN_2022_PROGRAM and bytes(pool.base_mint)[0] & 1
        data = _recorded_mint() if with_metadata else token_bytes.mint(0, state.base_decimals)
        if pool.base_mint != WSOL_MINT:
            data = data[:36] + state.base_supply.to_bytes(8, "little") + data[44:]
            chain.write(pool.base_mint, state.base_token_program, data)
        if pool.quote_mint != WSOL_MINT:
            chain.write(pool.quote_mint, state.quote_token_program, token_bytes.mint(2**63, state.quote_decimals))

    def read(self, chain: Chain) -> PoolState:
        """The state as a client would read it: pool account, vault balances, supply."""
        old = self.state
        account = chain.account(old.address)
        assert account is not None
        pool = Pool.decode(bytes(account.data))
        return PoolState(
            pool=pool,
            address=old.address,
            base_reserve=units_of(chain, pool.pool_base_token_account),
            quote_vault=units_of(chain, pool.pool_quote_token_account),
            base_supply=supply_of(chain, pool.base_mint),
            base_token_program=old.base_token_program,
            quote_token_program=old.quote_token_program,
            slot=old.slot,
            base_decimals=old.base_decimals,
            quote_decimals=old.quote_decimals,
        )


def make_market(
    kind: PoolKind,
    reserves: Reserves,
    rng: random.Random,
    *,
    base_program: Pubkey = TOKEN_PROGRAM,
    account_len: int = 301,
) -> Market:
    """A pool of ``kind`` under fresh addresses; it is on no chain yet."""
    spec = PoolSpec(kind, reserves.base, reserves.quote, reserves.base_supply, reserves.lp, base_program, account_len)
    return Market(kind, make_state(spec, rng))


def write_tokens(
    chain: Chain, address: Pubkey, mint: Pubkey, owner: Pubkey, units: int, program: Pubkey = TOKEN_PROGRAM
) -> None:
    """A token account with ``units``. Wrapped SOL is backed: its lamports are the rent reserve and the amount."""
    account = token_account(address, (mint, program), owner, units, chain.rent)
    chain.write(address, program, account.data, lamports=account.lamports)


def units_of(chain: Chain, address: Pubkey) -> int:
    """Token balance; 0 for an account that does not exist."""
    account = chain.account(address)
    return int.from_bytes(account.data[64:72], "little") if account is not None else 0


def supply_of(chain: Chain, mint: Pubkey) -> int:
    account = chain.account(mint)
    assert account is not None, f"mint {mint} is not on the chain"
    return int.from_bytes(account.data[36:44], "little")


@cache
def _recorded_mint() -> bytes:
    path = material("chain", "accounts", _RECORDED_MINT)
    assert path is not None
    account: Account = read_account(path)[1]
    return bytes(account.data)
