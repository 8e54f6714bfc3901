"""largest_with_way_out: the largest buy that could be sold again at once at an acceptable loss."""

from __future__ import annotations

from collections.abc import Iterator

from pumpswap.amm.pool import FeeFamily
from pumpswap.errors import TradeRefused
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.units import BPS

__all__ = ["largest_with_way_out"]


def largest_with_way_out(quotes: PoolQuotes, most: int, max_loss_bps: int) -> int:
    """The largest budget up to ``most`` whose exact round trip loses at most ``max_loss_bps``; 0 when none does.

    What a round trip loses does not grow with the budget as long as the sale pays the same rates: a buy of g into E
    leaves its LP fee l·g behind, so selling the same base brings g·(1 + l·g/(E + g)) before fees, and the rest are
    rates. Only the tier of the sale, which follows from the price that the buy has made, can make a smaller budget the
    cheaper one. So the best budget of each tier is its largest, and these are all that has to be looked at, from above.

    Whatever is returned has passed exactly. Amounts are rounded to whole units, which no search over tiers sees: in a
    pool where one unit of base is a noticeable part of the trade, a smaller budget may pass although 0 is returned.
    """
    return next((budget for budget in _tops(quotes, most) if _passes(quotes, budget, max_loss_bps)), 0)


def _passes(quotes: PoolQuotes, budget: int, max_loss_bps: int) -> bool:
    try:
        loss = quotes.round_trip_loss(budget)
    except TradeRefused:
        return False
    return loss.numerator * BPS <= max_loss_bps * loss.denominator


def _tops(quotes: PoolQuotes, most: int) -> Iterator[int]:
    """The largest budgets up to ``most`` of each tier that the sale after it may pay, the largest first."""
    yield most
    try:
        reached = quotes.after_buy(most).market_cap
    except TradeRefused:
        return
    above = quotes.state.market_cap
    for threshold in sorted(_thresholds(quotes), reverse=True):
        if above < threshold <= reached:
            below = _largest_below(quotes, most, threshold)
            if below:
                yield below


def _largest_below(quotes: PoolQuotes, most: int, threshold: int) -> int:
    """The largest budget after which the pool's market cap is below ``threshold``: it rises with every budget."""
    fits, reaches = 0, most
    while reaches - fits > 1:
        middle = (fits + reaches) // 2
        if _cap_after(quotes, middle) < threshold:
            fits = middle
        else:
            reaches = middle
    return fits


def _cap_after(quotes: PoolQuotes, budget: int) -> int:
    try:
        return quotes.after_buy(budget).market_cap
    except TradeRefused:  # too little to buy a single unit: the pool stays as it is
        return quotes.state.market_cap


def _thresholds(quotes: PoolQuotes) -> list[int]:
    fees, family = quotes.schedule.fee_config, quotes.state.pool.fee_family
    if family is FeeFamily.SOL:
        tiers = fees.fee_tiers
    elif family is FeeFamily.STABLE:
        tiers = fees.stable_fee_tiers or fees.fee_tiers
    else:
        return []
    return [tier.market_cap_lamports_threshold for tier in tiers]
