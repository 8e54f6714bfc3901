"""Fake volume: trades that somebody makes with himself, so that a coin looks alive.

What cannot be seen here is said in the page on screens: wallets funded by one hand look like different people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from pumpswap.model import ScreenCheck, SeenSwap, TokenFacts
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens.verdicts import missing, nameless, percent, safe, unknown, unsafe

__all__ = ["Volume", "alternation", "measure_volume", "round_trips", "same_sizes", "wallet_share"]

# In 88 windows of 60 trades of a real pool the largest was 0.66; by chance ten trades alternate once in 500 times.
_ALTERNATING = Fraction(9, 10)


@dataclass(frozen=True, slots=True)
class Volume:
    """Figures of a window of trades; shares are of the quote volume, except the last two, which are of the trades."""

    trades: int
    nameless: int
    quote_units: int
    top_wallet: str
    top_share: Fraction
    round_trips: Fraction
    same_sizes: Fraction
    alternation: Fraction


def measure_volume(swaps: Sequence[SeenSwap]) -> Volume | None:
    """Figures of these trades; None when nothing was traded or nobody is named."""
    total = sum(swap.quote_units for swap in swaps)
    named = [swap for swap in swaps if swap.trader]
    if not total or not named:
        return None
    bought: dict[str, int] = defaultdict(int)
    sold: dict[str, int] = defaultdict(int)
    for swap in named:
        (bought if swap.is_buy else sold)[swap.trader] += swap.quote_units
    wallets = sorted(bought.keys() | sold.keys())
    top = max(wallets, key=lambda one: bought[one] + sold[one])
    sizes = Counter(swap.quote_units for swap in swaps)
    changes = sum(before.is_buy is not after.is_buy for before, after in pairwise(swaps))
    return Volume(
        trades=len(swaps),
        nameless=len(swaps) - len(named),
        quote_units=total,
        top_wallet=top,
        top_share=Fraction(bought[top] + sold[top], total),
        round_trips=Fraction(sum(2 * min(bought[one], sold[one]) for one in wallets), total),
        same_sizes=Fraction(max(sizes.values()), len(swaps)),
        alternation=Fraction(changes, max(len(swaps) - 1, 1)),
    )


def wallet_share(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Share of the volume by the busiest wallet."""
    name = "volume of one wallet"
    found = _window(facts, settings, name)
    if isinstance(found, ScreenCheck):
        return found
    most = Fraction(settings.max_wallet_share)
    text = f"{found.top_wallet} made {percent(found.top_share)} of the volume {_of(found)}; at most {percent(most)}"
    return _judged(name, text, found.top_share, most, nameless(found.nameless, found.trades))


def round_trips(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Share of the volume that the same wallets bought and sold again. Bots do it too: a false alarm is possible."""
    name = "round trips"
    found = _window(facts, settings, name)
    if isinstance(found, ScreenCheck):
        return found
    most = Fraction(settings.max_round_trip_share)
    share = percent(found.round_trips)
    text = f"{share} of the volume {_of(found)} was bought and sold by the same wallets; at most {percent(most)}"
    return _judged(name, text, found.round_trips, most, nameless(found.nameless, found.trades))


def same_sizes(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Share of the trades with one and the same amount."""
    name = "same sizes"
    found = _window(facts, settings, name)
    if isinstance(found, ScreenCheck):
        return found
    most = Fraction(settings.max_same_size_share)
    text = f"{percent(found.same_sizes)} {_of(found)} are of the same amount; at most {percent(most)}"
    return _judged(name, text, found.same_sizes, most)


def alternation(facts: TokenFacts, settings: ScreenSettings) -> ScreenCheck:
    """Buy, sell, buy, sell: a market maker for the chart. People come in runs."""
    name = "alternation"
    found = _window(facts, settings, name)
    if isinstance(found, ScreenCheck):
        return found
    share = found.alternation
    text = f"{percent(share)} {_of(found)} follow one of the other side; below {percent(_ALTERNATING)}"
    return _judged(name, text, share, _ALTERNATING, at_limit=True)


def _window(facts: TokenFacts, settings: ScreenSettings, name: str) -> Volume | ScreenCheck:
    if facts.trading is None:
        return missing(name, facts, "trading")
    count = len(facts.trading.swaps)
    if count < settings.min_swaps:
        text = f"only {count} trades are known, {settings.min_swaps} say something"
        return unknown(name, text, trades=count, min_swaps=settings.min_swaps)
    return measure_volume(facts.trading.swaps) or unknown(name, "the trades name no wallets", trades=count)


def _judged(
    name: str, text: str, share: Fraction, most: Fraction, doubt: str = "", *, at_limit: bool = False
) -> ScreenCheck:
    """``doubt``: why the share may be larger than it looks."""
    is_bad = share > most or (at_limit and share == most)
    if doubt and not is_bad:
        return unknown(name, doubt)
    return (unsafe if is_bad else safe)(name, text, share=float(share), max_share=float(most))


def _of(found: Volume) -> str:
    return f"of the last {found.trades} trades"
