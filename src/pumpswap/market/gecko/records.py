"""What GeckoTerminal's answers say, as frozen records. Amounts are decimals with every digit of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pumpswap.market.http_drift import Drift, DriftNote, Refused
from pumpswap.model.collected import SeenCandle

__all__ = ["CandlePage", "GeckoPool", "GeckoToken", "GeckoTrade", "PoolPage", "TradeCounts", "TradePage"]

MOST_TRADES = 300  # in one answer; older ones cannot be asked for


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

    Prices are per token of each side, in USD; None where the service has none. ``id`` is the service's own and names
    the moment of the fetch, so the same trade has another one in every answer: ``key`` is what identifies it.
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
    from_price_usd: Decimal | None
    to_price_usd: Decimal | None
    volume_usd: Decimal | None
    at_ns: int

    @property
    def key(self) -> tuple[str, str, str, Decimal, Decimal]:
        """The same in every answer: the transaction, what was paid, and what was received."""
        return (self.transaction, self.from_token, self.to_token, self.from_amount, self.to_amount)


@dataclass(frozen=True, slots=True)
class PoolPage:
    """Pools of an answer in its order (newest first), and what else it says.

    ``tokens`` are those of ``included`` by bare mint, ``dexes`` names of exchanges by id. ``refused`` are elements that
    could not be used, ``drift`` what is different from the answers that this version was written for.
    """

    pools: tuple[GeckoPool, ...]
    tokens: Mapping[str, GeckoToken] = field(default_factory=dict)
    dexes: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    drift: tuple[DriftNote, ...] = ()

    @classmethod
    def joined(cls, pages: Sequence[PoolPage]) -> PoolPage:
        """Several answers as one."""
        drift = Drift()
        for page in pages:
            drift.add(page.drift)
        return cls(
            tuple(one for page in pages for one in page.pools),
            {mint: token for page in pages for mint, token in page.tokens.items()},
            {dex: name for page in pages for dex, name in page.dexes.items()},
            tuple(one for page in pages for one in page.refused),
            drift.notes(),
        )


@dataclass(frozen=True, slots=True)
class TradePage:
    """Trades of an answer in its order: newest first. ``is_full``: older ones of the last day may be missing."""

    trades: tuple[GeckoTrade, ...]
    is_full: bool = False
    refused: tuple[Refused, ...] = ()
    drift: tuple[DriftNote, ...] = ()


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Candles of an answer from old to new, one per start; times in which nobody traded have none.

    ``base_token`` and ``quote_token`` are bare mints, where the answer says them. ``doubled`` are starts that the
    answer has twice with different prices: the candle with the wider range is kept, which is the one that continues
    from the candle before.
    """

    candles: tuple[SeenCandle, ...]
    base_token: str | None = None
    quote_token: str | None = None
    doubled: tuple[int, ...] = ()
    refused: tuple[Refused, ...] = ()
    drift: tuple[DriftNote, ...] = ()
