"""The curve without what was put in or taken out."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from pumpswap.analytics.performance import DrawdownFigures, ratios
from pumpswap.analytics.performance.curve import curve_of, drawdown_of, period_of, period_returns
from tests.analytics.performance.rows import DAY, HOUR, SOL, START, deposit, given, points, told
from tests.support.examples import examples

HOURLY, DAILY = 3_600, 86_400


def test_no_measurement_no_curve() -> None:
    assert curve_of(given()) == []
    assert drawdown_of([]) == DrawdownFigures(0, 0.0, None, None, None, 0, 0.0)
    assert period_returns([], HOURLY) == ()
    assert period_of([]) == HOURLY


def test_books_begin_with_what_was_put_in() -> None:
    """What the first trades cost before the first measurement is part of the curve."""
    curve = curve_of(given(points((START + 5, 99.0)), [deposit(START, 60), deposit(START + 1, 40)]))
    assert [(one.at_ns, one.net_lamports, one.index) for one in curve] == [
        (START, 0, 1.0), (START + 5, -SOL, pytest.approx(0.99)),
    ]  # fmt: skip


def test_a_time_within_the_books_begins_with_the_last_measurement_before_it() -> None:
    equity = points((START - 9, 80.0), (START + 5, 88.0))
    curve = curve_of(given(equity, [deposit(START - 20, 100)], begins_here=False))
    assert [(one.net_lamports, one.index) for one in curve] == [(-20 * SOL, 1.0), (-12 * SOL, pytest.approx(1.1))]


def test_a_deposit_between_the_last_measurement_before_a_time_and_its_beginning_is_no_return() -> None:
    moves = [deposit(START - DAY, 10), deposit(START - 5, 90)]
    for equity in (points((START - 9, 10), (START + 5, 100)), told(points((START - 9, 10), (START + 5, 100)), 10, 100)):
        curve = curve_of(given(equity, moves, begins_here=False))
        assert [(one.net_lamports, one.index) for one in curve] == [(0, 1.0), (0, 1.0)]


def test_a_deposit_that_is_booked_long_after_its_block_is_no_fall_and_no_gain() -> None:
    """It is in the wallet at once, in the books and so in equity with the next comparison."""
    minutes = [START + n * 60 * 10**9 for n in range(6)]
    equity = told(points(*zip(minutes, (10, 10, 10, 10, 10, 20), strict=True)), 10, 10, 10, 10, 10, 20)
    curve = curve_of(given(equity, [deposit(START, 10), deposit(minutes[0] + 30 * 10**9, 10)]))
    assert [one.index for one in curve] == [1.0] * 7
    assert {one.net_lamports for one in curve} == {0}
    back = told(points(*zip(minutes, (20, 20, 20, 20, 20, 10), strict=True)), 20, 20, 20, 20, 20, 10)
    curve = curve_of(given(back, [deposit(START, 20), deposit(minutes[0] + 30 * 10**9, -10)]))
    assert drawdown_of(curve).share == 0 and curve[-1].index == 1.0


def test_points_of_before_are_followed_by_points_that_say_what_was_put_in() -> None:
    old, new = points((START, 10), (START + 1, 15)), told(points((START + 2, 15), (START + 3, 20)), 15, 20)
    curve = curve_of(given([*old, *new], [deposit(START, 10), deposit(START + 1, 5), deposit(START + 3, 5)]))
    assert [(one.net_lamports, one.index) for one in curve] == [(0, 1.0)] * 5


def test_the_time_before_a_time_is_no_part_of_it() -> None:
    """The last measurement before counts as the beginning, however old it is."""
    equity = points((START - 40 * DAY, 100), *((START + n * HOUR, 100 + n) for n in range(24)))
    curve = curve_of(given(equity, [deposit(START - 50 * DAY, 100)], begins_here=False))
    assert (curve[0].at_ns, period_of(curve)) == (START, HOURLY)
    assert len(period_returns(curve, HOURLY)) == 24


def test_what_falls_by_the_rounding_of_floats_alone_has_not_fallen() -> None:
    equity = points((START, 10), (START + HOUR, 11), (START + 2 * HOUR, 10), (START + 3 * HOUR, 11))
    curve = curve_of(given(equity, [deposit(START, 10)]))
    flat = [msgspec.structs.replace(one, index=index, net_lamports=0)
            for one, index in zip(curve, (1.0, 1.0, 1.0 - 2e-16, 1.0, 1.0), strict=True)]  # fmt: skip
    found = drawdown_of(flat)
    assert (found.share, found.peak_ns, found.longest_ns, found.current_share) == (0, None, 0, 0)


def test_what_was_put_in_before_the_first_measurement_of_a_time_is_no_return() -> None:
    equity = points((START + 5, 88.0), (START + 6, 88.0))
    curve = curve_of(given(equity, [deposit(START - 1, 70), deposit(START + 4, 10)], begins_here=False))
    assert [(one.net_lamports, one.index) for one in curve] == [(8 * SOL, 1.0), (8 * SOL, 1.0)]


def test_money_works_from_when_it_comes_until_it_leaves() -> None:
    equity = points((START, 100), (START + 10, 220), (START + 20, 110))
    curve = curve_of(given(equity, [deposit(START, 100), deposit(START + 5, 100), deposit(START + 15, -110)]))
    # 200 have become 220; then 220 were 220, of which half was taken out.
    assert [one.index for one in curve] == [1.0, 1.0, pytest.approx(1.1), pytest.approx(1.1)]
    assert [one.net_lamports // SOL for one in curve] == [0, 0, 20, 20]


def test_a_deposit_that_is_traded_at_once_into_a_loss_does_not_ruin_a_small_account() -> None:
    """100 come into an account of 0.01, and 10 are lost before the next measurement: 10 %, not a thousand times all."""
    equity = points((START, 0.01), (START + 10, 90.01))
    curve = curve_of(given(equity, [deposit(START, 0.01), deposit(START + 5, 100)]))
    assert curve[-1].index == pytest.approx(90.01 / 100.01)


def test_without_equity_there_is_no_return() -> None:
    curve = curve_of(given(points((START, 0), (START + 1, 0), (START + 2, 5)), [deposit(START + 2, 5)]))
    assert [one.index for one in curve] == [1.0, 1.0, 1.0]
    lost = curve_of(
        given(points((START, 5), (START + 1, 0), (START + 2, 7)), [deposit(START, 5), deposit(START + 2, 7)])
    )
    assert lost[-1].index == 0


@settings(max_examples=examples(60))
@property_of(st.integers(0, 10**9))
def test_deposits_and_withdrawals_change_no_return(seed: int) -> None:
    """The same returns with money coming and going right at the measurements give the same index."""
    rng = random.Random(seed)
    equity, held, index = [(START, 1_000.0)], 1_000.0, 1.0
    moves, expected = [deposit(START, 1_000)], [1.0, 1.0]
    for step in range(1, 30):
        at_ns = START + step * HOUR
        if rng.random() < 0.4:  # just after the last measurement, so that it works in this step
            came = rng.uniform(1, 5_000)
            moves.append(deposit(at_ns - HOUR + 1, came))
            held += came
        grown = rng.uniform(-0.2, 0.25)
        held, index = held * (1 + grown), index * (1 + grown)
        if rng.random() < 0.4:  # just before this measurement
            left = rng.uniform(0, held / 2)
            moves.append(deposit(at_ns, -left))
            held -= left
        equity.append((at_ns, held))
        expected.append(index)
    found = [one.index for one in curve_of(given(points(*equity), moves))]
    assert found == pytest.approx(expected, rel=1e-6)


def test_returns_of_days() -> None:
    equity = points(
        (START, 100),
        (START + 20 * HOUR, 104),
        (START + DAY + HOUR, 103),
        (START + 4 * DAY, 206),
        (START + 12 * DAY, 206),
    )
    curve = curve_of(given(equity, [deposit(START, 100)]))
    assert period_of(curve) == DAILY
    found = period_returns(curve, DAILY)
    # Two days without a measurement have no return, and what happened meanwhile is of the day of the next one.
    assert found == pytest.approx((0.04, 103 / 104 - 1, 0, 0, 1.0, *[0] * 8))
    assert ratios.total_return(found) == pytest.approx(curve[-1].index - 1)


def test_a_short_time_is_cut_into_hours() -> None:
    curve = curve_of(
        given(points((START, 100), (START + HOUR, 110), (START + 3 * HOUR - 1, 99)), [deposit(START, 100)])
    )
    assert period_of(curve) == HOURLY
    assert period_returns(curve, HOURLY) == pytest.approx((0, 0.1, -0.1))


def fall_of(*sol: float) -> DrawdownFigures:
    equity = points(*((START + number * HOUR, each) for number, each in enumerate(sol)))
    return drawdown_of(curve_of(given(equity, [deposit(START, sol[0])])))


def test_the_deepest_fall_its_times_and_how_long_it_took() -> None:
    found = fall_of(100, 120, 90, 110, 121, 120, 122, 122, 121)
    assert (found.lamports, found.share) == (30 * SOL, pytest.approx(0.25))
    assert (found.peak_ns, found.trough_ns, found.recovered_ns) == (START + HOUR, START + 2 * HOUR, START + 4 * HOUR)
    assert found.longest_ns == 3 * HOUR
    assert found.current_share == pytest.approx(1 / 122)


def test_a_fall_that_goes_on_has_not_recovered() -> None:
    found = fall_of(100, 90, 95, 80, 99)
    assert (found.peak_ns, found.trough_ns, found.recovered_ns) == (START, START + 3 * HOUR, None)
    assert (found.longest_ns, found.current_share) == (4 * HOUR, pytest.approx(0.01))


def test_a_rising_curve_has_no_fall() -> None:
    found = fall_of(100, 100, 101, 140)
    assert (found.lamports, found.share, found.peak_ns, found.longest_ns, found.current_share) == (0, 0, None, 0, 0)


def test_the_deepest_fall_in_money_may_be_another_one_than_in_shares() -> None:
    equity = points((START, 100), (START + 1, 60), (START + 2, 100), (START + 3, 1_000), (START + 4, 800))
    found = drawdown_of(curve_of(given(equity, [deposit(START, 100)])))
    assert (found.lamports, found.share) == (200 * SOL, pytest.approx(0.4))
    assert found.trough_ns == START + 1


@property_of(st.lists(st.floats(0.05, 1_000), min_size=2, max_size=40))
def test_the_fall_of_the_index_is_that_of_its_returns(sol: list[float]) -> None:
    curve = curve_of(given(points(*((START + n * HOUR, each) for n, each in enumerate(sol))), [deposit(START, sol[0])]))
    steps = [later.index / one.index - 1 for one, later in pairwise(curve)]
    assert drawdown_of(curve).share == pytest.approx(ratios.max_fall(steps), abs=1e-9)
