"""Virtual liquidity of graduates and what is bought with it (PROTOCOL 5.3 and 2.7)."""

from __future__ import annotations

from pumpswap.amm.codec import I64, I128, U64, ZERO_KEY, Key
from pumpswap.amm.events.event import Event

__all__ = [
    "BoostBuyAndBurnEvent",
    "InitBoostEvent",
    "SetBoostAuthorityEvent",
]


class InitBoostEvent(Event, frozen=True):
    """Part of a graduate's quote has moved to its boost vault and is mirrored as virtual reserves (2.7)."""

    DISCRIMINATOR = bytes.fromhex("ae7c4af90451f611")

    timestamp: I64 = 0
    mint: Key = ZERO_KEY
    bonding_curve: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    virtual_quote_reserves: I128 = 0
    real_quote_reserves_after: U64 = 0


class BoostBuyAndBurnEvent(Event, frozen=True):
    """The boost authority bought base out of the boost vault and burned it; a BuyEvent repeats the purchase."""

    DISCRIMINATOR = bytes.fromhex("3f451c16305cc2b9")

    timestamp: I64 = 0
    mint: Key = ZERO_KEY
    bonding_curve: Key = ZERO_KEY
    pool: Key = ZERO_KEY
    authority: Key = ZERO_KEY
    quote_amount_in_requested: U64 = 0
    quote_amount_in_used: U64 = 0
    base_amount_burned: U64 = 0
    virtual_quote_reserves: I128 = 0
    real_quote_reserves_after: U64 = 0
    base_reserves_after: U64 = 0
    boost_vault_remaining: U64 = 0


class SetBoostAuthorityEvent(Event, frozen=True):
    """Another key may now spend the boost vaults."""

    DISCRIMINATOR = bytes.fromhex("5980f08d5bca4769")

    timestamp: I64 = 0
    admin: Key = ZERO_KEY
    old_boost_authority: Key = ZERO_KEY
    new_boost_authority: Key = ZERO_KEY
