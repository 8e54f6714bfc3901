"""What a collector has seen: pools with their figures, trades, candles; and how long a pool is followed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

__all__ = [
    "Cycle",
    "FollowRule",
    "FollowedPool",
    "PoolScore",
    "SeenCandle",
    "SeenPool",
    "SeenToken",
    "SeenTrade",
    "trade_identity",
]

# Network, slot, transaction, number in it; the last part is when the service fetched it, and says nothing of the trade.
_TRADE_ID = re.compile(r"(.+_\d+_[1-9A-HJ-NP-Za-km-z]+_\d+)_\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SeenToken:
    """``address`` is the bare mint."""

    address: str
    name: str = ""
    symbol: str = ""
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class SeenPool:
    """A pool with its figures at ``at_ns``, the moment at which they arrived. What is not known is None.

    Prices are per token; ``base_price_native`` is in the chain's own coin. ``reserve_usd`` counts both sides, changes
    are in percent. ``dex`` is the service's id of the exchange.
    """

    network: str
    address: str
    dex: str
    at_ns: int
    name: str = ""
    dex_name: str = ""
    base: SeenToken | None = None
    quote: SeenToken | None = None
    created_ns: int | None = None
    base_price_usd: Decimal | None = None
    base_price_native: Decimal | None = None
    quote_price_usd: Decimal | None = None
    quote_price_native: Decimal | None = None
    reserve_usd: Decimal | None = None
    fdv_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    change_h1: Decimal | None = None
    change_h24: Decimal | None = None
    volume_h24_usd: Decimal | None = None
    buys_h1: int | None = None
    sells_h1: int | None = None
    buys_h24: int | None = None
    sells_h24: int | None = None

    @property
    def pool_id(self) -> str:
        """The host's id: network and address."""
        return f"{self.network}_{self.address}"

    @property
    def metrics(self) -> dict[str, Decimal | int | None]:
        """What the host's score is made of, under its names (``model.snapshot.METRIC_KEYS``)."""
        return {
            "volume_usd_h24": self.volume_h24_usd,
            "reserve_in_usd": self.reserve_usd,
            "price_change_percentage_h1": self.change_h1,
            "price_change_percentage_h24": self.change_h24,
            "transactions_h1_buys": self.buys_h1,
            "transactions_h1_sells": self.sells_h1,
            "transactions_h24_buys": self.buys_h24,
            "transactions_h24_sells": self.sells_h24,
        }


@dataclass(frozen=True, slots=True)
class SeenTrade:
    """One trade. Amounts are whole tokens of the side that was paid and of the one that was received.

    ``price_usd`` is that of the token that was **paid**, as in the host's tables: SOL's on buys, the token's on sells.
    """

    id: str
    slot: int
    transaction: str
    trader: str
    is_buy: bool
    from_amount: Decimal
    to_amount: Decimal
    price_usd: Decimal
    volume_usd: Decimal
    at_ns: int

    @property
    def side(self) -> str:
        """The host's word."""
        return "buy" if self.is_buy else "sell"

    @property
    def identity(self) -> str:
        """The same for every answer that holds this trade, whenever it was fetched."""
        return trade_identity(self.id) or f"{self.transaction} {self.side} {self.volume_usd:.2f}"


def trade_identity(trade_id: str) -> str | None:
    """The part of a service's trade id that belongs to the trade; None for an id of another form."""
    found = _TRADE_ID.fullmatch(trade_id)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class SeenCandle:
    """Prices in USD of the time from ``start_seconds`` (Unix) on."""

    timeframe: str
    start_seconds: int
    open_usd: Decimal
    high_usd: Decimal
    low_usd: Decimal
    close_usd: Decimal
    volume_usd: Decimal


@dataclass(frozen=True, slots=True)
class PoolScore:
    """The six figures that the host stores beside a snapshot; ``momentum`` alone is not limited to 0…100."""

    score: float
    volume_trend: str
    liquidity_trend: str
    momentum: float
    activity: float
    volatility: float

    @property
    def columns(self) -> Mapping[str, float | str]:
        """Under the host's names."""
        return {
            "signal_score": self.score,
            "volume_trend": self.volume_trend,
            "liquidity_trend": self.liquidity_trend,
            "momentum_indicator": self.momentum,
            "activity_score": self.activity,
            "volatility_score": self.volatility,
        }


@dataclass(frozen=True, slots=True)
class FollowRule:
    """How long and how often a known pool is looked at again. Times in nanoseconds.

    ``detail_score``: from this score on, or when it is watched, a pool's candles and trades are collected too;
    ``watch_score``: from this one on it goes on the watchlist, None never.
    """

    every_ns: int
    for_ns: int
    detail_score: float
    watch_score: float | None = None

    def next_look(self, first_seen_ns: int, at_ns: int, *, watched: bool) -> int | None:
        """When to look at a pool again after a look at ``at_ns``; None when it has been followed long enough."""
        due_ns = at_ns + self.every_ns
        return due_ns if watched or due_ns <= first_seen_ns + self.for_ns else None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One round over the new pools. ``next_page`` is the first whose pools are not stored yet."""

    network: str
    number: int
    started_ns: int
    next_page: int = 1
    finished_ns: int | None = None


@dataclass(frozen=True, slots=True)
class FollowedPool:
    """A pool that is looked at again. ``failures``: how often in a row it could not be."""

    pool_id: str
    address: str
    first_seen_ns: int
    failures: int = 0
