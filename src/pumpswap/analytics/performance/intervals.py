"""Intervals around shares, means and Sharpe ratios, at 95 % confidence. Floats: these are statistics, not money."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, fsum, isfinite, lgamma, log, log1p, sqrt
from statistics import NormalDist

from pumpswap.analytics.performance.estimate import CONFIDENCE, Estimate, no_value

__all__ = ["mean_of", "ratio_of", "share_of", "sharpe_bounds", "spread_of", "student_quantile"]

_TAIL = (1 + CONFIDENCE) / 2
_NORMAL = NormalDist().inv_cdf(_TAIL)
_LIKE_NORMAL = 10_000_000  # degrees of freedom from which on Student's quantile is the normal one to seven digits
_TINY = 1e-300


def share_of(hits: int, samples: int, none: str) -> Estimate:
    """A share with Wilson's interval, which stays within 0 and 1 and is right for few samples too."""
    if samples == 0:
        return no_value(none)
    share, square = hits / samples, _NORMAL**2
    centre = (share + square / (2 * samples)) / (1 + square / samples)
    half = _NORMAL / (1 + square / samples) * sqrt(share * (1 - share) / samples + square / (4 * samples**2))
    # At the ends the bound is the end itself; floats would miss it by a hair.
    low = 0.0 if hits == 0 else max(centre - half, 0.0)
    return Estimate(share, samples, low, 1.0 if hits == samples else min(centre + half, 1.0))


def mean_of(values: Sequence[float], none: str) -> Estimate:
    """A mean with Student's interval; one value has no interval."""
    if not values:
        return no_value(none)
    samples = len(values)
    mean = fsum(values) / samples
    if samples == 1:
        return Estimate(mean, 1)
    half = student_quantile(samples - 1) * spread_of(values) / sqrt(samples)
    return Estimate(mean, samples, mean - half, mean + half)


def spread_of(values: Sequence[float]) -> float:
    """Sample standard deviation, from two values on. 0 where what differs is only the rounding of floats."""
    mean = fsum(values) / len(values)
    spread = sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return 0.0 if spread <= 1e-12 * max(map(abs, values)) else spread


def ratio_of(above: Sequence[float], below: Sequence[float]) -> tuple[float, float] | None:
    """Bounds of the ratio of the sums of two series that were seen together, by the variance of its logarithm.

    None where the samples are too few, or where a sum is not above zero.
    """
    samples, one, other = len(above), fsum(above), fsum(below)
    if samples < 2 or one <= 0 or other <= 0:
        return None
    # Relative deviations of the pairs: their variance is that of the logarithm, to first order.
    apart = spread_of([first / one - second / other for first, second in zip(above, below, strict=True)])
    half = student_quantile(samples - 1) * apart * sqrt(samples)
    if half > 600:  # beyond what a float can say, and beyond all meaning
        return None
    return one / other * exp(-half), one / other * exp(half)


def sharpe_bounds(sharpe: float, periods: int, periods_a_year: float) -> tuple[float, float]:
    """Lo (2002) for returns that do not depend on one another: bounds of an annualised ratio of so many periods."""
    one_period = sharpe / sqrt(periods_a_year)
    half = _NORMAL * sqrt((1 + one_period**2 / 2) / periods) * sqrt(periods_a_year)
    return sharpe - half, sharpe + half


@lru_cache(maxsize=1_024)
def student_quantile(freedom: int, share: float = _TAIL) -> float:
    """What Student's t with so many degrees of freedom does not exceed with this probability (above a half)."""
    if freedom >= _LIKE_NORMAL:
        return NormalDist().inv_cdf(share)
    low, high = 0.0, 1.0
    while _student_cdf(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _student_cdf(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return high


def _student_cdf(value: float, freedom: int) -> float:
    """Of a value that is not negative."""
    return 1 - _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + value * value)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # there the fraction converges fast for the mirrored one
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for step in range(1, 300):
        before = fraction
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            fraction *= c * d
        if fraction == before or not isfinite(fraction):
            break
    return front * fraction


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
