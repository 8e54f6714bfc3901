"""Rug heuristics: can one sell, who is leaving, and is there anything behind the price?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import isfinite

from pumpswap.model import MarketFigures, ScreenCheck, SeenSwap, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, nameless, percent, safe, unknown, unsafe

__all__ = ["creator_sales", "fdv_to_liquidity", "host_flags", "liquidity_drop", "market_figures", "sells"]

_LOW_FDV_USD, _LOW_VOLUME_USD, _DEEP_USD, _MOST_FDV_TO_LIQUIDITY = 5_000, 200, 50_000, 100
_MIN_FAILED_SELLS = 3


def sells(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """A honeypot can be bought and not sold: nobody has sold, or most attempts fail."""
    name, seen = "sells", facts.trading
    if seen is None:
        return missing(name, facts, "trading")
    sold, total = sum(not swap.is_buy for swap in seen.swaps), len(seen.swaps)
    failed = seen.failed_sells
    most = Fraction(settings.max_failed_sell_share)
    figures = {"sells": sold, "trades": total, "failed_sells": failed}
    if failed is not None and failed >= _MIN_FAILED_SELLS and Fraction(failed, failed + sold) > most:
        return unsafe(name, f"{failed} sells failed, {sold} succeeded, price limits apart", **figures)
    if total < settings.min_swaps:
        return unknown(name, f"only {total} trades are known, {settings.min_swaps} say something", **figures)
    if not sold:
        return unsafe(name, f"nobody has sold in the last {total} trades", **figures)
    return safe(name, f"{sold} of the last {total} trades are sells", **figures)


def creator_sales(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """What the creators sold, of all that was sold."""
    name, seen = "creator sales", facts.trading
    if seen is None:
        return missing(name, facts, "trading")
    if facts.creators is None:
        return missing(name, facts, "creators")
    if not seen.swaps:
        return unknown(name, "no trades are known")
    sold = sum(swap.quote_units for swap in seen.swaps if not swap.is_buy)
    theirs = sum(swap.quote_units for swap in seen.swaps if not swap.is_buy and swap.trader in facts.creators)
    if not sold:
        return safe(name, f"nothing was sold in the last {len(seen.swaps)} trades")
    share, most = Fraction(theirs, sold), Fraction(settings.max_creator_sales)
    hidden = sum(not swap.is_buy and not swap.trader for swap in seen.swaps)
    if hidden and share <= most:
        return unknown(name, nameless(hidden, len(seen.swaps)))
    text = f"the coin's creators made {percent(share)} of the last sales; at most {percent(most)}"
    return (unsafe if share > most else safe)(name, text, share=float(share), max_share=float(most))


def fdv_to_liquidity(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Value of all tokens at the pool's price against what the pool holds. Far above 100, hardly anybody gets out.

    The host excuses pools with 50,000 USD and more; that needs a price of SOL, so it applies where the figures tell it.
    """
    name, pool, basics = "FDV to liquidity", facts.pool, facts.basics
    if pool is None:
        return missing(name, facts, "pool")
    if basics is None:
        return missing(name, facts, "basics")
    if pool.base_units <= 0 or pool.effective_quote_units <= 0:
        return unsafe(name, "the pool is empty")
    if pool.real_quote_units <= 0:
        return unsafe(name, "the pool has a price and nothing to pay it with")
    value = Fraction(pool.effective_quote_units * basics.supply_units, pool.base_units)
    ratio = value / (2 * pool.real_quote_units)
    is_deep = facts.market is not None and not _untrue(facts.market) and (facts.market.reserve_usd or 0) >= _DEEP_USD
    text = f"all tokens are valued at {float(ratio):,.1f} times the pool's both sides; at most {_MOST_FDV_TO_LIQUIDITY}"
    is_bad = ratio > _MOST_FDV_TO_LIQUIDITY and not is_deep
    return (unsafe if is_bad else safe)(name, text, ratio=float(ratio), max_ratio=_MOST_FDV_TO_LIQUIDITY)


def liquidity_drop(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Withdrawn liquidity shows in the product of the reserves, which trades never lower; the fall of the quote side
    also shows people leaving. Both are measured against the highest of the trades that were looked at.
    """
    name, pool, seen = "liquidity drop", facts.pool, facts.trading
    if pool is None:
        return missing(name, facts, "pool")
    if seen is None:
        return missing(name, facts, "trading")
    told = list(_reserves(seen.swaps))
    if not told:
        return unknown(name, "no trade that tells the reserves is known")
    base, quote, most = pool.base_units, pool.effective_quote_units, Fraction(settings.max_liquidity_drop)
    highest = max(each * other for each, other in told)
    # The product is a square: to halve the liquidity is to quarter it.
    pulled = base * quote < highest * (1 - most) ** 2
    left = Fraction(quote, max(other for _, other in told))
    drop = max(1 - left, Fraction(0))
    figures = {"quote_drop": float(drop), "max_drop": float(most), "withdrawn": pulled}
    if pulled:
        return unsafe(
            name, f"more than {percent(most)} of the liquidity was withdrawn within the last trades", **figures
        )
    text = (
        f"the quote side is {percent(drop)} below its highest of the last {len(told)} trades; at most {percent(most)}"
    )
    return (unsafe if drop > most else safe)(name, text, **figures)


def host_flags(figures: MarketFigures) -> tuple[str, ...]:
    """The host's scam flags, as it computes them: a missing figure counts as 0."""
    fdv, volume, reserve = figures.fdv_usd or 0, figures.volume_usd_h24 or 0, figures.reserve_usd or 0
    flags = []
    if not figures.sells_h24 and fdv < _LOW_FDV_USD:
        flags.append(f"no sells, and an FDV of {fdv:,.0f} USD below {_LOW_FDV_USD:,}")
    if volume < _LOW_VOLUME_USD:
        flags.append(f"a volume of {volume:,.0f} USD in 24 h, below {_LOW_VOLUME_USD}")
    ratio = fdv / (reserve + 1)
    if ratio > _MOST_FDV_TO_LIQUIDITY and reserve < _DEEP_USD:
        flags.append(f"an FDV of {ratio:,.0f} times the liquidity of {reserve:,.0f} USD")
    return tuple(flags)


def market_figures(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck | None:
    """The host's flags on what market-data services tell; None where none was asked."""
    name = "market figures"
    if facts.market is None:
        return missing(name, facts, "market") if "market" in facts.unread else None
    if wrong := _untrue(facts.market):
        return unknown(name, wrong)
    if flags := host_flags(facts.market):
        return unsafe(name, "; ".join(flags), flags=list(flags))
    told = (facts.market.fdv_usd, facts.market.volume_usd_h24, facts.market.reserve_usd)
    if any(one is None for one in told):
        return unknown(name, "FDV, volume or liquidity is not told")
    return safe(name, "none of the collector's scam flags")


def _untrue(figures: MarketFigures) -> str:
    """Which figure cannot be true: comparisons with NaN are all false, and would flag nothing."""
    for name in ("fdv_usd", "volume_usd_h24", "reserve_usd"):
        value = getattr(figures, name)
        if value is not None and not (isfinite(value) and value >= 0):
            return f"{name} is told as {value:g}"
    return ""


def _reserves(swaps: Sequence[SeenSwap]) -> Iterator[tuple[int, int]]:
    for swap in swaps:
        if swap.base_reserve is not None and swap.quote_reserve is not None:
            yield swap.base_reserve, swap.quote_reserve
