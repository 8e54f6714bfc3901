"""What happens to pools besides trades (PROTOCOL 5.3 and 2.7)."""

from __future__ import annotations

from pumpswap.amm.addresses import PUMP_PROGRAM
from pumpswap.amm.codec import I64, U8, U16, U64, ZERO_KEY, Flag, Key
from pumpswap.amm.events.event import Event

__all__ = [
    "CompletePumpAmmMigrationEvent",
    "CreatePoolEvent",
    "DepositEvent",
    "ExtendAccountEvent",
    "WithdrawEvent",
]


class CreatePoolEvent(Event, frozen=True):
    """A new pool. Reserves start at ``pool_base_amount`` and ``pool_quote_amount``, which may be far from any fixed
    opening price (2.7). Payload: 293 bytes at launch, 336 since 2026-09-12.
    """

    DISCRIMINATOR = bytes.fromhex("b1310cd2a076a774")

    timestamp: I64 = 0
    index: U16 = 0
    creator: Key = ZERO_KEY
    base_mint: Key = ZERO_KEY
    quote_mint: Key = ZERO_KEY
    base_mint_decimals: U8 = 0
    quote_mint_decimals: U8 = 0
    base_amount_in: U64 = 0
    quote_amount_in: U64 = 0
    pool_base_amount: U64 = 0
    pool_quote_amount: U64 = 0
    minimum_liquidity: U64 = 0
    initial_liquidity: U64 = 0
    lp_token_amount_out: U64 = 0
    pool_bump: U8 = 0
    pool: Key = ZERO_KEY
    lp_mint: Key = ZERO_KEY
    user_base_token_account: Key = ZERO_KEY
    user_quote_token_account: Key = ZERO_KEY
    coin_creator: Key = ZERO_KEY
    is_mayhem_mode: Flag = False
    creator_fee_bps: U64 = 0
    can_edit_creator_fee: Flag = False
    is_holder_reward: Flag = False


class DepositEvent(Event, frozen=True):
    """Liquidity added. Reserves and ``lp_mint_supply`` are those before the deposit."""

    DISCRIMINATOR = bytes.fromhex("78f83d531f8e6b90")

    timestamp: I64 = 0
    lp_token_amount_out: U64 = 0
    max_base_amount_in: U64 = 0
    max_quote_amount_in: U64 = 0
    user_base_token_reserves: U64 = 0
    user_quote_token_reserves: U64 = 0
    pool_base_token_reserves: U64 = 0
    pool_quote_token_reserves: U64 = 0
    base_amount_in: U64 = 0
    quote_amount_in: U64 = 0
    lp_mint_supply: U64 = 0
    pool: Key = ZERO_KEY
    user: Key = ZERO_KEY
    user_base_token_account: Key = ZERO_KEY
    user_quote_token_account: Key = ZERO_KEY
    user_pool_token_account: Key = ZERO_KEY


class WithdrawEvent(Event, frozen=True):
    """Liquidity removed. Reserves and ``lp_mint_supply`` are those before the withdrawal."""

    DISCRIMINATOR = bytes.fromhex("1609851aa02c47c0")

    timestamp: I64 = 0
    lp_token_amount_in: U64 = 0
    min_base_amount_out: U64 = 0
    min_quote_amount_out: U64 = 0
    user_base_token_reserves: U64 = 0
    user_quote_token_reserves: U64 = 0
    pool_base_token_reserves: U64 = 0
    pool_quote_token_reserves: U64 = 0
    base_amount_out: U64 = 0
    quote_amount_out: U64 = 0
    lp_mint_supply: U64 = 0
    pool: Key = ZERO_KEY
    user: Key = ZERO_KEY
    user_base_token_account: Key = ZERO_KEY
    user_quote_token_account: Key = ZERO_KEY
    user_pool_token_account: Key = ZERO_KEY


class ExtendAccountEvent(Event, frozen=True):
    """An account grew to the layout of the day; not only pools do."""

    DISCRIMINATOR = bytes.fromhex("6161d7905d92167c")

    timestamp: I64 = 0
    account: Key = ZERO_KEY
    user: Key = ZERO_KEY
    current_size: U64 = 0
    new_size: U64 = 0


class CompletePumpAmmMigrationEvent(Event, frozen=True):
    """A coin has graduated: the last word of the Pump program before the pool lives on its own (2.7).

    ``sol_amount`` is the quote amount, whatever the quote mint is; a zero ``quote_mint`` (older events) means SOL.
    """

    DISCRIMINATOR = bytes.fromhex("bde95db95c94ea94")
    PROGRAM = PUMP_PROGRAM

    user: Key = ZERO_KEY
    mint: Key = ZERO_KEY
    mint_amount: U64 = 0
    sol_amount: U64 = 0
    pool_migration_fee: U64 = 0
    bonding_curve: Key = ZERO_KEY
    timestamp: I64 = 0
    pool: Key = ZERO_KEY
    quote_mint: Key = ZERO_KEY
