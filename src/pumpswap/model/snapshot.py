"""PoolSnapshot: what a collector saw of one pool at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

__all__ = ["METRIC_KEYS", "PoolSnapshot"]

METRIC_KEYS = (
    "volume_usd_h24",
    "reserve_in_usd",
    "price_change_percentage_h1",
    "price_change_percentage_h24",
    "transactions_h1_buys",
    "transactions_h1_sells",
    "transactions_h24_buys",
    "transactions_h24_sells",
)


@dataclass(frozen=True, slots=True)
class PoolSnapshot:
    """One row of a collector. Prices and reserves are display figures of the source, not exact chain state.

    ``metrics`` holds the figures of METRIC_KEYS as the source wrote them (text or numbers; missing ones absent): the
    host's formula reads exactly these. ``reserve_usd`` counts both sides of the pool. ``stored_score`` is the score the
    source had stored, for comparison only.
    """

    pool_id: str
    pool: str
    dex: str
    at_ns: int
    name: str = ""
    base_mint: str | None = None
    quote_mint: str | None = None
    created_ns: int | None = None
    base_price_usd: Decimal | None = None
    base_price_quote: Decimal | None = None
    quote_price_usd: Decimal | None = None
    reserve_usd: Decimal | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    stored_score: Decimal | None = None
