from __future__ import annotations

from math import sqrt
from random import Random
from statistics import NormalDist, correlation, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.research.significance.evidence import deflated_of
from pumpswap.research.significance.sharpe import (
    Moments,
    deflated_sharpe,
    effective_trials,
    expected_best_sharpe,
    mean_correlation,
    moments_of,
    probabilistic_sharpe,
    sharpe_interval,
    shortest_record,
)


def _moments(sharpe: float, periods: int, skew: float = 0.0, kurtosis: float = 3.0) -> Moments:
    return Moments(periods, sharpe, 1.0, skew, kurtosis)


def test_the_example_of_the_paper_on_the_deflated_ratio() -> None:
    """Bailey and López de Prado 2014: five years of days, annual 2.5, the best of a hundred with variance one half."""
    best = _moments(2.5 / sqrt(250), 1_250, -3, 10)
    spread = sqrt(0.5 / 250)
    assert expected_best_sharpe(100, spread) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(best, 100, spread) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(best, 46, spread) == pytest.approx(0.9505, abs=5e-5)


def test_the_example_of_the_paper_on_the_probabilistic_ratio() -> None:
    """Bailey and López de Prado 2012: two years of months, 0.458 each, with and without what is not normal about it."""
    assert probabilistic_sharpe(_moments(0.458, 24, -2.448, 10.164)) == pytest.approx(0.913, abs=5e-4)
    assert probabilistic_sharpe(_moments(0.458, 24)) == pytest.approx(0.982, abs=5e-4)


def test_moments_of_a_known_series() -> None:
    found = moments_of([1.0, 2.0, 3.0, 6.0])
    assert found is not None
    assert found.mean == 3.0
    assert found.spread == pytest.approx(sqrt(14 / 3))
    assert found.skew == pytest.approx((-8 - 1 + 27) / 4 / 3.5**1.5)
    assert found.kurtosis == pytest.approx((16 + 1 + 81) / 4 / 3.5**2)


@pytest.mark.parametrize("returns", [[], [1.0, 2.0, 3.0], [0.5] * 40, [0.0] * 9, [0.1 + 1e-17] * 5])
def test_what_is_too_short_or_never_moves_has_no_moments(returns: list[float]) -> None:
    assert moments_of(returns) is None


def test_one_trial_is_not_deflated() -> None:
    best = _moments(0.1, 500)
    assert deflated_sharpe(best, 1, 0.2) == probabilistic_sharpe(best)


@given(trials=st.floats(1.01, 1e6), spread=st.floats(0, 10))
def test_more_trials_never_make_luck_smaller(trials: float, spread: float) -> None:
    assert expected_best_sharpe(trials * 2, spread) >= expected_best_sharpe(trials, spread) >= 0


def test_the_best_of_many_without_skill_is_what_luck_would_show() -> None:
    chance = Random(5)
    bests = [max(chance.gauss(0, 1) for _ in range(100)) for _ in range(1_000)]
    assert expected_best_sharpe(100, 1) == pytest.approx(fmean(bests), abs=0.03)


def test_the_interval_is_that_of_the_shortest_record() -> None:
    found = _moments(0.2, 100, -0.5, 4)
    low, high = sharpe_interval(found)
    assert low < 0.2 < high
    needed = shortest_record(found, confidence=0.975)
    assert needed is not None
    longer = Moments(round(needed), 0.2, 1, -0.5, 4)
    assert sharpe_interval(longer)[0] == pytest.approx(0, abs=1e-3)
    assert shortest_record(_moments(-0.1, 100)) is None


def test_mean_correlation_is_that_of_all_pairs() -> None:
    chance = Random(3)
    market = [chance.gauss(0, 1) for _ in range(60)]
    series = [[one + chance.gauss(0, 1) for one in market] for _ in range(5)]
    pairs = [correlation(series[a], series[b]) for a in range(5) for b in range(a)]
    assert mean_correlation([*series, [0.0] * 60]) == pytest.approx(fmean(pairs), abs=1e-12)
    assert mean_correlation([market]) == 0


def test_copies_of_one_trial_are_one_trial() -> None:
    series = [0.1, -0.2, 0.3, 0.1, 0.2]
    assert effective_trials(50, mean_correlation([series] * 50)) == pytest.approx(1)
    assert effective_trials(50, 0) == 50


def test_the_probability_is_right_where_nothing_is_there() -> None:
    """Under the null, five per cent of all results may look 95 per cent sure, and no more."""
    chance = Random(11)
    sure = 0
    for _ in range(400):
        found = moments_of([chance.gauss(0, 1) for _ in range(100)])
        assert found is not None
        sure += probabilistic_sharpe(found) > 0.95
    spread = sqrt(400 * 0.05 * 0.95)
    assert abs(sure - 20) < NormalDist().inv_cdf(0.9999) * spread


def test_equal_trials_leave_nothing_to_luck() -> None:
    found = deflated_of([0.1, 0.2] * 9, [[0.1, 0.2] * 9] * 5)
    assert found is not None
    assert f"{found.luck:.3f}" == "0.000"  # not minus zero
    assert found.trials == 5
    assert found.effective == pytest.approx(1)
