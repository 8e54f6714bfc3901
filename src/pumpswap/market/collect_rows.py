"""GeckoTerminal's records as what the collector stores. What cannot be stored is left out and counted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pumpswap.market.gecko.records import GeckoPool, GeckoToken, GeckoTrade, PoolPage
from pumpswap.model.collected import SeenPool, SeenToken, SeenTrade

__all__ = ["seen_pool", "seen_trade"]


def seen_pool(pool: GeckoPool, page: PoolPage, at_ns: int) -> SeenPool:
    """A pool of an answer that arrived at ``at_ns``."""
    hour, day = pool.transactions.get("h1"), pool.transactions.get("h24")
    return SeenPool(
        network=pool.network,
        address=pool.address,
        dex=pool.dex,
        at_ns=at_ns,
        name=pool.name,
        dex_name=page.dexes.get(pool.dex, ""),
        base=_token(pool.base_token, page.tokens),
        quote=_token(pool.quote_token, page.tokens),
        created_ns=pool.created_ns,
        base_price_usd=pool.base_price_usd,
        base_price_native=pool.base_price_native,
        quote_price_usd=pool.quote_price_usd,
        quote_price_native=pool.quote_price_native,
        reserve_usd=pool.reserve_usd,
        fdv_usd=pool.fdv_usd,
        market_cap_usd=pool.market_cap_usd,
        change_h1=pool.price_changes.get("h1"),
        change_h24=pool.price_changes.get("h24"),
        volume_h24_usd=pool.volumes_usd.get("h24"),
        buys_h1=None if hour is None else hour.buys,
        sells_h1=None if hour is None else hour.sells,
        buys_h24=None if day is None else day.buys,
        sells_h24=None if day is None else day.sells,
    )


def seen_trade(trade: GeckoTrade, min_usd: Decimal) -> SeenTrade | None:
    """A trade worth at least ``min_usd``; None for a smaller one, and for one whose worth the service does not say."""
    if trade.volume_usd is None or trade.from_price_usd is None or trade.volume_usd < min_usd:
        return None
    return SeenTrade(
        id=trade.id,
        slot=trade.slot,
        transaction=trade.transaction,
        trader=trade.trader,
        is_buy=trade.is_buy,
        from_amount=trade.from_amount,
        to_amount=trade.to_amount,
        price_usd=trade.from_price_usd,
        volume_usd=trade.volume_usd,
        at_ns=trade.at_ns,
    )


def _token(mint: str | None, tokens: Mapping[str, GeckoToken]) -> SeenToken | None:
    if mint is None:
        return None
    told = tokens.get(mint)
    return SeenToken(mint) if told is None else SeenToken(mint, told.name, told.symbol, told.decimals)
