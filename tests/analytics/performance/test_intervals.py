"""Intervals equal those of scipy, and say nothing where nothing can be said."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats

from pumpswap.analytics.performance.intervals import (
    mean_of,
    ratio_of,
    share_of,
    sharpe_bounds,
    spread_of,
    student_quantile,
)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 7, 10, 29, 30, 31, 100, 1_000, 12_345, 999_999, 1_000_000, 10**9])
def test_student_s_quantile(freedom: int) -> None:
    assert math.isclose(student_quantile(freedom), stats.t.ppf(0.975, freedom), rel_tol=1e-6)
    assert math.isclose(student_quantile(freedom, 0.9), stats.t.ppf(0.9, freedom), rel_tol=1e-6)


def test_wilson_s_interval() -> None:
    for samples in (1, 2, 3, 10, 57, 1_000, 100_000):
        for hits in {0, 1, samples // 3, samples // 2, samples - 1, samples}:
            found = share_of(hits, samples, "")
            expected = stats.binomtest(hits, samples).proportion_ci(0.95, method="wilson")
            assert (found.value, found.samples) == (hits / samples, samples)
            assert found.low == pytest.approx(expected.low, abs=1e-12)
            assert found.high == pytest.approx(expected.high, abs=1e-12)
            assert found.low is not None and found.high is not None
            assert 0 <= found.low <= hits / samples <= found.high <= 1


def test_no_trades_have_no_share_and_no_mean() -> None:
    assert share_of(0, 0, "no round was closed").to_json() == {
        "value": None, "low": None, "high": None, "samples": 0, "reason": "no round was closed",
    }  # fmt: skip
    assert mean_of([], "nothing").reason == "nothing"
    assert not mean_of([], "nothing").is_known


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = mean_of([5], "")
    assert (found.value, found.low, found.high, found.samples) == (5, None, None, 1)


def test_student_s_interval_of_a_mean() -> None:
    rng = random.Random(5)
    for samples in (2, 3, 10, 400):
        values = [rng.gauss(3, 20) for _ in range(samples)]
        low, high = stats.t.interval(0.95, samples - 1, np.mean(values), stats.sem(values))
        found = mean_of(values, "")
        assert found.low == pytest.approx(low, rel=1e-9)
        assert found.high == pytest.approx(high, rel=1e-9)


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    rng, held = random.Random(6), 0
    for _ in range(1_000):
        found = mean_of([rng.gauss(1, 5) for _ in range(6)], "")
        assert found.low is not None and found.high is not None
        held += found.low <= 1 <= found.high
    assert 930 <= held <= 970


def test_the_interval_of_a_ratio_holds_it_about_as_often_as_it_says() -> None:
    rng, held = random.Random(7), 0
    for _ in range(600):
        results = [rng.gauss(0.2, 1) for _ in range(80)]
        bounds = ratio_of([max(one, 0) for one in results], [max(-one, 0) for one in results])
        assert bounds is not None
        true = _gain(0.2) / _gain(-0.2)
        held += bounds[0] <= true <= bounds[1]
    assert 540 <= held <= 590


def _gain(mean: float) -> float:
    """Mean of the positive part of a normal variable of spread 1."""
    return mean * float(stats.norm.cdf(mean)) + float(stats.norm.pdf(mean))


def test_ratios_without_two_sides_have_no_interval() -> None:
    assert ratio_of([1.0], [1.0]) is None
    assert ratio_of([1.0, 2.0], [0.0, 0.0]) is None
    assert ratio_of([0.0, 0.0], [1.0, 2.0]) is None


def test_lo_s_bounds_of_a_sharpe_ratio() -> None:
    """Lo (2002), table 1: 60 monthly returns, a monthly ratio of 0.5 has a standard error of 0.137."""
    low, high = sharpe_bounds(0.5 * math.sqrt(12), 60, 12)
    assert (high - low) / 2 / math.sqrt(12) / 1.959964 == pytest.approx(0.137, abs=0.0005)
    assert (low + high) / 2 == pytest.approx(0.5 * math.sqrt(12))


def test_spread_is_the_sample_s() -> None:
    assert spread_of([1.0, 2.0, 4.0]) == pytest.approx(np.std([1.0, 2.0, 4.0], ddof=1))
    assert spread_of([7.0, 7.0]) == 0
    assert spread_of([1e9, 1e9 + 1e-7]) == 0
