"""Who is paid the creator fee of a pool, and how much (PROTOCOL 5.3)."""

from __future__ import annotations

from pumpswap.amm.codec import I64, U64, ZERO_KEY, Flag, Key
from pumpswap.amm.events.event import Event

__all__ = [
    "AdminCtoPoolEvent",
    "AdminSetCoinCreatorEvent",
    "AdminSetCoinCreatorFeeEditableEvent",
    "MigratePoolCoinCreatorEvent",
    "SetBondingCurveCoinCreatorEvent",
    "SetCoinCreatorFeeBpsEvent",
    "SetMetaplexCoinCreatorEvent",
]


class AdminSetCoinCreatorEvent(Event, frozen=True):
    """An administrator named the creator of a coin; the instruction was removed in September 2026."""

    DISCRIMINATOR = bytes.fromhex("2ddc5d181961ac68")

    timestamp: I64 = 0
    admin_set_coin_creator_authority: Key = ZERO_KEY
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    old_coin_creator: Key = ZERO_KEY
    new_coin_creator: Key = ZERO_KEY


class AdminSetCoinCreatorFeeEditableEvent(Event, frozen=True):
    """A creator was allowed to choose the fee; the instruction was removed in September 2026."""

    DISCRIMINATOR = bytes.fromhex("bfc67fbc6dae0969")

    timestamp: I64 = 0
    admin_set_coin_creator_authority: Key = ZERO_KEY
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY


class AdminCtoPoolEvent(Event, frozen=True):
    """A community took over a coin: creator, creator rate and kind of coin may all have changed. Re-read the pool."""

    DISCRIMINATOR = bytes.fromhex("2f23a3f9969d937a")

    timestamp: I64 = 0
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    old_coin_creator: Key = ZERO_KEY
    new_coin_creator: Key = ZERO_KEY
    is_holder_reward: Flag = False
    is_cashback_coin: Flag = False
    old_creator_fee_bps: U64 = 0
    new_creator_fee_bps: U64 = 0


class MigratePoolCoinCreatorEvent(Event, frozen=True):
    """Creator fees of a coin are shared from now on: the new creator is the sharing config (2.6)."""

    DISCRIMINATOR = bytes.fromhex("aadd52c793a5f72e")

    timestamp: I64 = 0
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    sharing_config: Key = ZERO_KEY
    old_coin_creator: Key = ZERO_KEY
    new_coin_creator: Key = ZERO_KEY


class SetBondingCurveCoinCreatorEvent(Event, frozen=True):
    """The creator of a pool was taken from the coin's bonding curve."""

    DISCRIMINATOR = bytes.fromhex("f2e7eb664163bdd3")

    timestamp: I64 = 0
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    bonding_curve: Key = ZERO_KEY
    coin_creator: Key = ZERO_KEY


class SetMetaplexCoinCreatorEvent(Event, frozen=True):
    """The creator of a pool was taken from the coin's metadata."""

    DISCRIMINATOR = bytes.fromhex("966bc77b7ccf66e4")

    timestamp: I64 = 0
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    metadata: Key = ZERO_KEY
    coin_creator: Key = ZERO_KEY


class SetCoinCreatorFeeBpsEvent(Event, frozen=True):
    """The creator rate of one pool changed; the instruction was removed in September 2026."""

    DISCRIMINATOR = bytes.fromhex("e68af19e1ce8e4d3")

    timestamp: I64 = 0
    authority: Key = ZERO_KEY
    base_mint: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    old_creator_fee_bps: U64 = 0
    new_creator_fee_bps: U64 = 0
