"""Rows for the tests of the lake."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.candle_file import Candle
from pumpswap.market.lake import Lake, LakeWriter
from pumpswap.model import Swap

MIDNIGHT = 1_764_115_200 * NS_PER_SECOND  # 2025-11-26
MINUTE = 60 * NS_PER_SECOND
DAY = 1440 * MINUTE


def swap(number: int, pool: str = "Pool1", **changes: object) -> Swap:
    """The swap of this number: one per second, each in its own transaction."""
    values: dict[str, object] = {
        "pool": pool,
        "at_ns": MIDNIGHT + number * NS_PER_SECOND,
        "is_buy": number % 2 == 0,
        "base_units": 1_000_000 + number,
        "quote_units": 5_000 + number,
        "trader": f"Trader{number % 7}",
        "signature": f"Signature{number}",
        "slot": 380_000_000 + number,
        "index": 0,
    }
    return Swap(**{**values, **changes})  # type: ignore[arg-type]


def many_swaps(count: int, *, pools: int = 5, seed: int = 1) -> list[Swap]:
    """Swaps of several pools with amounts over the whole of 64 bits."""
    chance = random.Random(seed)
    return [
        swap(
            number,
            f"Pool{chance.randrange(pools)}",
            base_units=chance.randrange(1, 2**64),
            quote_units=chance.randrange(2**64),
            is_buy=chance.random() < 0.5,
        )
        for number in range(count)
    ]


def candle(minute: int, close: str = "1.5", pool: str = "Pool1") -> Candle:
    """The one-minute candle of this minute; all its prices are ``close``."""
    price, start = Decimal(close), MIDNIGHT + minute * MINUTE
    return Candle(pool, "1m", start, start + MINUTE, price, price, price, price, Decimal("1234.5"))


def lake_of(folder: Path, *swaps: Swap) -> Lake:
    """A lake with these swaps."""
    lake = Lake(folder)
    with LakeWriter(lake) as writer:
        writer.add("swaps", swaps)
    return lake
