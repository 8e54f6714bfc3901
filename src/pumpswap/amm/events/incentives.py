"""Volume accumulators and token incentives (PROTOCOL 5.3, 2.4 and 2.5)."""

from __future__ import annotations

from pumpswap.amm.codec import I64, U64, ZERO_KEY, Key
from pumpswap.amm.events.event import Event

__all__ = [
    "AdminUpdateTokenIncentivesEvent",
    "ClaimTokenIncentivesEvent",
    "CloseUserVolumeAccumulatorEvent",
    "InitUserVolumeAccumulatorEvent",
    "SyncUserVolumeAccumulatorEvent",
]


class AdminUpdateTokenIncentivesEvent(Event, frozen=True):
    """Terms of the token-incentive programme changed (it is not running)."""

    DISCRIMINATOR = bytes.fromhex("93fa6c78f71d43de")

    start_time: I64 = 0
    end_time: I64 = 0
    day_number: U64 = 0
    token_supply_per_day: U64 = 0
    mint: Key = ZERO_KEY
    seconds_in_a_day: I64 = 0
    timestamp: I64 = 0


class ClaimTokenIncentivesEvent(Event, frozen=True):
    """A trader claimed token incentives."""

    DISCRIMINATOR = bytes.fromhex("4facf631cd5bcee8")

    user: Key = ZERO_KEY
    mint: Key = ZERO_KEY
    amount: U64 = 0
    timestamp: I64 = 0
    total_claimed_tokens: U64 = 0
    current_sol_volume: U64 = 0


class InitUserVolumeAccumulatorEvent(Event, frozen=True):
    """A user's volume accumulator was created."""

    DISCRIMINATOR = bytes.fromhex("86240d48e86582d8")

    payer: Key = ZERO_KEY
    user: Key = ZERO_KEY
    timestamp: I64 = 0


class CloseUserVolumeAccumulatorEvent(Event, frozen=True):
    """A user's volume accumulator was closed; the figures are its last."""

    DISCRIMINATOR = bytes.fromhex("929fbdac925838f4")

    user: Key = ZERO_KEY
    timestamp: I64 = 0
    total_unclaimed_tokens: U64 = 0
    total_claimed_tokens: U64 = 0
    current_sol_volume: U64 = 0
    last_update_timestamp: I64 = 0


class SyncUserVolumeAccumulatorEvent(Event, frozen=True):
    """A user's claimed tokens were brought up to date."""

    DISCRIMINATOR = bytes.fromhex("c57aa77c74515bff")

    user: Key = ZERO_KEY
    total_claimed_tokens_before: U64 = 0
    total_claimed_tokens_after: U64 = 0
    timestamp: I64 = 0
