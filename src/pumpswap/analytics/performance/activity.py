"""How much was traded, how long it was held, and how much of the money was at work."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from pumpswap.analytics.performance.estimate import NO_ROUNDS, Estimate, no_value
from pumpswap.analytics.performance.given import PerformanceInput
from pumpswap.analytics.performance.intervals import mean_of
from pumpswap.analytics.performance.result import Activity
from pumpswap.model import EquityPoint
from pumpswap.model.booked import BookedRound

__all__ = ["activity_of"]


def activity_of(given: PerformanceInput, closed: Sequence[BookedRound]) -> Activity:
    """``closed`` are the rounds that were closed in this time."""
    bought = [fill.quote_lamports for fill in given.fills if fill.is_buy]
    sold = [fill.quote_lamports for fill in given.fills if not fill.is_buy]
    held = [max((one.closed_ns or 0) - one.opened_ns, 0) for one in closed]
    slips = [slip for slip in (fill.slippage for fill in given.fills) if slip is not None]
    mean_equity, exposure = _weighted(given.equity, given.since_ns)
    return Activity(
        fills=len(given.fills),
        buys=len(bought),
        sells=len(sold),
        bought_lamports=sum(bought),
        sold_lamports=sum(sold),
        exposure=exposure,
        time_in_market=_time_in_market(given),
        turnover=_turnover(sum(bought) + sum(sold), mean_equity, len(given.fills)),
        mean_holding_ns=mean_of(held, NO_ROUNDS),
        median_holding_ns=median_low(held) if held else None,
        mean_slippage=mean_of(slips, "no fill has a quote to compare with"),
    )


def _weighted(points: Sequence[EquityPoint], since_ns: int) -> tuple[float | None, Estimate]:
    """(mean equity, mean share of it in positions): each measurement counts until the next one, not before the time."""
    if not points:
        return None, no_value("equity was never measured")
    last = points[-1]
    total = last.at_ns - max(points[0].at_ns, since_ns)
    equity = in_positions = 0
    for point, later in pairwise(points):
        span = later.at_ns - max(point.at_ns, since_ns)
        in_positions += span * point.marks_lamports
        equity += span * (point.cash_lamports + point.marks_lamports + point.rent_lamports)
    if total <= 0:  # all at one moment
        total, equity, in_positions = 1, last.equity_lamports, last.marks_lamports
    if equity <= 0:
        return None, no_value("there was no equity", len(points))
    return equity / total, Estimate(in_positions / equity, len(points))


def _turnover(traded: int, mean_equity: float | None, fills: int) -> Estimate:
    if mean_equity is None:
        return no_value("there was no equity, or it was never measured", fills)
    return Estimate(traded / 2 / mean_equity, fills)


def _time_in_market(given: PerformanceInput) -> Estimate:
    """The rounds of ``given`` are in order of opening, and overlap."""
    begin, end = _span(given)
    if end <= begin:
        return no_value("nothing was measured or traded in this time")
    covered, reached = 0, begin
    for one in given.rounds:
        closed_ns = end if one.closed_ns is None else min(one.closed_ns, end)
        opened_ns = max(one.opened_ns, reached)
        if closed_ns > opened_ns:
            covered += closed_ns - opened_ns
            reached = closed_ns
    return Estimate(covered / (end - begin), len(given.rounds))


def _span(given: PerformanceInput) -> tuple[int, int]:
    """The time, cut to where the books are: from the first thing in it to the last."""
    times = [point.at_ns for point in (*given.equity[:1], *given.equity[-1:])]
    times += [fill.at_ns for fill in (*given.fills[:1], *given.fills[-1:])]
    times += [one.opened_ns for one in given.rounds[:1]]
    if not times:
        return 0, 0
    return max(min(times), given.since_ns), max(times)
