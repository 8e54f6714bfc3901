"""Returns of the equity curve and the ratios of them, each with its interval or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.analytics.performance import ratios
from pumpswap.analytics.performance.curve import drawdown_of, period_of, period_returns
from pumpswap.analytics.performance.estimate import Estimate, no_value
from pumpswap.analytics.performance.intervals import sharpe_bounds
from pumpswap.analytics.performance.result import CurvePoint, DrawdownFigures, Returns
from pumpswap.clock import NS_PER_SECOND

__all__ = ["LEAST_DAYS", "return_figures"]

LEAST_DAYS = 30  # a shorter time says nothing of a year
_DAY_NS = 86_400 * NS_PER_SECOND
_YEAR_SECONDS = 365 * 86_400


def return_figures(curve: Sequence[CurvePoint]) -> Returns:
    """Of the curve of one time. Ratios need two periods; what is of a year needs ``LEAST_DAYS``."""
    period = period_of(curve)
    returns, year, drawdown = period_returns(curve, period), _YEAR_SECONDS / period, drawdown_of(curve)
    word = "daily" if period == 86_400 else "hourly"
    few = "" if len(returns) > 1 else f"needs two {word} returns, there {'is one' if returns else 'are none'}"
    annual = _annual(curve)
    return Returns(
        period_seconds=period,
        returns=returns,
        total=Estimate(curve[-1].index / curve[0].index - 1, len(returns)) if len(curve) > 1 else no_value(_UNMEASURED),
        annual=annual,
        volatility=_named(ratios.volatility(returns, year), few, returns),
        sharpe=_sharpe(returns, year, few),
        sortino=_named(ratios.sortino(returns, year), few or "no period has lost", returns),
        calmar=_calmar(annual, drawdown),
        drawdown=drawdown,
    )


_UNMEASURED = "equity was measured less than twice"


def _named(value: float | None, reason: str, returns: Sequence[float]) -> Estimate:
    return no_value(reason, len(returns)) if value is None else Estimate(value, len(returns))


def _annual(curve: Sequence[CurvePoint]) -> Estimate:
    if len(curve) < 2:
        return no_value(_UNMEASURED)
    days = (curve[-1].at_ns - curve[0].at_ns) / _DAY_NS
    if days < LEAST_DAYS:
        return no_value(f"needs {LEAST_DAYS} days, there are {days:.1f}")
    value = ratios.annual_return([curve[-1].index / curve[0].index - 1], 365 / days)
    return no_value("beyond all numbers") if value is None else Estimate(value, round(days))


def _sharpe(returns: Sequence[float], year: float, few: str) -> Estimate:
    value = ratios.sharpe(returns, year)
    if value is None:
        return no_value(few or "the returns do not vary", len(returns))
    return Estimate(value, len(returns), *sharpe_bounds(value, len(returns), year))


def _calmar(annual: Estimate, drawdown: DrawdownFigures) -> Estimate:
    if annual.value is None:
        return no_value(annual.reason, annual.samples)
    if drawdown.share <= 0:
        return no_value("equity has never fallen", annual.samples)
    return Estimate(annual.value / drawdown.share, annual.samples)
