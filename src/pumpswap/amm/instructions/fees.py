"""Sweeps, creator fees, cashback, volume accumulators, boost (PROTOCOL 3.6 and 3.8)."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    ASSOCIATED_TOKEN_PROGRAM,
    GLOBAL_CONFIG,
    GLOBAL_VOLUME_ACCUMULATOR,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
    bonding_curve,
    boost_vault,
    boost_vault_authority,
    creator_vault_ata,
    creator_vault_authority,
    metadata,
    pump_creator_vault,
    user_volume_accumulator,
)
from pumpswap.amm.instructions.metas import READ, WRITE, WRITE_SIGN, amm_instruction, u64
from pumpswap.amm.state import PoolState

__all__ = [
    "boost_buy_and_burn",
    "claim_cashback",
    "claim_token_incentives",
    "close_user_volume_accumulator",
    "collect_coin_creator_fee",
    "init_user_volume_accumulator",
    "migrate_pool_coin_creator",
    "set_coin_creator",
    "sweep_creator_fee",
    "sweep_protocol_fee",
    "sync_user_volume_accumulator",
    "transfer_creator_fees_to_pump",
    "transfer_creator_fees_to_pump_v2",
]


def sweep_protocol_fee(state: PoolState, payer: Pubkey, recipient: Pubkey) -> Instruction:
    """Pays the pool's protocol bucket to a listed recipient (a reserved one for mayhem pools). Anyone may call it."""
    return _sweep("0830be07b644b7e5", state, payer, recipient)


def sweep_creator_fee(state: PoolState, payer: Pubkey) -> Instruction:
    """Pays the pool's creator bucket to the coin creator's vault. Anyone may call it."""
    return _sweep("20f6bf3408c949ba", state, payer, creator_vault_authority(state.pool.coin_creator))


def _sweep(discriminator: str, state: PoolState, payer: Pubkey, recipient: Pubkey) -> Instruction:
    pool = state.pool
    accounts = (
        (payer, WRITE_SIGN),
        (GLOBAL_CONFIG, READ),
        (state.address, WRITE),
        (pool.quote_mint, READ),
        (state.quote_token_program, READ),
        (pool.pool_quote_token_account, WRITE),
        (recipient, READ),
        (ata(recipient, pool.quote_mint, state.quote_token_program), WRITE),
        (SYSTEM_PROGRAM, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
    )
    return amm_instruction(discriminator, b"", accounts)


def collect_coin_creator_fee(
    coin_creator: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey, destination: Pubkey | None = None
) -> Instruction:
    """Pays a creator's vault to a token account of the creator. Neither account is created; sweep the pool first."""
    accounts = (
        (quote_mint, READ),
        (quote_token_program, READ),
        (coin_creator, READ),
        (creator_vault_authority(coin_creator), READ),
        (creator_vault_ata(coin_creator, quote_mint, quote_token_program), WRITE),
        (destination or ata(coin_creator, quote_mint, quote_token_program), WRITE),
    )
    return amm_instruction("a039592ab58b2b42", b"", accounts)


def transfer_creator_fees_to_pump(coin_creator: Pubkey) -> Instruction:
    """The older form, wrapped SOL only; does nothing below the rent of a token account."""
    accounts = (
        (WSOL_MINT, READ),
        (TOKEN_PROGRAM, READ),
        (SYSTEM_PROGRAM, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
        (coin_creator, READ),
        (creator_vault_authority(coin_creator), WRITE),
        (creator_vault_ata(coin_creator, WSOL_MINT, TOKEN_PROGRAM), WRITE),
        (pump_creator_vault(coin_creator), WRITE),
    )
    return amm_instruction("8b348655e4e56cf1", b"", accounts)


def transfer_creator_fees_to_pump_v2(
    payer: Pubkey, coin_creator: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey
) -> Instruction:
    """Moves a creator's AMM fees to the curve program's vault, any quote."""
    pump_vault = pump_creator_vault(coin_creator)
    accounts = (
        (payer, WRITE_SIGN),
        (quote_mint, READ),
        (quote_token_program, READ),
        (SYSTEM_PROGRAM, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
        (coin_creator, READ),
        (creator_vault_authority(coin_creator), WRITE),
        (creator_vault_ata(coin_creator, quote_mint, quote_token_program), WRITE),
        (pump_vault, WRITE),
        (ata(pump_vault, quote_mint, quote_token_program), WRITE),
    )
    return amm_instruction("01214eb921432c5c", b"", accounts)


def claim_cashback(
    user: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey, destination: Pubkey | None = None
) -> Instruction:
    """Pays the user's cashback; needs no signature of the user. The destination must exist."""
    accumulator = user_volume_accumulator(user)
    accounts = (
        (user, WRITE),
        (accumulator, WRITE),
        (quote_mint, READ),
        (quote_token_program, READ),
        (ata(accumulator, quote_mint, quote_token_program), WRITE),
        (destination or ata(user, quote_mint, quote_token_program), WRITE),
        (SYSTEM_PROGRAM, READ),
    )
    return amm_instruction("253a237ebe35e4c5", b"", accounts)


def claim_token_incentives(user: Pubkey, payer: Pubkey, mint: Pubkey, token_program: Pubkey) -> Instruction:
    """Claims incentive tokens (the programme is not running)."""
    accounts = (
        (user, READ),
        (ata(user, mint, token_program), WRITE),
        (GLOBAL_VOLUME_ACCUMULATOR, READ),
        (ata(GLOBAL_VOLUME_ACCUMULATOR, mint, token_program), WRITE),
        (user_volume_accumulator(user), WRITE),
        (mint, READ),
        (token_program, READ),
        (SYSTEM_PROGRAM, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
    )
    return amm_instruction("1004471ccc01281b", b"", accounts, ((payer, WRITE_SIGN),))


def sync_user_volume_accumulator(user: Pubkey) -> Instruction:
    """Brings a user's accumulator up to date."""
    accounts = ((user, READ), (GLOBAL_VOLUME_ACCUMULATOR, READ), (user_volume_accumulator(user), WRITE))
    return amm_instruction("561fc057a3574fee", b"", accounts)


def init_user_volume_accumulator(user: Pubkey, payer: Pubkey) -> Instruction:
    """Creates a user's accumulator at the payer's cost; the first buy does it too."""
    accounts = ((payer, WRITE_SIGN), (user, READ), (user_volume_accumulator(user), WRITE), (SYSTEM_PROGRAM, READ))
    return amm_instruction("5e06ca73ff60e8b7", b"", accounts)


def close_user_volume_accumulator(user: Pubkey) -> Instruction:
    """Closes a user's accumulator; the rent returns to the user."""
    return amm_instruction("f945a4da9667548a", b"", ((user, WRITE_SIGN), (user_volume_accumulator(user), WRITE)))


def set_coin_creator(pool: Pubkey, base_mint: Pubkey) -> Instruction:
    """Takes the coin creator over from the bonding curve or the metadata."""
    return amm_instruction(
        "d295802dbc3a4eaf", b"", ((pool, WRITE), (metadata(base_mint), READ), (bonding_curve(base_mint), READ))
    )


def migrate_pool_coin_creator(pool: Pubkey, sharing_config: Pubkey) -> Instruction:
    """Hands the creator fees to a sharing config (called by the fee program)."""
    return amm_instruction("d0089f044aaf103a", b"", ((pool, WRITE), (sharing_config, READ)))


def boost_buy_and_burn(state: PoolState, authority: Pubkey, quote_in: int, min_burned: int) -> Instruction:
    """Spends the boost vault; only the boost authority may."""
    pool = state.pool
    accounts = (
        (state.address, READ),
        (authority, WRITE_SIGN),
        (GLOBAL_CONFIG, READ),
        (pool.base_mint, WRITE),
        (pool.quote_mint, READ),
        (pool.pool_base_token_account, WRITE),
        (pool.pool_quote_token_account, WRITE),
        (boost_vault_authority(state.address), READ),
        (boost_vault(state.address, pool.quote_mint, state.quote_token_program), WRITE),
        (state.base_token_program, READ),
        (state.quote_token_program, READ),
    )
    return amm_instruction("694406af000723a2", u64(quote_in, min_burned), accounts)
