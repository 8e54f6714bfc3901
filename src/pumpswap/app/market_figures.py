"""Figures of market-data services for a screen: asked for by its user, and believed where two services agree."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from pumpswap.clock import Clock
from pumpswap.errors import DataSourceError
from pumpswap.market.dexscreener import DexPair, DexScreenerClient
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.gecko.records import GeckoPool
from pumpswap.market.http_source import SourceParts
from pumpswap.market.source_agreement import sources_agree
from pumpswap.model import MarketFigures, TokenFacts
from pumpswap.settings import CollectSettings

__all__ = ["with_market_figures"]

# The services look at different moments, and a new coin moves within minutes: what counts is whether they tell of the
# same pool at all.
_PRICE_TOLERANCE, _LIQUIDITY_TOLERANCE = Decimal("0.25"), Decimal("0.25")

Told = TypeVar("Told")


async def with_market_figures(
    facts: TokenFacts, settings: CollectSettings, clock: Clock, parts: SourceParts | None = None
) -> TokenFacts:
    """``facts`` with what GeckoTerminal tells of the pool, or DexScreener where that one does not answer.

    Where both answer and tell different things nobody is believed: the figures stay unread, with the reason. Never
    raises an error of a service: one that fails leaves a reason.
    """
    if facts.pool is None:
        return _unread(facts, "there is no pool to ask about")
    address = facts.pool.address
    async with GeckoClient(settings, clock, parts) as gecko, DexScreenerClient(settings, clock, parts) as other:
        (first, why_first), (second, why_second) = await asyncio.gather(
            _attempt(_gecko_pool(gecko, address)), _attempt(_pair(other, address))
        )
    if first is None and second is None:
        return _unread(facts, f"GeckoTerminal: {why_first}; DexScreener: {why_second}")
    if first is not None and second is not None:
        agreement = sources_agree(
            first, second, price_tolerance=_PRICE_TOLERANCE, liquidity_tolerance=_LIQUIDITY_TOLERANCE
        )
        if not agreement.agrees:
            return _unread(facts, "GeckoTerminal and DexScreener do not agree: " + "; ".join(agreement.reasons))
    if first is not None:
        return replace(facts, market=_of_gecko(first))
    assert second is not None
    return replace(facts, market=_of_pair(second))


async def _attempt(asked: Awaitable[Told | None]) -> tuple[Told | None, str]:
    """What was told, or None and why not."""
    try:
        told = await asked
        return told, "" if told is not None else "it does not tell of this pool"
    except DataSourceError as failed:
        return None, failed.what


async def _gecko_pool(client: GeckoClient, address: str) -> GeckoPool | None:
    return next((one for one in (await client.pool(address)).pools if one.address == address), None)


async def _pair(client: DexScreenerClient, address: str) -> DexPair | None:
    return next((one for one in (await client.pair(address)).pairs if one.address == address), None)


def _unread(facts: TokenFacts, why: str) -> TokenFacts:
    return replace(facts, market=None, unread={**facts.unread, "market": why})


def _of_gecko(pool: GeckoPool) -> MarketFigures:
    day = pool.transactions.get("h24")
    return MarketFigures(
        fdv_usd=_float(pool.fdv_usd),
        volume_usd_h24=_float(pool.volumes_usd.get("h24")),
        reserve_usd=_float(pool.reserve_usd),
        buys_h24=None if day is None else day.buys,
        sells_h24=None if day is None else day.sells,
    )


def _of_pair(pair: DexPair) -> MarketFigures:
    buys, sells = pair.transactions.get("h24", (None, None))
    return MarketFigures(
        fdv_usd=_float(pair.fdv_usd),
        volume_usd_h24=_float(pair.volumes_usd.get("h24")),
        reserve_usd=_float(pair.liquidity_usd),
        buys_h24=buys,
        sells_h24=sells,
    )


def _float(figure: Decimal | None) -> float | None:
    return None if figure is None else float(figure)
