"""Programs, fixed and derived addresses (PROTOCOL section 1). Derivations are cached: they cost 10 µs each."""

from __future__ import annotations

from functools import lru_cache

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

__all__ = [
    "AMM_EVENT_AUTHORITY",
    "AMM_FEE_CONFIG",
    "AMM_PROGRAM",
    "ASSOCIATED_TOKEN_PROGRAM",
    "COMPUTE_BUDGET_PROGRAM",
    "FEES_PROGRAM",
    "GLOBAL_CONFIG",
    "GLOBAL_VOLUME_ACCUMULATOR",
    "MAYHEM_PROGRAM",
    "NATIVE_MINT_2022",
    "PUMP_EVENT_AUTHORITY",
    "PUMP_FEE_CONFIG",
    "PUMP_GLOBAL",
    "PUMP_PROGRAM",
    "SYSTEM_PROGRAM",
    "TOKEN_2022_PROGRAM",
    "TOKEN_PROGRAM",
    "USDC_MINT",
    "WSOL_MINT",
    "ata",
    "bonding_curve",
    "boost_vault",
    "boost_vault_authority",
    "canonical_pool",
    "creator_vault_ata",
    "creator_vault_authority",
    "fee_config",
    "lp_mint",
    "metadata",
    "pool_address",
    "pool_authority",
    "pool_v2",
    "pump_creator_vault",
    "pump_holder_rewards",
    "pump_quote_control",
    "pump_user_volume_accumulator",
    "sharing_config",
    "user_volume_accumulator",
]

AMM_PROGRAM = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
PUMP_PROGRAM = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
FEES_PROGRAM = Pubkey.from_string("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ")
MAYHEM_PROGRAM = Pubkey.from_string("MAyhSmzXzV1pTf7LsNkrNwkWKTo4ougAJ1PPg47MD4e")
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM_PROGRAM = Pubkey.default()
COMPUTE_BUDGET_PROGRAM = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
METADATA_PROGRAM = Pubkey.from_string("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s")
WSOL_MINT = Pubkey.from_string("So11111111111111111111111111111111111111112")
NATIVE_MINT_2022 = Pubkey.from_string("9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXejP")
USDC_MINT = Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")

_CACHE = 65_536


@lru_cache(_CACHE)
def _pda(program: Pubkey, *seeds: bytes) -> Pubkey:
    return Pubkey.find_program_address(list(seeds), program)[0]


@lru_cache(_CACHE)
def ata(owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Pubkey:
    """Associated token account; ``token_program`` is the owner of the mint (another one gives a wrong address)."""
    return get_associated_token_address(owner, mint, token_program)


def pool_address(index: int, creator: Pubkey, base_mint: Pubkey, quote_mint: Pubkey) -> Pubkey:
    """Pool of these mints made by ``creator`` under ``index``."""
    return _pda(AMM_PROGRAM, b"pool", index.to_bytes(2, "little"), bytes(creator), bytes(base_mint), bytes(quote_mint))


def pool_authority(base_mint: Pubkey) -> Pubkey:
    """Creator of every canonical pool of a coin (an address of the Pump program)."""
    return _pda(PUMP_PROGRAM, b"pool-authority", bytes(base_mint))


def canonical_pool(base_mint: Pubkey, quote_mint: Pubkey = WSOL_MINT) -> Pubkey:
    """The one pool a graduated coin trades in (PROTOCOL 1.3); the zero key as quote means SOL, as on a curve."""
    quote = WSOL_MINT if quote_mint == SYSTEM_PROGRAM else quote_mint
    return pool_address(0, pool_authority(base_mint), base_mint, quote)


def lp_mint(pool: Pubkey) -> Pubkey:
    """LP mint of a pool; always Token-2022, 9 decimals."""
    return _pda(AMM_PROGRAM, b"pool_lp_mint", bytes(pool))


def user_volume_accumulator(user: Pubkey) -> Pubkey:
    """The AMM's volume accumulator of a user (also the owner of its cashback accounts)."""
    return _pda(AMM_PROGRAM, b"user_volume_accumulator", bytes(user))


def creator_vault_authority(coin_creator: Pubkey) -> Pubkey:
    """Owner of a coin creator's fee vaults."""
    return _pda(AMM_PROGRAM, b"creator_vault", bytes(coin_creator))


def creator_vault_ata(coin_creator: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey) -> Pubkey:
    """Fee vault of a coin creator in one quote token."""
    return ata(creator_vault_authority(coin_creator), quote_mint, quote_token_program)


def pool_v2(base_mint: Pubkey) -> Pubkey:
    """Marker account of the v1 tail (PROTOCOL 3.3); it need not exist."""
    return _pda(AMM_PROGRAM, b"pool-v2", bytes(base_mint))


def boost_vault_authority(pool: Pubkey) -> Pubkey:
    """Owner of a pool's boost vault."""
    return _pda(AMM_PROGRAM, b"boost_vault", bytes(pool))


def boost_vault(pool: Pubkey, quote_mint: Pubkey, quote_token_program: Pubkey) -> Pubkey:
    """Token account that holds a boosted pool's 20.69 %."""
    return ata(boost_vault_authority(pool), quote_mint, quote_token_program)


def fee_config(program: Pubkey) -> Pubkey:
    """FeeConfig account that the Pump-Fees program keeps for ``program``."""
    return _pda(FEES_PROGRAM, b"fee_config", bytes(program))


def sharing_config(base_mint: Pubkey) -> Pubkey:
    """Account that shares a coin's creator fees."""
    return _pda(FEES_PROGRAM, b"sharing-config", bytes(base_mint))


def bonding_curve(base_mint: Pubkey) -> Pubkey:
    """Bonding curve of a coin."""
    return _pda(PUMP_PROGRAM, b"bonding-curve", bytes(base_mint))


def pump_creator_vault(creator: Pubkey) -> Pubkey:
    """The curve program's creator vault (hyphen, not underscore)."""
    return _pda(PUMP_PROGRAM, b"creator-vault", bytes(creator))


def pump_holder_rewards(base_mint: Pubkey) -> Pubkey:
    """Owner of the creator fees of a holder-reward coin."""
    return _pda(PUMP_PROGRAM, b"holder-rewards", bytes(base_mint))


def pump_quote_control() -> Pubkey:
    """The curve program's list of quote mints."""
    return _pda(PUMP_PROGRAM, b"quote-control")


def pump_user_volume_accumulator(user: Pubkey) -> Pubkey:
    """The curve program's volume accumulator of a user."""
    return _pda(PUMP_PROGRAM, b"user_volume_accumulator", bytes(user))


def metadata(mint: Pubkey) -> Pubkey:
    """Metaplex metadata account of a mint."""
    return _pda(METADATA_PROGRAM, b"metadata", bytes(METADATA_PROGRAM), bytes(mint))


GLOBAL_CONFIG = _pda(AMM_PROGRAM, b"global_config")
AMM_EVENT_AUTHORITY = _pda(AMM_PROGRAM, b"__event_authority")
GLOBAL_VOLUME_ACCUMULATOR = _pda(AMM_PROGRAM, b"global_volume_accumulator")
AMM_FEE_CONFIG = fee_config(AMM_PROGRAM)
PUMP_FEE_CONFIG = fee_config(PUMP_PROGRAM)
PUMP_GLOBAL = _pda(PUMP_PROGRAM, b"global")
PUMP_EVENT_AUTHORITY = _pda(PUMP_PROGRAM, b"__event_authority")
