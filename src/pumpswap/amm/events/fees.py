"""Fees on their way to their owners (PROTOCOL 5.3)."""

from __future__ import annotations

from enum import IntEnum

from pumpswap.amm.codec import I64, U8, U64, ZERO_KEY, Key
from pumpswap.amm.events.event import Event

__all__ = [
    "ClaimCashbackEvent",
    "CollectCoinCreatorFeeEvent",
    "FeeBucket",
    "SweepPoolFeeEvent",
]


class FeeBucket(IntEnum):
    """Which fees a sweep paid out."""

    PROTOCOL = 0
    CREATOR = 1


class SweepPoolFeeEvent(Event, frozen=True):
    """Fees that v2 trades left in a quote vault went to their owner: not new fee income. See FeeBucket."""

    DISCRIMINATOR = bytes.fromhex("82a42461e48287a5")

    timestamp: I64 = 0
    pool: Key = ZERO_KEY
    base_mint: Key = ZERO_KEY
    quote_mint: Key = ZERO_KEY
    recipient: Key = ZERO_KEY
    payer: Key = ZERO_KEY
    amount: U64 = 0
    bucket: U8 = 0  # a FeeBucket


class CollectCoinCreatorFeeEvent(Event, frozen=True):
    """A coin creator's vault was emptied into the creator's account."""

    DISCRIMINATOR = bytes.fromhex("e8f5c2eeeada3a59")

    timestamp: I64 = 0
    coin_creator: Key = ZERO_KEY
    coin_creator_fee: U64 = 0
    coin_creator_vault_ata: Key = ZERO_KEY
    coin_creator_token_account: Key = ZERO_KEY


class ClaimCashbackEvent(Event, frozen=True):
    """A trader took the cashback that trades on cashback coins had set aside."""

    DISCRIMINATOR = bytes.fromhex("e2d6f62107f293e5")

    user: Key = ZERO_KEY
    amount: U64 = 0
    timestamp: I64 = 0
    total_claimed: U64 = 0
    total_cashback_earned: U64 = 0
