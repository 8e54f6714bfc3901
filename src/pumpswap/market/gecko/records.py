"""What GeckoTerminal's answers say, as frozen records. Amounts are decimals with every digit of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

__all__ = ["GeckoCandle", "GeckoPool", "GeckoToken", "GeckoTrade", "TradeCounts"]


@dataclass(frozen=True, slots=True)
class GeckoToken:
    """A token of ``included``. ``id`` has the network in front (``solana_<mint>``), ``address`` is the bare mint."""

    id: str
    address: str
    name: str = ""
    symbol: str = ""
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class TradeCounts:
    """Transactions of one window. ``buyers`` and ``sellers`` are None where the answer has none."""

    buys: int
    sells: int
    buyers: int | None = None
    sellers: int | None = None


@dataclass(frozen=True, slots=True)
class GeckoPool:
    """A pool of a list or by address. What the answer leaves null is None; windows are ``m5`` … ``h24``.

    ``reserve_usd`` counts both sides. ``quote_price_usd`` is USD per SOL for pools quoted in SOL, and
    ``base_price_native`` the price in SOL. ``dex`` is the service's id of the exchange.
    """

    id: str
    network: str
    address: str
    dex: str
    name: str = ""
    base_token: str | None = None  # bare mint
    quote_token: str | None = None
    created_ns: int | None = None
    base_price_usd: Decimal | None = None
    base_price_native: Decimal | None = None
    quote_price_usd: Decimal | None = None
    quote_price_native: Decimal | None = None
    reserve_usd: Decimal | None = None
    fdv_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    price_changes: Mapping[str, Decimal] = field(default_factory=dict)  # percent
    volumes_usd: Mapping[str, Decimal] = field(default_factory=dict)
    transactions: Mapping[str, TradeCounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GeckoTrade:
    """One trade. Amounts are display units of the two tokens; ``from_token`` is the one that was paid.

    Prices are per token of each side, in USD. ``id`` is the service's own and names the moment of the fetch: the same
    trade has another one in every answer: ``transaction`` with the amounts is what identifies it.
    """

    id: str
    slot: int
    transaction: str
    trader: str
    is_buy: bool
    from_token: str
    to_token: str
    from_amount: Decimal
    to_amount: Decimal
    from_price_usd: Decimal
    to_price_usd: Decimal
    volume_usd: Decimal
    at_ns: int


@dataclass(frozen=True, slots=True)
class GeckoCandle:
    """One candle, in USD. ``start_seconds`` is Unix time, ``timeframe`` one of ``market.candle_file.TIMEFRAMES``."""

    timeframe: str
    start_seconds: int
    open_usd: Decimal
    high_usd: Decimal
    low_usd: Decimal
    close_usd: Decimal
    volume_usd: Decimal
