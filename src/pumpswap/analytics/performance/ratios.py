"""Ratios of a series of returns, as the field defines them; None where a series has no such ratio.

A year has ``periods_a_year`` returns. There is no riskless rate: nobody pays one on SOL that lies in a wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import expm1, fsum, log1p, prod, sqrt

from pumpswap.analytics.performance.intervals import spread_of

__all__ = ["DUST", "annual_return", "calmar", "downside", "max_fall", "sharpe", "sortino", "total_return", "volatility"]

DUST = 1e-12  # of a level: what has fallen by no more than this has not fallen, a float was rounded


def total_return(returns: Sequence[float]) -> float:
    """All returns after one another; 0 without any."""
    return prod(1 + value for value in returns) - 1


def annual_return(returns: Sequence[float], periods_a_year: float) -> float | None:
    """The constant growth of a year that leads to the same end (CAGR); None without a return, or beyond
    all numbers.
    """
    if not returns:
        return None
    if any(value <= -1 for value in returns):
        return -1.0
    growth = fsum(log1p(value) for value in returns) * periods_a_year / len(returns)
    return expm1(growth) if growth < 700 else None  # beyond what a float can hold


def volatility(returns: Sequence[float], periods_a_year: float) -> float | None:
    """Sample standard deviation, annualised; None for fewer than two returns."""
    return spread_of(returns) * sqrt(periods_a_year) if len(returns) > 1 else None


def sharpe(returns: Sequence[float], periods_a_year: float) -> float | None:
    """Mean over sample standard deviation, annualised; None where the returns do not vary."""
    spread = spread_of(returns) if len(returns) > 1 else 0.0
    return _mean(returns) / spread * sqrt(periods_a_year) if spread > 0 else None


def downside(returns: Sequence[float], periods_a_year: float) -> float | None:
    """Root of the mean square of what is below zero, over all returns, annualised; None without a return."""
    if not returns:
        return None
    return sqrt(fsum(value**2 for value in returns if value < -DUST) / len(returns)) * sqrt(periods_a_year)


def sortino(returns: Sequence[float], periods_a_year: float) -> float | None:
    """Annualised mean over ``downside``; None for fewer than two returns and where none is below zero."""
    risk = downside(returns, periods_a_year)
    return _mean(returns) * periods_a_year / risk if len(returns) > 1 and risk else None


def max_fall(returns: Sequence[float]) -> float:
    """Deepest fall of the compounded curve from a peak, the start included, as a share; 0 where it never fell."""
    level = peak = 1.0
    deepest = 0.0
    for value in returns:
        level *= 1 + value
        peak = max(peak, level)
        deepest = max(deepest, 1 - level / peak)
    return deepest if deepest > DUST else 0.0


def calmar(returns: Sequence[float], periods_a_year: float) -> float | None:
    """Annual return over the deepest fall; None where it never fell, or without a return."""
    annual, fall = annual_return(returns, periods_a_year), max_fall(returns)
    return annual / fall if annual is not None and fall > 0 else None


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)
