"""Ranks, correlations and intervals: against figures computed by hand, definitions, and known distributions."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.analytics.comparison.stats import (
    Interval,
    bootstrap,
    groups_of,
    kendall,
    mean,
    midranks,
    quantile,
    spearman,
)

SCORES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=40)


def mean_of(totals: tuple[float, ...]) -> tuple[float, ...]:
    count, total = totals
    return (total / count,)


def singles(values: list[float]) -> list[tuple[float, ...]]:
    return [(1.0, value) for value in values]


def resampled(clusters: list[tuple[float, ...]], statistics: Any, level: float, draws: int, seed: int = 1) -> Interval:
    found = bootstrap(clusters, statistics, level=level, draws=draws, random=Random(seed))
    assert found is not None
    return found[0]


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert midranks([30.0, 10.0, 20.0, 20.0]) == [4.0, 1.0, 2.5, 2.5]
    assert midranks([]) == []


def test_quantiles_interpolate_between_order_statistics() -> None:
    values = [4.0, 1.0, 3.0, 2.0]
    assert [quantile(values, share) for share in (0, 0.25, 0.5, 1)] == [1.0, 1.75, 2.5, 4.0]
    assert quantile([7.0], 0.9) == 7.0


def test_nothing_has_neither_mean_nor_quantile() -> None:
    with pytest.raises(ValueError, match="mean"):
        mean([])
    with pytest.raises(ValueError, match="quantile"):
        quantile([], 0.5)


def test_spearman_by_hand() -> None:
    # ranks 1 2 3 4 5 against 2 1 4 3 5: 1 − 6·4/(5·24)
    assert spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx(0.8)
    # with ties: ranks 1 2.5 2.5 4 against 1 2 3.5 3.5: products 2.25 and 1.5, spreads 4.5 and 4.5
    assert spearman([1, 2, 2, 3], [1, 2, 3, 3]) == pytest.approx(3.75 / 4.5)


def test_kendall_by_hand() -> None:
    # of 10 pairs 8 agree and 2 contradict
    assert kendall([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx(0.6)
    # 6 pairs, one tied in each: 4 agree, none contradicts: 4 / √(5·5)
    assert kendall([1, 2, 2, 3], [1, 2, 3, 3]) == pytest.approx(0.8)


@pytest.mark.parametrize("function", [spearman, kendall])
def test_an_order_against_itself_its_reverse_and_none(function: object) -> None:
    assert callable(function)
    up = [1.0, 2.0, 3.0]
    assert function(up, up) == pytest.approx(1)
    assert function(up, up[::-1]) == pytest.approx(-1)
    assert function(up, [5.0, 5.0, 5.0]) is None
    assert function([1.0], [1.0]) is None
    assert function([], []) is None


@given(SCORES)
def test_kendall_is_its_definition(pairs: list[tuple[int, int]]) -> None:
    signs = [((a > c) - (a < c), (b > d) - (b < d)) for (a, b), (c, d) in combinations(pairs, 2)]
    first, second = sum(x != 0 for x, _ in signs), sum(y != 0 for _, y in signs)
    expected = sum(x * y for x, y in signs) / (first * second) ** 0.5 if first and second else None
    assert kendall([a for a, _ in pairs], [b for _, b in pairs]) == pytest.approx(expected)


@given(SCORES)
def test_correlations_are_symmetric_and_bounded(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    for function in (spearman, kendall):
        value = function(first, second)
        assert value == pytest.approx(function(second, first))
        assert value is None or -1 <= value <= 1 + 1e-12


def test_groups_are_of_equal_size_and_keep_equal_values_together() -> None:
    assert groups_of([float(value) for value in range(10)], 5) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert groups_of([1.0, 100.0, 100.0, 100.0], 2) == [0, 1, 1, 1]
    assert len(set(groups_of([5.0] * 7, 3))) == 1


def test_the_interval_of_a_normal_mean_has_the_width_of_theory() -> None:
    random = Random(11)
    values = [random.gauss(3, 2) for _ in range(400)]
    interval = resampled(singles(values), mean_of, 0.95, 2_000, 1)
    assert interval.point == pytest.approx(mean(values))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.1)
    assert interval.level == 0.95


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random, covered = Random(5), 0
    for number in range(200):
        values = [random.expovariate(1) for _ in range(60)]
        interval = resampled(singles(values), mean_of, 0.9, 300, number)
        covered += interval.low <= 1 <= interval.high
    assert 0.83 <= covered / 200 <= 0.96


def test_observations_of_one_pool_count_as_one_fate() -> None:
    """Twenty pools of fifty equal observations know as much as twenty observations, not as a thousand."""
    random = Random(3)
    fates = [random.gauss(0, 1) for _ in range(20)]
    pools = [(50.0, 50 * fate) for fate in fates]
    clustered = resampled(pools, mean_of, 0.95, 1_000, 1)
    single = resampled(singles(fates), mean_of, 0.95, 1_000, 1)
    naive = resampled(singles(fates * 50), mean_of, 0.95, 200, 1)
    assert clustered.high - clustered.low == pytest.approx(single.high - single.low)
    assert naive.high - naive.low < (clustered.high - clustered.low) / 5


@given(st.lists(st.floats(-1, 5), min_size=1, max_size=12), st.integers(0, 100))
def test_an_interval_contains_its_estimate_and_mirrors(values: list[float], seed: int) -> None:
    def mirrored(totals: tuple[float, ...]) -> tuple[float, ...]:
        return (-mean_of(totals)[0],)

    one = resampled(singles(values), mean_of, 0.95, 50, seed)
    other = resampled(singles(values), mirrored, 0.95, 50, seed)
    assert one.low <= one.point <= one.high
    assert (other.low, other.point, other.high) == (-one.high, -one.point, -one.low)
    assert one.half_width == other.half_width


def test_thousands_of_pools_are_drawn_less_often() -> None:
    made = 0

    def counted(totals: tuple[float, ...]) -> tuple[float, ...]:
        nonlocal made
        made += 1
        return mean_of(totals)

    resampled(singles([0.0] * 9_000), counted, 0.95, 2_000)
    assert made == 1 + 444  # the estimate itself, then four million over nine thousand
    made = 0
    resampled(singles([0.0] * 100), counted, 0.95, 2_000)
    assert made == 1 + 2_000


def test_what_is_rarely_defined_has_no_interval() -> None:
    def per_rare(totals: tuple[float, ...]) -> tuple[float, ...] | None:
        return (totals[1] / totals[0],) if totals[0] else None

    rare = [(1.0, 4.0), *[(0.0, 0.0)] * 3]  # a draw holds the first with a chance of 68 %
    assert bootstrap(rare, per_rare, level=0.95, draws=400, random=Random(1)) is not None
    assert bootstrap([(0.0, 0.0)], per_rare, level=0.95, draws=10, random=Random(1)) is None
    assert bootstrap([], per_rare, level=0.95, draws=10, random=Random(1)) is None

    def never_twice(totals: tuple[float, ...]) -> tuple[float, ...] | None:
        return totals if totals == (1.0, 4.0) else None

    assert bootstrap(rare, never_twice, level=0.95, draws=400, random=Random(1)) is None  # 42 % of the draws
