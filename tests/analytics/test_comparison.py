"""Comparisons of two scores: figures by hand, each verdict on a market made for it, and order decides nothing."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.analytics.comparison import Comparison, Observation, Sampling, VerdictKind
from pumpswap.analytics.comparison.comparison import Agreement
from pumpswap.analytics.comparison.figures import comparison_json
from pumpswap.analytics.comparison.outcomes import ENDS
from pumpswap.analytics.comparison.verdict import (
    LEAST_DECIDING,
    LEAST_POOLS,
    Verdict,
    horizon_text,
    overall,
    points_text,
)
from tests.analytics.compared_scores import HOUR_NS, compared, market, observation

MIRRORED = {VerdictKind.ENHANCED: VerdictKind.BASE, VerdictKind.BASE: VerdictKind.ENHANCED}


def swapped(rows: list[Observation]) -> list[Observation]:
    return [replace(one, base=one.enhanced, enhanced=one.base) for one in rows]


def verdict(rows: list[Observation]) -> VerdictKind:
    return compared(rows).verdict.kind


# ---------------------------------------------------------------------------------------------- figures by hand


def by_hand() -> list[Observation]:
    return [
        observation("a", 90, 95, 0.10),
        observation("b", 80, 60, -0.30),
        observation("c", 40, 80, 0.20),
        observation("d", 20, 10, -1.0),
        observation("e", 75, 75, None),
        observation("f", 99, 99, 0.5, dex="raydium"),
    ]


def test_distribution_and_agreement_by_hand() -> None:
    found = compared(by_hand())
    assert [one.pool for one in found.observations] == ["a", "b", "c", "d", "e"]
    assert found.elsewhere == {"raydium": 1}
    assert found.agreement == Agreement(both=2, only_base=1, only_enhanced=1, neither=1)
    assert found.base is not None
    assert found.enhanced is not None
    assert (found.base.mean, found.enhanced.mean) == (61.0, 64.0)
    assert (found.base.at_or_above, found.base.share) == (3, 0.6)
    assert found.base.quantiles == (20.0, 28.0, 40.0, 75.0, 80.0, 86.0, 90.0)
    assert found.base.bins == (0, 0, 1, 0, 1, 0, 0, 1, 1, 1)
    assert found.enhanced.bins == (0, 1, 0, 0, 0, 0, 1, 1, 1, 1)
    assert found.base.at_highest == 1


def test_returns_of_the_picks_by_hand() -> None:
    (returns,) = compared(by_hand()).horizons
    assert (returns.observations, returns.pools, returns.deciding) == (4, 4, 2)
    assert returns.base.mean == pytest.approx(-0.10)  # a and b
    assert returns.enhanced.mean == pytest.approx(0.15)  # a and c
    assert returns.everything.mean == pytest.approx(-0.25)
    assert (returns.base.hit_rate, returns.enhanced.hit_rate) == (0.5, 1.0)
    assert (returns.everything.worst, returns.everything.best) == (pytest.approx(-1), pytest.approx(0.2))
    assert (returns.everything.unsellable, returns.base.unsellable) == (1, 0)
    assert returns.base_rank == pytest.approx(0.4)  # ranks 4 3 2 1 against 3 2 4 1
    assert returns.enhanced_rank == pytest.approx(0.8)  # ranks 4 2 3 1 against 3 2 4 1
    assert returns.mean_difference is None  # four pools are too few to draw from


def test_at_its_own_threshold_the_enhanced_score_picks_as_many_as_the_base() -> None:
    rows = [observation(f"p{number}", 80 - 10 * number, 100 - number, number / 10) for number in range(5)]
    (returns,) = compared(rows, threshold=65).horizons  # base 80 70, enhanced all five
    assert (returns.base.count, returns.enhanced.count) == (2, 5)
    assert (returns.as_many_threshold, returns.as_many.count) == (99, 2)
    assert returns.as_many.mean == pytest.approx(0.05)
    equal = [observation(f"p{number}", 80 - number, 100, 0.0) for number in range(5)]
    (returns,) = compared(equal, threshold=79).horizons
    assert (returns.base.count, returns.as_many_threshold, returns.as_many.count) == (2, 100, 5)
    (returns,) = compared(equal, threshold=81).horizons
    assert (returns.as_many_threshold, returns.as_many.count) == (None, 0)


def test_a_score_at_the_threshold_counts_as_picked() -> None:
    assert compared([observation("a", 75, 74.9999, 0.1)]).agreement == Agreement(0, 1, 0, 0)
    assert compared([observation("a", 75, 74.9999, 0.1)], threshold=75.01).agreement == Agreement(0, 0, 0, 1)


def test_picks_that_overlap_are_counted_apart() -> None:
    rows = [observation("a", 90, 90, 0.1, at_ns=at * HOUR_NS // 2) for at in range(5)]
    (returns,) = compared([*rows, observation("b", 90, 90, 0.1)]).horizons
    assert (returns.base.count, returns.base.separate) == (6, 4)


def test_why_outcomes_are_missing_is_carried_along() -> None:
    (returns,) = compared(by_hand(), missing=({ENDS: 3},)).horizons
    assert returns.missing == {ENDS: 3}


def test_missing_pumpswap_data_are_counted_by_reason() -> None:
    gone = [observation(pool, 80, 80, is_available=False, missing="no reserve") for pool in "ab"]
    assert compared([*gone, observation("c", 1, 2)]).unavailable == {"no reserve": 2}


def test_nothing_at_all_is_a_comparison_too() -> None:
    found = compared([])
    assert (found.base, found.enhanced, found.pools) == (None, None, 0)
    assert found.verdict.kind is VerdictKind.NOT_SHOWN
    assert "no snapshot has an outcome" in found.verdict.sentence
    assert compared([], horizons=0).verdict.kind is VerdictKind.NOT_SHOWN


# ---------------------------------------------------------------------------------------------- ranks


def test_who_changes_places_and_which_part_did_it() -> None:
    shifts = {
        "a": {"depth": -20.0, "boost": 0.0},
        "b": {"depth": 1.0, "boost": 15.0},
        "c": {"depth": 2.0, "boost": 0.0},
    }
    base = {"a": 90.0, "b": 70.0, "c": 80.0}
    rows = [
        observation(pool, base[pool], base[pool] + sum(parts.values()), shifts=parts) for pool, parts in shifts.items()
    ]
    ranks = compared(rows).ranks
    assert [(one.observation.pool, one.places, one.part) for one in ranks.risen] == [("b", 2, "boost")]
    assert [(one.observation.pool, one.places, one.part) for one in ranks.fallen] == [("a", -2, "depth")]
    assert (ranks.fallen[0].part_points, ranks.fallen[0].average_points) == (-20, pytest.approx(-17 / 3))
    assert ranks.spearman == pytest.approx(-1)  # 90 80 70 became 70 82 86


def test_a_part_that_moves_everybody_alike_moves_nobody() -> None:
    rows = [
        observation(pool, base, base + 10 + own, shifts={"boost": 10.0, "depth": own})
        for pool, base, own in (("a", 60.0, 0.0), ("b", 65.0, -8.0), ("c", 20.0, 1.0))
    ]
    (fallen,) = compared(rows).ranks.fallen
    assert (fallen.observation.pool, fallen.part) == ("b", "depth")


def test_one_pool_is_listed_once_with_its_largest_move() -> None:
    rows = [observation("a", 10.0 * step, 100 - step, at_ns=step) for step in range(1, 6)]
    rows += [observation(f"other-{number}", 11.0 + number, 11.0 + number) for number in range(5)]
    ranks = compared(rows).ranks
    assert [one.observation.pool for one in ranks.risen].count("a") == 1
    assert ranks.risen[0].observation.at_ns == 1


# ---------------------------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("good", "expected"),
    [("enhanced", VerdictKind.ENHANCED), ("base", VerdictKind.BASE), ("neither", VerdictKind.NO_DIFFERENCE)],
)
def test_each_verdict_is_reached_on_a_market_made_for_it(good: str, expected: VerdictKind) -> None:
    found = compared(market(good))
    assert found.verdict.kind is expected
    (returns,) = found.horizons
    assert returns.mean_difference is not None
    assert returns.level == 0.95
    if good == "enhanced":
        assert returns.mean_difference.point == pytest.approx(0.2, abs=0.1)
        assert (returns.enhanced_rank or 0) > 0.5 > (returns.base_rank or 0)
        assert returns.enhanced_bands[-1].mean > 0 > returns.enhanced_bands[0].mean


def test_equal_scores_show_no_difference_and_say_why() -> None:
    rows = [replace(one, enhanced=one.base) for one in market("base")]
    found = compared(rows).verdict
    assert found.kind is VerdictKind.NO_DIFFERENCE
    assert "both scores pick the same" in found.sentence


@pytest.mark.parametrize("pools", [1, 5, LEAST_POOLS])
def test_few_pools_show_nothing_however_clear_they_look(pools: int) -> None:
    """At 75 of 50 to 100 half of the pools are picked: with twenty of them neither score picks twenty."""
    found = compared(market("enhanced", pools=pools, edge=0.9)).verdict
    assert found.kind is VerdictKind.NOT_SHOWN
    assert f"at least {LEAST_POOLS} pools picked by each score are needed" in found.sentence


def test_a_few_lucky_pools_decide_nothing() -> None:
    """Both scores agree on forty pools; nine more, all splendid, are picked by one only."""
    rows = [observation(f"pool-{number}", 80, 80, 0.0) for number in range(40)]
    lucky = [observation(f"lucky-{number}", 50, 80, 9.0) for number in range(LEAST_DECIDING)]
    few = compared([*rows, *lucky[1:]]).verdict
    assert few.kind is VerdictKind.NOT_SHOWN
    assert f"differ in {LEAST_DECIDING - 1} pools, at least {LEAST_DECIDING} are needed" in few.sentence
    assert verdict([*rows, *lucky]) is VerdictKind.ENHANCED


def test_many_snapshots_of_one_pool_are_not_many_pools() -> None:
    random = Random(1)
    rows = [observation("a", random.uniform(50, 100), random.uniform(50, 100), 0.5, at_ns=at) for at in range(500)]
    assert verdict(rows) is VerdictKind.NOT_SHOWN


def test_a_better_score_that_loses_money_is_told_so() -> None:
    rows = [
        replace(
            one, trips=tuple(replace(each, received_lamports=each.received_lamports // 2) for each in one.trips if each)
        )
        for one in market("enhanced")
    ]
    found = compared(rows).verdict
    assert found.kind is VerdictKind.ENHANCED
    assert found.sentence.endswith("both lose money after costs")
    assert "both lose" not in compared(market("enhanced")).verdict.sentence


def test_the_sentence_has_the_figures() -> None:
    found = compared(market("enhanced"))
    (returns,) = found.horizons
    assert returns.mean_difference is not None
    assert found.verdict.sentence.startswith("over 1 h the picks of the enhanced score returned ")
    assert f"{100 * returns.mean_difference.point:.1f} points more" in found.verdict.sentence
    assert f"95 % interval {points_text(100 * returns.mean_difference.low)} to" in found.verdict.sentence
    worse = compared(market("base")).verdict.sentence
    assert "points less than those of the base score" in worse
    assert "would not have been seen" in compared(market("neither")).verdict.sentence


def test_who_asks_three_times_must_be_surer_each_time() -> None:
    found = compared(market("enhanced", horizons=3), horizons=3)
    assert [returns.level for returns in found.horizons] == [pytest.approx(1 - 0.05 / 3)] * 3
    once = compared(market("enhanced"))
    assert once.horizons[0].mean_difference is not None
    assert found.horizons[0].mean_difference is not None
    assert found.horizons[0].mean_difference.low < once.horizons[0].mean_difference.low
    # A horizon that cannot decide anything is not a question that was asked.
    rows = [replace(one, trips=(*one.trips, None)) for one in market("enhanced")]
    assert [returns.level for returns in compared(rows, horizons=2).horizons] == [0.95, 0.95]


def test_verdicts_over_several_horizons_become_one() -> None:
    better, worse = Verdict(VerdictKind.ENHANCED, "x", "1 h", 50), Verdict(VerdictKind.BASE, "y", "1 d", 60)
    same, nothing = Verdict(VerdictKind.NO_DIFFERENCE, "z", "5 min", 90), Verdict(VerdictKind.NOT_SHOWN, "n", "2 d", 1)
    assert overall([same, better, nothing]).kind is VerdictKind.ENHANCED
    assert overall([same, better, nothing]).sentence == (
        "x; no difference shown over 5 min; not shown by this data over 2 d"
    )
    mixed = overall([better, worse])
    assert (mixed.kind, mixed.sentence) == (VerdictKind.MIXED, "enhanced better: x; base better: y")
    assert overall([nothing, same]).kind is VerdictKind.NO_DIFFERENCE
    assert overall([nothing, replace(nothing, horizon="3 d", observations=7)]).sentence == "n; the same over 2 d"


def test_a_wrong_verdict_is_rare_where_nothing_is_to_be_found() -> None:
    """Forty markets of pure noise: about one in twenty may look like something."""
    rows = [market("neither", pools=60, seed=seed) for seed in range(40)]
    found = [compared(each, sampling=Sampling(draws=200)).verdict.kind for each in rows]
    assert sum(kind is not VerdictKind.NO_DIFFERENCE for kind in found) <= 6


# ---------------------------------------------------------------------------------------------- symmetry and order


ROWS = st.builds(
    lambda good, pools, seed, edge: market(good, pools=pools, seed=seed, edge=edge),
    st.sampled_from(["base", "enhanced", "neither"]),
    st.integers(1, 70),
    st.integers(0, 10**6),
    st.floats(0, 0.4),
)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_swapping_the_scores_swaps_the_verdict(rows: list[Observation]) -> None:
    one, other = compared(rows), compared(swapped(rows))
    assert other.verdict.kind is MIRRORED.get(one.verdict.kind, one.verdict.kind)
    first, second = one.horizons[0].mean_difference, other.horizons[0].mean_difference
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert (second.low, second.point, second.high) == (-first.high, -first.point, -first.low)
    assert one.ranks.kendall == pytest.approx(other.ranks.kendall)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(rows: list[Observation], random: Random) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    assert compared(mixed) == compared(rows)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_every_interval_contains_its_estimate(rows: list[Observation]) -> None:
    for returns in compared(rows).horizons:
        intervals = [returns.mean_difference, returns.hit_difference]
        for picks in (returns.base, returns.enhanced, returns.everything):
            intervals += [picks.mean_interval, picks.hit_interval]
            assert picks.mean_interval is None or picks.mean_interval.point == pytest.approx(picks.mean)
        for band in (*returns.base_bands, *returns.enhanced_bands):
            intervals.append(band.mean_interval)
            assert band.lowest <= band.mean_score <= band.highest
        for interval in intervals:
            assert interval is None or interval.low <= interval.point <= interval.high
        assert sum(band.count for band in returns.base_bands) in (0, returns.observations)


# ---------------------------------------------------------------------------------------------- for people, for scripts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90, "90 s"), (300, "5 min"), (3_600, "1 h"), (86_400, "24 h"), (172_800, "48 h"), (259_200, "3 d")],
)
def test_horizons_as_people_say_them(seconds: int, text: str) -> None:
    assert horizon_text(seconds * 10**9) == text


@pytest.mark.parametrize(
    ("points", "text"), [(1.26, "+1.3"), (-0.04, "−0.04"), (0.0, "0.0"), (0.004, "+0.004"), (-12.0, "−12.0")]
)
def test_what_is_not_zero_is_not_shown_as_zero(points: float, text: str) -> None:
    assert points_text(points) == text


def test_the_figures_are_plain_and_complete() -> None:
    found: Comparison = compared(by_hand(), missing=({ENDS: 3, "never": 0},))
    figures = comparison_json(found)
    assert figures["agreement"] == {"both": 2, "only_base": 1, "only_enhanced": 1, "neither": 1}
    assert figures["verdict"]["kind"] == "not_shown"
    (horizon,) = figures["horizons"]
    assert horizon["horizon_ns"] == str(HOUR_NS)
    assert horizon["missing"] == {ENDS: 3}
    assert horizon["base"]["mean"] == pytest.approx(-0.1)
    first = figures["observations"][0]
    assert first["outcomes"][str(HOUR_NS)]["paid_lamports"] == "1000000000"
    assert first["outcomes"][str(HOUR_NS)]["return"] == pytest.approx(0.1)
    assert figures["observations"][4]["outcomes"] == {}
    assert len(figures["observations"]) == 5
