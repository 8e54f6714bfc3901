"""Pools with everything they stand on (account, mints, vaults), and wallets with money, for the practice chain."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig, Pool, PoolState
from pumpswap.amm.addresses import (
    AMM_FEE_CONFIG,
    AMM_PROGRAM,
    GLOBAL_CONFIG,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    USDC_MINT,
    WSOL_MINT,
    ata,
    lp_mint,
    pool_authority,
)
from pumpswap.chain.node import ChainAccount
from pumpswap.errors import NotFound, UsageError
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pool_kinds import PoolKind, QuoteKind, allowed_account_lengths, kind_named

__all__ = [
    "PoolSpec",
    "create_pool",
    "fund_tokens",
    "make_state",
    "pool_and_bump",
    "pool_state",
    "schedule_of",
    "token_account",
    "wallet",
    "wallet_key",
]

_CURRENT_LEN = 287
_LP_DECIMALS = 9
_OTHER_SPL_QUOTE = Pubkey.from_bytes(b"other quote mint of spl tokens  ")
_OTHER_2022_QUOTE = Pubkey.from_bytes(b"other quote mint of token-2022  ")
_QUOTES = {
    QuoteKind.WSOL: (WSOL_MINT, TOKEN_PROGRAM, 9),
    QuoteKind.USDC: (USDC_MINT, TOKEN_PROGRAM, 6),
    QuoteKind.OTHER_SPL: (_OTHER_SPL_QUOTE, TOKEN_PROGRAM, 6),
    QuoteKind.OTHER_TOKEN_2022: (_OTHER_2022_QUOTE, TOKEN_2022_PROGRAM, 6),
}


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What a pool is to be. Raw units; ``quote_lamports`` are units of whatever the kind's quote is.

    ``kind`` is a kind or its name (``graduate``, ``cashback``, ``mayhem``, ``permissionless``, ``canonical usdc`` …).
    ``base_supply`` decides the fee tier. ``account_len`` is one of the historic account lengths that hold the kind.
    """

    kind: PoolKind | str = "graduate"
    base_units: int = 206_900_000_000_000
    quote_lamports: int = 84_990_359_679
    base_supply: int = 1_000_000_000_000_000
    lp_units: int = 1_000_000_000
    base_program: Pubkey = TOKEN_PROGRAM
    account_len: int = 301

    @property
    def pool_kind(self) -> PoolKind:
        return self.kind if isinstance(self.kind, PoolKind) else kind_named(self.kind)


def create_pool(chain: LocalChain, spec: PoolSpec, rng: random.Random) -> PoolState:
    """Write a pool under fresh addresses, with its mints and vaults and the fee recipients' accounts of its quote.

    Raises NotFound without the program's GlobalConfig on the chain, UsageError for a length that cannot hold the kind.
    """
    if spec.account_len not in allowed_account_lengths(spec.pool_kind):
        raise UsageError(
            f"a pool account of {spec.account_len} bytes cannot be a {spec.pool_kind.name} pool",
            hint=f"one of {allowed_account_lengths(spec.pool_kind)}",
        )
    state = make_state(spec, rng, slot=chain.slot)
    pool = state.pool
    chain.set_account(ChainAccount(state.address, AMM_PROGRAM, chain.rent(pool.account_len), pool.encode()))
    sides = (
        (pool.base_mint, state.base_token_program, state.base_supply, state.base_decimals),
        (pool.quote_mint, state.quote_token_program, 2**63, state.quote_decimals),
    )
    for mint, program, supply, decimals in sides:
        if chain.account(mint) is None:
            chain.set_account(ChainAccount(mint, program, chain.rent(82), token_bytes.mint(supply, decimals)))
    # The Pump program burns what it gets for a graduate's liquidity; the pool goes on reckoning with all of it.
    lp_units = 0 if pool.is_canonical else pool.lp_supply
    lp_data = token_bytes.mint(lp_units, _LP_DECIMALS, authority=state.address)
    chain.set_account(ChainAccount(pool.lp_mint, TOKEN_2022_PROGRAM, chain.rent(82), lp_data))
    fund_tokens(chain, state.address, pool.base_mint, state.base_token_program, state.base_reserve)
    fund_tokens(chain, state.address, pool.quote_mint, state.quote_token_program, state.quote_vault)
    _write_recipients(chain, state)
    return state


def _write_recipients(chain: LocalChain, state: PoolState) -> None:
    # On mainnet these accounts have existed since long before the pool; a trader never pays for them.
    settings = schedule_of(chain).global_config
    recipients = settings.protocol_recipients(is_mayhem_mode=state.pool.is_mayhem_mode)
    for owner in (*recipients, *settings.buyback_fee_recipients):
        address = ata(owner, state.pool.quote_mint, state.quote_token_program)
        if owner != SYSTEM_PROGRAM and chain.account(address) is None:
            fund_tokens(chain, owner, state.pool.quote_mint, state.quote_token_program, 0)


def schedule_of(chain: LocalChain) -> FeeSchedule:
    """The fee schedule that the chain's settings accounts say. Raises NotFound without them."""
    config, fees = chain.account(GLOBAL_CONFIG), chain.account(AMM_FEE_CONFIG)
    if config is None or fees is None:
        raise NotFound("the chain has no PumpSwap settings", hint="load_programs first: pumpswap localnet pull")
    return FeeSchedule(GlobalConfig.decode(config.data), FeeConfig.decode(fees.data))


def make_state(spec: PoolSpec, rng: random.Random, *, slot: int = 0) -> PoolState:
    """A pool of this kind under fresh addresses; it is on no chain yet."""
    kind, base_program = spec.pool_kind, spec.base_program
    quote_mint, quote_program, quote_decimals = _QUOTES[kind.quote]
    base_mint, base_decimals = Pubkey.from_bytes(rng.randbytes(32)), 6
    if kind.wsol_base:
        # The coin is the quote here: the base side is wrapped SOL and nothing of it may be made up.
        base_mint, base_program, base_decimals, quote_mint = WSOL_MINT, TOKEN_PROGRAM, 9, base_mint
    creator = pool_authority(base_mint) if kind.canonical else Pubkey.from_bytes(rng.randbytes(32))
    address, bump = pool_and_bump(kind.index, creator, base_mint, quote_mint)
    pool = Pool(
        pool_bump=bump,
        index=kind.index,
        creator=creator,
        base_mint=base_mint,
        quote_mint=quote_mint,
        lp_mint=lp_mint(address),
        pool_base_token_account=ata(address, base_mint, base_program),
        pool_quote_token_account=ata(address, quote_mint, quote_program),
        lp_supply=spec.lp_units,
        coin_creator=Pubkey.from_bytes(rng.randbytes(32)) if kind.coin_creator else Pubkey.default(),
        is_mayhem_mode=kind.mayhem,
        is_cashback_coin=kind.cashback,
        account_len=spec.account_len,
        tail=bytes(max(spec.account_len - _CURRENT_LEN, 0)),
    )
    return PoolState(
        pool=pool,
        address=address,
        base_reserve=spec.base_units,
        quote_vault=spec.quote_lamports,
        base_supply=0 if kind.wsol_base else spec.base_supply,
        base_token_program=base_program,
        quote_token_program=quote_program,
        slot=slot,
        base_decimals=base_decimals,
        quote_decimals=quote_decimals,
    )


def pool_and_bump(index: int, creator: Pubkey, base_mint: Pubkey, quote_mint: Pubkey) -> tuple[Pubkey, int]:
    """Address of a pool and the bump that its account stores."""
    seeds = [b"pool", index.to_bytes(2, "little"), bytes(creator), bytes(base_mint), bytes(quote_mint)]
    return Pubkey.find_program_address(seeds, AMM_PROGRAM)


def pool_state(chain: LocalChain, old: PoolState) -> PoolState:
    """The pool as it is on the chain now: account, both vaults, supply. Raises NotFound when it is gone."""
    account = chain.account(old.address)
    if account is None:
        raise NotFound(f"there is no pool {old.address} on this chain", hint="create_pool first")
    pool = Pool.decode(account.data)
    return PoolState(
        pool=pool,
        address=old.address,
        base_reserve=_u64_at(chain, pool.pool_base_token_account, 64),
        quote_vault=_u64_at(chain, pool.pool_quote_token_account, 64),
        base_supply=_u64_at(chain, pool.base_mint, 36),
        base_token_program=old.base_token_program,
        quote_token_program=old.quote_token_program,
        slot=chain.slot,
        base_decimals=old.base_decimals,
        quote_decimals=old.quote_decimals,
    )


def _u64_at(chain: LocalChain, address: Pubkey, at: int) -> int:
    account = chain.account(address)
    return int.from_bytes(account.data[at : at + 8], "little") if account is not None else 0


def token_account(
    address: Pubkey, mint_and_program: tuple[Pubkey, Pubkey], owner: Pubkey, units: int, rent: Callable[[int], int]
) -> ChainAccount:
    """A token account with ``units``. Wrapped SOL is backed: its lamports are the rent reserve and the amount."""
    mint, program = mint_and_program
    if mint == WSOL_MINT:
        reserve = rent(token_bytes.SPL_ACCOUNT_LEN)
        data = token_bytes.token_account(mint, owner, units, native_reserve=reserve)
        return ChainAccount(address, program, reserve + units, data)
    is_2022 = program == TOKEN_2022_PROGRAM
    data = (token_bytes.token_2022_account if is_2022 else token_bytes.token_account)(mint, owner, units)
    return ChainAccount(address, program, rent(len(data)), data)


def fund_tokens(chain: LocalChain, owner: Pubkey, mint: Pubkey, program: Pubkey, units: int) -> Pubkey:
    """Set the owner's associated token account to hold ``units``; its address. The mint's supply is left alone."""
    address = ata(owner, mint, program)
    chain.set_account(token_account(address, (mint, program), owner, units, chain.rent))
    return address


def wallet_key(number: int, seed: int = 0) -> Keypair:
    """The practice wallet of this number: the same on every chain of the same seed."""
    return Keypair.from_seed(random.Random(f"practice wallet {seed} {number}").randbytes(32))


def wallet(chain: LocalChain, lamports: int) -> Keypair:
    """The chain's next practice wallet, with this much SOL."""
    number = 0
    while chain.account(wallet_key(number, chain.seed).pubkey()) is not None:
        number += 1
    key = wallet_key(number, chain.seed)
    chain.set_account(ChainAccount(key.pubkey(), SYSTEM_PROGRAM, lamports, b""))
    return key
