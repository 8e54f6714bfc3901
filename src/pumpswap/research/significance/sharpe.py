"""Sharpe ratios and what they are worth: probabilistic and deflated (Bailey and López de Prado, 2012 and 2014).

Everything is per period (not annualised) unless a name says so. Floats: statistics, not money.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import e, fsum, isfinite, sqrt
from statistics import NormalDist

import msgspec

from pumpswap.errors import UsageError

__all__ = [
    "Moments",
    "deflated_sharpe",
    "effective_trials",
    "expected_best_sharpe",
    "mean_correlation",
    "moments_of",
    "probabilistic_sharpe",
    "sharpe_interval",
    "shortest_record",
]

_NORMAL = NormalDist()
_EULER = 0.5772156649015329
_FLAT = 1e-12  # a spread below this share of the largest value is the rounding of floats
_LEAST_PERIODS = 4  # below, the fourth moment says nothing at all


class Moments(msgspec.Struct, frozen=True):
    """Of the returns of equal periods. ``kurtosis`` is 3 for a normal distribution; ``sharpe`` is mean over spread."""

    periods: int
    mean: float
    spread: float
    skew: float
    kurtosis: float

    @property
    def sharpe(self) -> float:
        """Per period."""
        return self.mean / self.spread

    @property
    def sharpe_error(self) -> float:
        """Standard error of the ratio, by skew and kurtosis (Mertens 2002)."""
        ratio = self.sharpe
        inner = 1 - self.skew * ratio + (self.kurtosis - 1) / 4 * ratio**2
        return sqrt(max(inner, 0.0) / (self.periods - 1))


def moments_of(returns: Sequence[float]) -> Moments | None:
    """The moments; None for fewer than four periods, or where nothing ever moved. Raises UsageError for a return that
    is no finite number: every test of it would be passed.
    """
    periods = len(returns)
    if not all(map(isfinite, returns)):
        raise UsageError("a return is no finite number", hint="leave out what was not measured")
    if periods < _LEAST_PERIODS:
        return None
    mean = fsum(returns) / periods
    apart = [one - mean for one in returns]
    second = fsum(one**2 for one in apart) / periods
    if sqrt(second) <= _FLAT * max(map(abs, returns)) or second == 0:
        return None
    return Moments(
        periods=periods,
        mean=mean,
        spread=sqrt(second * periods / (periods - 1)),
        skew=fsum(one**3 for one in apart) / periods / second**1.5,
        kurtosis=fsum(one**4 for one in apart) / periods / second**2,
    )


def probabilistic_sharpe(of: Moments, benchmark: float = 0.0) -> float:
    """The probability that the true ratio is above ``benchmark`` (per period), by length, skew and fat tails."""
    error = of.sharpe_error
    if error == 0:
        return 1.0 if of.sharpe > benchmark else 0.0
    return _NORMAL.cdf((of.sharpe - benchmark) / error)


def sharpe_interval(of: Moments, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds of the ratio, per period."""
    half = _NORMAL.inv_cdf((1 + confidence) / 2) * of.sharpe_error
    return of.sharpe - half, of.sharpe + half


def shortest_record(of: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """How many periods like these are needed to say with ``confidence`` that the ratio is above ``benchmark``; None
    where it is not above.
    """
    if of.sharpe <= benchmark:
        return None
    inner = of.sharpe_error**2 * (of.periods - 1)
    return 1 + inner * (_NORMAL.inv_cdf(confidence) / (of.sharpe - benchmark)) ** 2


def expected_best_sharpe(trials: float, spread: float) -> float:
    """What the best of so many trials without any skill is expected to show, whose ratios spread so far.

    ``trials`` may be a fraction (effective trials); one trial or none has nothing to be best of.
    """
    if trials <= 1:
        return 0.0
    first, second = _NORMAL.inv_cdf(1 - 1 / trials), _NORMAL.inv_cdf(1 - 1 / (trials * e))
    return max(spread * ((1 - _EULER) * first + _EULER * second), 0.0) + 0.0  # never minus zero


def deflated_sharpe(best: Moments, trials: float, spread: float) -> float:
    """The probability that the best of ``trials`` is better than what luck alone would have shown as the best.

    ``spread``: standard deviation of the ratios of all trials, per period.
    """
    return probabilistic_sharpe(best, expected_best_sharpe(trials, spread))


def effective_trials(trials: int, correlation: float) -> float:
    """How many independent trials so many correlated ones are worth (the paper's interpolation)."""
    within = min(max(correlation, 0.0), 1.0)
    return within + (1 - within) * trials


def mean_correlation(returns: Sequence[Sequence[float]]) -> float:
    """The mean correlation of all pairs of trials, each a series of as many returns; 0 for fewer than two that move.

    By the variance of the sum: no pair is looked at, so that ten thousand trials take as many steps, not their square.
    """
    standard: list[list[float]] = []
    for series in returns:
        found = moments_of(series)
        if found is not None:
            scale = found.spread * sqrt((found.periods - 1) / found.periods)
            standard.append([(one - found.mean) / scale for one in series])
    count = len(standard)
    if count < 2:
        return 0.0
    periods = len(standard[0])
    total = fsum(fsum(column) ** 2 for column in zip(*standard, strict=True)) / periods
    return (total - count) / (count * (count - 1))
