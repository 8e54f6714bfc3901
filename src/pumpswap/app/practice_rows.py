"""Rows of a collector for the practice chain: it knows its own pools, so that a run on it has something to score."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.app.collect import score_rule
from pumpswap.app.practice import ask_localnet
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import NotFound
from pumpswap.model.collected import Cycle, SeenPool, SeenToken
from pumpswap.settings import Settings
from pumpswap.storage.collected import CollectedMarket, open_collected
from pumpswap.storage.collected.market import PageResult

__all__ = ["write_rows"]

# A practice SOL has no price: this one is close enough to a real one for scores that are made of dollars.
PRACTICE_SOL_USD = 150
_WSOL = str(WSOL_MINT)


async def write_rows(
    settings: Settings,
    url: str,
    target: str | Path,
    clock: Clock,
    *,
    every_seconds: int | None,
    told: Callable[[int], None],
) -> None:
    """Write one row of each pool of the practice market, and again every ``every_seconds`` until cancelled.
    ``told`` hears how many rows were written.

    Raises NotRunning, NotFound where bots trade on no pool, StorageError.
    """
    found = await ask_localnet(url, "localnet_pools")
    if not found:
        raise NotFound("bots trade on no pool of that practice chain", hint="create some: pumpswap localnet market 3")
    with open_collected(target, clock.now_ns()) as market:
        while True:
            told(_store(settings, market, seen_pools(found, settings.collect.network, clock.now_ns())).snapshots)
            if every_seconds is None:
                return
            await asyncio.sleep(every_seconds)
            found = await ask_localnet(url, "localnet_pools")


def _store(settings: Settings, market: CollectedMarket, pools: list[SeenPool]) -> PageResult:
    at_ns = max(pool.at_ns for pool in pools)
    network = settings.collect.network
    before = market.cycle(network)
    cycle = Cycle(network, 1 if before is None else before.number + 1, at_ns)
    market.begin_cycle(cycle)
    result = market.save_pools(pools, cycle, score_rule(settings))
    market.finish_cycle(cycle, at_ns, [])
    return result


def seen_pools(found: list[Mapping[str, Any]], network: str, at_ns: int) -> list[SeenPool]:
    """What the chain tells about its pools, as a collector would have seen it."""
    return [_seen(each, network, at_ns) for each in found if each["quoteMint"] == _WSOL]


def _seen(told: Mapping[str, Any], network: str, at_ns: int) -> SeenPool:
    mint, decimals = str(told["baseMint"]), int(told["baseDecimals"])
    price = Decimal(told["quoteReserve"]) / Decimal(told["baseReserve"]) * Decimal(10) ** (decimals - 9)
    usd = price * PRACTICE_SOL_USD
    cap = usd * Decimal(told["baseSupply"]).scaleb(-decimals)
    hour, day = told["hour"], told["day"]
    return SeenPool(
        network=network,
        address=str(told["address"]),
        dex="pumpswap",
        at_ns=at_ns,
        name=f"TRY-{mint[:4]} / SOL",
        dex_name="PumpSwap",
        base=SeenToken(mint, f"Practice {mint[:4]}", f"TRY-{mint[:4]}", decimals),
        quote=SeenToken(_WSOL, "Wrapped SOL", "SOL", 9),
        created_ns=int(told["createdUnix"]) * NS_PER_SECOND,
        base_price_usd=_rounded(usd),
        base_price_native=_rounded(price),
        quote_price_usd=Decimal(PRACTICE_SOL_USD),
        quote_price_native=Decimal(1),
        reserve_usd=_rounded(_in_usd(2 * int(told["quoteReserve"]))),
        fdv_usd=_rounded(cap),
        market_cap_usd=_rounded(cap),
        change_h1=_change(price, hour, decimals),
        change_h24=_change(price, day, decimals),
        volume_h24_usd=_rounded(_in_usd(int(day["quoteUnits"]))),
        buys_h1=int(hour["buys"]),
        sells_h1=int(hour["sells"]),
        buys_h24=int(day["buys"]),
        sells_h24=int(day["sells"]),
    )


def _in_usd(lamports: int) -> Decimal:
    return Decimal(lamports).scaleb(-9) * PRACTICE_SOL_USD


def _change(price: Decimal, span: Mapping[str, Any], decimals: int) -> Decimal:
    """In percent; 0 where nobody has traded."""
    if span["priceBefore"] is None:
        return Decimal(0)
    quote, base = map(Decimal, span["priceBefore"])
    before = quote / base * Decimal(10) ** (decimals - 9)
    return round((price / before - 1) * 100, 3)


def _rounded(value: Decimal) -> Decimal:
    return Decimal(f"{value:.12g}")
