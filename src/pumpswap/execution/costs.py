"""What a transaction costs besides the trade: signature, priority, tip, rent (PROTOCOL 7.2 to 7.4)."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.settings import PaperVenueSettings

__all__ = ["LAMPORTS_PER_SIGNATURE", "Rents", "priority_fee", "rents_at"]

LAMPORTS_PER_SIGNATURE = 5_000
# 2026-10-01: rent per byte was lowered during 2026 and the new figure first seen in October. Live code asks.
_LOWER_RENT_SINCE = 1_790_812_800


@dataclass(frozen=True, slots=True)
class Rents:
    """Rent-exempt deposits in lamports."""

    token_account: int
    token_2022_account: int
    user_volume_accumulator: int


def rents_at(unix_seconds: int) -> Rents:
    """The deposits of a time."""
    if unix_seconds >= _LOWER_RENT_SINCE:
        return Rents(1_488_440, 1_513_840, 1_346_200)
    return Rents(2_039_280, 2_074_080, 1_844_400)


def priority_fee(settings: PaperVenueSettings) -> int:
    """Lamports for compute limit × price, rounded up as the network does; charged on failed transactions too."""
    return -(-settings.compute_unit_limit * settings.compute_unit_price_micro_lamports // 1_000_000)
