"""DexScreener: a second source for the same pools. It tells both sides of the liquidity, in fewer digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import UnreadableAnswer
from pumpswap.market.http_client import SourceClient
from pumpswap.market.http_drift import Drift, DriftKind, DriftNote, Refused
from pumpswap.market.http_fields import Element, Place, Unusable, decode_object, each
from pumpswap.market.http_source import SourceParts, quoted_address
from pumpswap.settings import CollectSettings

__all__ = ["DexPair", "DexScreenerClient", "PairPage", "parse_pairs"]

_SCHEMA: Final = "1.0.0"
_NS_PER_MS: Final = NS_PER_SECOND // 1_000
_WINDOWS = ("m5", "h1", "h6", "h24")
_USUAL = (
    "chainId",
    "dexId",
    "pairAddress",
    "baseToken",
    "quoteToken",
    "priceNative",
    "txns",
    "volume",
    "pairCreatedAt",
)
# Dead pairs have no liquidity and no price in USD; labels and links are there for some.
_SOMETIMES = ("priceChange", "priceUsd", "liquidity", "fdv", "marketCap", "labels", "info", "boosts", "url")
_TOKEN = ("address", "name", "symbol")
_LIQUIDITY = ("usd", "base", "quote")
_COUNTS = ("buys", "sells")
_TOP = ("schemaVersion", "pairs", "pair")


@dataclass(frozen=True, slots=True)
class DexPair:
    """A pool as DexScreener tells it. What it does not tell is None or absent; windows are m5, h1, h6, h24.

    ``price_quote`` is in the quote token and includes the pool's virtual quote reserve, ``liquidity_quote`` is what the
    vault really holds, so the two do not divide into each other. ``liquidity_usd`` counts both sides.
    """

    network: str
    address: str
    dex: str
    base_token: str
    quote_token: str
    base_symbol: str
    quote_symbol: str
    price_quote: Decimal
    price_usd: Decimal | None = None
    liquidity_usd: Decimal | None = None
    liquidity_base: Decimal | None = None
    liquidity_quote: Decimal | None = None
    fdv_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    created_ns: int | None = None
    volumes_usd: Mapping[str, Decimal] = field(default_factory=dict)
    price_changes: Mapping[str, Decimal] = field(default_factory=dict)  # percent
    transactions: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # buys, sells


@dataclass(frozen=True, slots=True)
class PairPage:
    """Pairs of an answer; none where the service does not know the address."""

    pairs: tuple[DexPair, ...]
    refused: tuple[Refused, ...] = ()
    drift: tuple[DriftNote, ...] = ()

    def priced_in(self, mint: str) -> tuple[DexPair, ...]:
        """Pairs that have this token as base: their price is its price. The others price something else in it."""
        return tuple(one for one in self.pairs if one.base_token == mint)


class DexScreenerClient(SourceClient):
    """DexScreener. Methods raise kinds of DataSourceError."""

    def __init__(self, settings: CollectSettings, clock: Clock, parts: SourceParts | None = None) -> None:
        """Raises ConfigError when the URL of the settings is not usable."""
        super().__init__(settings.dexscreener_url, settings, clock, parts)

    async def pair(self, address: str) -> PairPage:
        """A pool by address: one pair, or none."""
        return await self._ask(f"pairs/{self._network}/{quoted_address(address)}", "pair")

    async def token_pairs(self, mint: str) -> PairPage:
        """Pools that have this token on either side, the largest thirty."""
        return await self._ask(f"tokens/{quoted_address(mint)}", "token_pairs")

    async def _ask(self, path: str, endpoint: str) -> PairPage:
        return await self._answer(f"/latest/dex/{path}", {}, lambda body: parse_pairs(body, endpoint=endpoint))


def parse_pairs(body: bytes, *, endpoint: str = "token_pairs") -> PairPage:
    """Pairs in the order of the answer. Raises UnreadableAnswer for an answer that is none."""
    answer = Element(decode_object(body, endpoint), Place(endpoint, Drift()))
    refused: list[Refused] = []
    try:
        answer.expect(_TOP, _TOP[:2])
        if answer.optional_text("schemaVersion") not in ("", _SCHEMA):
            answer.place.at("schemaVersion").note(DriftKind.VALUE)
        # An address that nobody knows is answered with null.
        pairs = () if answer.is_null("pairs") else tuple(each(answer.items("pairs"), _pair, refused))
    except Unusable as why:
        raise UnreadableAnswer(f"{endpoint}: {why}", hint="the service has changed: upgrade pumpswap") from None
    return PairPage(pairs, tuple(refused), answer.place.drift.notes())


def _pair(one: Element) -> DexPair:
    one.expect((*_USUAL, *_SOMETIMES), _USUAL)
    base, base_symbol = _token(one.child("baseToken"))
    quote_mint, quote_symbol = _token(one.child("quoteToken"))
    liquidity = dict.fromkeys(_LIQUIDITY) | _numbers(one, "liquidity", _LIQUIDITY)
    created_ms = one.optional_count("pairCreatedAt")
    return DexPair(
        network=one.text("chainId"),
        address=one.text("pairAddress"),
        dex=one.text("dexId"),
        base_token=base,
        quote_token=quote_mint,
        base_symbol=base_symbol,
        quote_symbol=quote_symbol,
        price_quote=one.required_number("priceNative"),
        price_usd=one.number("priceUsd"),
        liquidity_usd=liquidity["usd"],
        liquidity_base=liquidity["base"],
        liquidity_quote=liquidity["quote"],
        fdv_usd=one.number("fdv", plain=True),
        market_cap_usd=one.number("marketCap", plain=True),
        created_ns=None if created_ms is None else created_ms * _NS_PER_MS,
        volumes_usd=_numbers(one, "volume", _WINDOWS),
        price_changes=_numbers(one, "priceChange", _WINDOWS, least=None),
        transactions=_transactions(one),
    )


def _token(told: Element) -> tuple[str, str]:
    told.expect(_TOKEN)
    return told.text("address"), told.optional_text("symbol")


def _numbers(one: Element, name: str, known: tuple[str, ...], *, least: int | None = 0) -> dict[str, Decimal]:
    group = one.optional_child(name)
    if group is None:
        return {}
    group.expect(known)
    found = {part: group.number(part, least=least, plain=True) for part in group.names()}
    return {part: value for part, value in found.items() if value is not None}


def _transactions(one: Element) -> dict[str, tuple[int, int]]:
    group = one.optional_child("txns")
    if group is None:
        return {}
    group.expect(_WINDOWS)
    counts: dict[str, tuple[int, int]] = {}
    for window in group.names():
        if (counted := group.optional_child(window)) is not None:
            counted.expect(_COUNTS)
            counts[window] = counted.count("buys"), counted.count("sells")
    return counts
