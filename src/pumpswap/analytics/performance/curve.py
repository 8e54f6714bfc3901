"""The equity curve without what was put in or taken out: time-weighted index, returns by period, drawdowns."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.analytics.performance.given import PerformanceInput
from pumpswap.analytics.performance.ratios import DUST
from pumpswap.analytics.performance.result import CurvePoint, DrawdownFigures
from pumpswap.clock import NS_PER_SECOND

__all__ = ["curve_of", "drawdown_of", "period_of", "period_returns"]

_HOUR = 3_600
_DAY = 24 * _HOUR
_DAYS_FROM = 10 * _DAY * NS_PER_SECOND  # a time as long as this is cut into days, a shorter one into hours


def curve_of(given: PerformanceInput) -> list[CurvePoint]:
    """One point for each measurement. Money that comes in works from then on, money that leaves did until then: between
    two measurements a return is (end + taken out) / (begin + put in) − 1.

    What was put in between two is what the later one says beyond the earlier: a deposit is in the wallet before anybody
    has booked it, and until then it is not in equity either. Books that begin in this time begin with what was put in,
    so that what the first trades cost is part of the curve. A measurement of before this time counts as its beginning.
    """
    if not given.equity:
        return []
    first, flows = given.equity[0], given.capital
    place, booked = _until(flows, first.at_ns)
    put_in = booked if first.put_in_lamports is None else first.put_in_lamports
    index, before, curve = 1.0, first.equity_lamports, list[CurvePoint]()
    if given.begins_here and put_in > 0:
        begun_ns = min(flows[0][0], first.at_ns) if flows else first.at_ns
        curve.append(CurvePoint(max(begun_ns, given.since_ns), put_in, 0, 1.0))
        before = put_in
    for point in given.equity:
        equity, coming, leaving = point.equity_lamports, 0, 0
        while place < len(flows) and flows[place][0] <= point.at_ns:
            lamports = flows[place][1]
            coming, leaving = coming + max(lamports, 0), leaving + max(-lamports, 0)
            place += 1
        booked += coming - leaving
        change = (booked if point.put_in_lamports is None else point.put_in_lamports) - put_in
        if coming - leaving != change:  # booked later than it happened
            coming, leaving = max(change, 0), max(-change, 0)
        put_in += change
        if before + coming > 0:
            grown = equity + leaving
            index = index * grown / (before + coming) if grown > 0 else 0.0
        curve.append(CurvePoint(max(point.at_ns, given.since_ns), equity, equity - put_in, index))
        before = equity
    return curve


def _until(flows: Sequence[tuple[int, int]], at_ns: int) -> tuple[int, int]:
    """(place of the first one later than ``at_ns``, sum of those before it)."""
    place = total = 0
    while place < len(flows) and flows[place][0] <= at_ns:
        total += flows[place][1]
        place += 1
    return place, total


def period_of(curve: Sequence[CurvePoint]) -> int:
    """Seconds of a period: a day where the curve spans ten or more, else an hour."""
    long = len(curve) > 1 and curve[-1].at_ns - curve[0].at_ns >= _DAYS_FROM
    return _DAY if long else _HOUR


def period_returns(curve: Sequence[CurvePoint], period_seconds: int) -> tuple[float, ...]:
    """Return of each period of the calendar (UTC) that the curve touches. One without a measurement has none: 0, and
    what has happened meanwhile is of the period of the next measurement. The first and the last may be parts of one.
    """
    if len(curve) < 2:
        return ()
    length = period_seconds * NS_PER_SECOND
    returns, begun, last = list[float](), curve[0].index, curve[0].index
    current = curve[0].at_ns // length
    for point in curve:
        period = point.at_ns // length
        if period != current:
            returns.append(_return(begun, last))
            returns += [0.0] * (period - current - 1)
            begun, current = last, period
        last = point.index
    returns.append(_return(begun, last))
    return tuple(returns)


def _return(begun: float, ended: float) -> float:
    return ended / begun - 1 if begun > 0 else 0.0


def drawdown_of(curve: Sequence[CurvePoint]) -> DrawdownFigures:
    """See DrawdownFigures. Of no points: zeros."""
    if not curve:
        return DrawdownFigures(0, 0.0, None, None, None, 0, 0.0)
    peak, peak_ns, top = curve[0].index, curve[0].at_ns, curve[0].net_lamports
    share, lamports, longest = 0.0, 0, 0
    fell_ns: int | None = None  # peak before the deepest fall
    trough_ns: int | None = None
    recovered_ns: int | None = None
    is_below = False
    for point in curve:
        net = point.net_lamports
        if net > top:
            top = net
        elif top - net > lamports:
            lamports = top - net
        if point.index >= peak * (1 - DUST):
            if is_below:
                longest = max(longest, point.at_ns - peak_ns)
                if fell_ns == peak_ns and recovered_ns is None:
                    recovered_ns = point.at_ns
            peak, peak_ns, is_below = max(peak, point.index), point.at_ns, False
            continue
        is_below = True
        fall = 1 - point.index / peak
        if fall > share:
            share, fell_ns, trough_ns, recovered_ns = fall, peak_ns, point.at_ns, None
    if is_below:
        longest = max(longest, curve[-1].at_ns - peak_ns)
    return DrawdownFigures(
        lamports=lamports,
        share=share,
        peak_ns=fell_ns,
        trough_ns=trough_ns,
        recovered_ns=recovered_ns,
        longest_ns=longest,
        current_share=1 - curve[-1].index / peak if is_below else 0.0,
    )
