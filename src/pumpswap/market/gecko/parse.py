"""GeckoTerminal's answers, read strictly: what is used must be right, what is not known is noted, the rest is kept.

An element of a list that cannot be used is refused with its place and reason; the others are kept. An answer without
its list raises UnreadableAnswer, an answer that is an error of the service raises SourceRefused.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from pumpswap.errors import SourceRefused, UnreadableAnswer
from pumpswap.market.gecko.records import (
    MOST_TRADES,
    GeckoPool,
    GeckoToken,
    GeckoTrade,
    PoolPage,
    TradeCounts,
    TradePage,
)
from pumpswap.market.http_drift import Drift, DriftKind, Refused
from pumpswap.market.http_fields import Element, Place, Unusable, decode_object, each, error_title
from pumpswap.market.identifiers import bare_address, network_of

__all__ = ["answer_of", "parse_pool", "parse_pools", "parse_trades"]

_WINDOWS = ("m5", "m15", "m30", "h1", "h6", "h24")
_USUAL_WINDOWS = ("m5", "h1", "h6", "h24")
_AMOUNTS = (
    "base_token_price_usd",
    "base_token_price_native_currency",
    "quote_token_price_usd",
    "quote_token_price_native_currency",
    "reserve_in_usd",
    "fdv_usd",
    "market_cap_usd",
)
_GROUPS = ("price_change_percentage", "transactions", "volume_usd")
_POOL_USUAL = ("address", "name", "pool_created_at", *_AMOUNTS, *_GROUPS)
_POOL_KNOWN = frozenset(_POOL_USUAL) | {
    "base_token_price_quote_token",
    "quote_token_price_base_token",
    "pool_name",
    "pool_fee_percentage",
    "locked_liquidity_percentage",
}
_RELATED = ("base_token", "quote_token", "dex")
_TRADE = frozenset(
    {
        "block_number",
        "block_timestamp",
        "tx_hash",
        "tx_from_address",
        "kind",
        "from_token_address",
        "to_token_address",
        "from_token_amount",
        "to_token_amount",
        "price_from_in_usd",
        "price_to_in_usd",
        "price_from_in_currency_token",
        "price_to_in_currency_token",
        "volume_in_usd",
    }
)
_COUNTS = ("buys", "sells", "buyers", "sellers")
_TOKEN = ("address", "name", "symbol", "decimals")
_MOST_DECIMALS = 255  # a byte of the mint
_ENVELOPE = frozenset({"id", "type", "attributes", "relationships"})
_TOP = frozenset({"data", "included", "meta", "links"})


def parse_pools(body: bytes, *, endpoint: str = "new_pools") -> PoolPage:
    """A list of pools. ``endpoint`` is the name under which differences are counted."""
    answer = answer_of(body, endpoint)
    return _pool_page(answer, list(_items(answer, "data")))


def parse_pool(body: bytes, *, endpoint: str = "pool") -> PoolPage:
    """One pool by address: a page of one. Raises UnreadableAnswer when that pool cannot be used."""
    answer = answer_of(body, endpoint)
    try:
        page = _pool_page(answer, [answer.part("data")])
    except Unusable as why:
        raise UnreadableAnswer(f"{endpoint}: {why}", hint=_UPGRADE) from None
    if page.refused:
        raise UnreadableAnswer(f"{endpoint}: {page.refused[0]}", hint=_UPGRADE)
    return page


def parse_trades(body: bytes, *, endpoint: str = "trades") -> TradePage:
    """Trades of one pool, newest first. The service gives 300 of the last 24 hours at most."""
    answer = answer_of(body, endpoint)
    items, refused = list(_items(answer, "data")), list[Refused]()
    trades = tuple(each(iter(items), _trade, refused))
    return TradePage(trades, len(items) >= MOST_TRADES, tuple(refused), answer.place.drift.notes())


def answer_of(body: bytes, endpoint: str) -> Element:
    """The object of an answer. Raises UnreadableAnswer, and SourceRefused for an answer that is an error."""
    told = decode_object(body, endpoint)
    if "data" not in told and "errors" in told:
        title = error_title(body)
        raise SourceRefused(f"{endpoint}: {title}", status=0, title=title, hint="change the request")
    answer = Element(told, Place(endpoint, Drift()))
    answer.expect(_TOP)
    return answer


_UPGRADE = "the service has changed: upgrade pumpswap"


def _items(answer: Element, name: str) -> Iterator[tuple[object, Place]]:
    try:
        return answer.items(name)
    except Unusable as why:
        raise UnreadableAnswer(f"{answer.place.endpoint}: {why}", hint=_UPGRADE) from None


def _pool_page(answer: Element, items: list[tuple[object, Place]]) -> PoolPage:
    refused: list[Refused] = []
    pools = tuple(each(iter(items), _pool, refused))
    tokens: dict[str, GeckoToken] = {}
    dexes: dict[str, str] = {}
    if "included" in answer:
        for one in each(_items(answer, "included"), _included, refused):
            if isinstance(one, GeckoToken):
                tokens[one.address] = one
            elif one is not None:
                dexes[one[0]] = one[1]
    return PoolPage(pools, tokens, dexes, tuple(refused), answer.place.drift.notes())


def _pool(one: Element) -> GeckoPool:
    one.expect(_ENVELOPE)
    identifier, told, related = one.text("id"), one.child("attributes"), one.child("relationships")
    told.expect(_POOL_KNOWN, _POOL_USUAL)
    related.expect(_RELATED, _RELATED)
    address = told.text("address")
    if bare_address(address) != bare_address(identifier):
        told.place.at("address").refuse(DriftKind.VALUE, f"names another pool than the id {identifier}")
    prices = {name: told.number(name) for name in _AMOUNTS}
    return GeckoPool(
        id=identifier,
        network=network_of(identifier),
        address=bare_address(address),
        dex=_related(related, "dex") or _no_dex(related),
        name=told.optional_text("name"),
        base_token=_token(related, "base_token"),
        quote_token=_token(related, "quote_token"),
        created_ns=told.moment("pool_created_at") if told.optional_text("pool_created_at") else None,
        base_price_usd=prices["base_token_price_usd"],
        base_price_native=prices["base_token_price_native_currency"],
        quote_price_usd=prices["quote_token_price_usd"],
        quote_price_native=prices["quote_token_price_native_currency"],
        reserve_usd=prices["reserve_in_usd"],
        fdv_usd=prices["fdv_usd"],
        market_cap_usd=prices["market_cap_usd"],
        price_changes=_windows(told, "price_change_percentage", least=None),
        volumes_usd=_windows(told, "volume_usd", least=0),
        transactions=_transactions(told),
    )


def _related(related: Element, name: str) -> str:
    """The id of a related thing; empty where there is none."""
    link = related.optional_child(name)
    data = None if link is None else link.optional_child("data")
    return "" if data is None else data.text("id")


def _no_dex(related: Element) -> NoReturn:
    related.place.at("dex").refuse(DriftKind.VALUE, "names no exchange")


def _token(related: Element, name: str) -> str | None:
    return bare_address(_related(related, name)) or None


def _windows(told: Element, name: str, *, least: int | None) -> dict[str, Decimal]:
    group = told.optional_child(name)
    if group is None:
        return {}
    group.expect(_WINDOWS, _USUAL_WINDOWS)
    found = {window: group.number(window, least=least) for window in group.names()}
    return {window: value for window, value in found.items() if value is not None}


def _transactions(told: Element) -> dict[str, TradeCounts]:
    group = told.optional_child("transactions")
    if group is None:
        return {}
    group.expect(_WINDOWS, _USUAL_WINDOWS)
    counts: dict[str, TradeCounts] = {}
    for window in group.names():
        if (one := group.optional_child(window)) is not None:
            one.expect(_COUNTS)
            buyers, sellers = one.optional_count("buyers"), one.optional_count("sellers")
            counts[window] = TradeCounts(one.count("buys"), one.count("sells"), buyers, sellers)
    return counts


def _included(one: Element) -> GeckoToken | tuple[str, str] | None:
    """A token, the id and name of an exchange, or None for a kind of thing that is not used."""
    one.expect(_ENVELOPE)
    kind, identifier = one.text("type"), one.text("id")
    if kind not in ("token", "dex"):
        return None
    told = one.child("attributes")
    if kind == "dex":
        return identifier, told.optional_text("name")
    told.expect((*_TOKEN, "image_url", "coingecko_coin_id"), _TOKEN)
    address = bare_address(told.text("address"))
    if address != bare_address(identifier):
        told.place.at("address").refuse(DriftKind.VALUE, f"names another token than the id {identifier}")
    decimals = told.optional_count("decimals")
    if decimals is not None and decimals > _MOST_DECIMALS:
        told.place.at("decimals").refuse(DriftKind.VALUE, f"is more than {_MOST_DECIMALS}: {decimals}")
    return GeckoToken(identifier, address, told.optional_text("name"), told.optional_text("symbol"), decimals)


def _trade(one: Element) -> GeckoTrade:
    one.expect(_ENVELOPE)
    told = one.child("attributes")
    told.expect(_TRADE, _TRADE)
    kind = told.text("kind")
    if kind not in ("buy", "sell"):
        told.place.at("kind").refuse(DriftKind.VALUE, f"is neither buy nor sell: {kind[:40]!r}")
    return GeckoTrade(
        id=one.text("id"),
        slot=told.count("block_number"),
        transaction=told.text("tx_hash"),
        trader=told.text("tx_from_address") if told.optional_text("tx_from_address") else "",
        is_buy=kind == "buy",
        from_token=bare_address(told.text("from_token_address")),
        to_token=bare_address(told.text("to_token_address")),
        from_amount=told.required_number("from_token_amount"),
        to_amount=told.required_number("to_token_amount"),
        from_price_usd=told.number("price_from_in_usd"),
        to_price_usd=told.number("price_to_in_usd"),
        volume_usd=told.number("volume_in_usd"),
        at_ns=told.moment("block_timestamp"),
    )
