"""The pool: is it the coin's own, and can its liquidity be taken away?"""

from __future__ import annotations

from fractions import Fraction

from pumpswap.model import ScreenCheck, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, percent, safe, unknown, unsafe

__all__ = ["canonical_pool", "lp_burned"]


def canonical_pool(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Its address tells: only the Pump program can make it, and only from a finished bonding curve."""
    name, pool = "canonical pool", facts.pool
    if pool is None:
        return missing(name, facts, "pool")
    if not pool.is_canonical:
        text = f"{pool.address} is not the coin's canonical pool: anyone can make one and pull its liquidity"
        return unsafe(name, text, pool=pool.address)
    if pool.is_graduated is None and "curve" in facts.unread:
        return unknown(name, f"its bonding curve cannot be read: {facts.unread['curve']}", pool=pool.address)
    if pool.is_graduated is False:
        return unknown(name, "the bonding curve does not say that it is complete", pool=pool.address)
    how = "the bonding curve is complete" if pool.is_graduated else "no bonding curve is left to compare with"
    return safe(name, f"the one that only pump.fun can make; {how}", pool=pool.address)


def lp_burned(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """The pool reckons with ``lp_supply``; what the LP mint lacks of it was burned when the coin graduated.

    Later deposits dilute that share: their LP tokens can be withdrawn again, the burned ones never.
    """
    name, pool = "LP burned", facts.pool
    if pool is None:
        return missing(name, facts, "pool")
    burned, least = pool.lp_burned, Fraction(settings.min_lp_burned)
    if burned is None:
        what = "the LP mint could not be read" if pool.lp_minted_units is None else "the pool has issued no LP tokens"
        return unknown(name, f"not known: {facts.unread.get('lp', what)}")
    figures = {
        "lp_supply_units": str(pool.lp_supply_units),
        "lp_minted_units": str(pool.lp_minted_units),
        "burned": float(burned),
    }
    text = f"{percent(burned)} of the liquidity can never be withdrawn, at least {percent(least)}"
    return (safe if burned >= least else unsafe)(name, text, **figures)
