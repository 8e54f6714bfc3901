from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.research.tuning.splits import (
    Fold,
    hold_out,
    parse_walk_forward,
    purged,
    purged_kfold,
    seconds_of,
    walk_forward,
)
from pumpswap.research.tuning.trials import Round, Window

WHOLE = Window(1_000, 2_000)


def test_hold_out_tests_the_end() -> None:
    (fold,) = hold_out(WHOLE, 30, 7)
    assert fold == Fold(0, (Window(1_000, 1_700),), Window(1_700, 2_000), 7)


def test_walk_forward_rolls_or_stays_anchored() -> None:
    rolling = walk_forward(WHOLE, 400, 200)
    assert [(fold.train[0], fold.test) for fold in rolling] == [
        (Window(1_000, 1_400), Window(1_400, 1_600)),
        (Window(1_200, 1_600), Window(1_600, 1_800)),
        (Window(1_400, 1_800), Window(1_800, 2_000)),
    ]
    anchored = walk_forward(WHOLE, 400, 200, anchored=True)
    assert [fold.train[0].since_ns for fold in anchored] == [1_000] * 3


def test_a_last_test_of_less_than_half_is_left_out() -> None:
    assert walk_forward(WHOLE, 400, 450)[-1].test == Window(1_400, 1_850)
    assert walk_forward(WHOLE, 400, 350)[-1].test == Window(1_750, 2_000)


@given(start=st.integers(0, 10**6), length=st.integers(10, 10**6), folds=st.integers(2, 10))
def test_folds_cover_everything_once_and_never_test_what_they_learnt(start: int, length: int, folds: int) -> None:
    whole = Window(start, start + length)
    found = purged_kfold(whole, folds)
    assert found[0].test.since_ns == whole.since_ns
    assert found[-1].test.until_ns == whole.until_ns
    assert all(one.test.until_ns == two.test.since_ns for one, two in pairwise(found))
    for fold in found:
        assert sum(window.length_ns for window in fold.train) + fold.test.length_ns == length
        for window in fold.train:
            assert window.until_ns <= fold.test.since_ns or window.since_ns >= fold.test.until_ns


def _round(opened: int, closed: int) -> Round:
    return Round("p", opened, closed, 1, 1)


def test_rounds_that_touch_a_test_or_its_embargo_are_purged() -> None:
    fold = purged_kfold(WHOLE, 5, embargo_ns=10)[2]  # tests 1400 to 1600
    kept = [_round(1_000, 1_390), _round(1_610, 1_990)]
    dropped = [
        _round(1_380, 1_391),  # ends within the embargo
        _round(1_390, 1_450),  # reaches into the test
        _round(1_450, 1_500),  # is the test
        _round(1_300, 1_700),  # lies around it
        _round(1_590, 1_700),  # comes out of it
        _round(1_609, 1_700),  # begins within the embargo
        _round(1_950, 2_050),  # ends after all
    ]
    assert purged([*kept, *dropped], fold.train, fold.test, fold.embargo_ns) == kept


@given(
    rounds=st.lists(st.tuples(st.integers(900, 2_100), st.integers(0, 300))),
    folds=st.integers(2, 8),
    embargo=st.integers(0, 100),
)
def test_nothing_that_is_kept_was_open_during_the_test(rounds: list[tuple[int, int]], folds: int, embargo: int) -> None:
    made = [_round(opened, opened + held) for opened, held in rounds]
    for fold in purged_kfold(WHOLE, folds, embargo):
        for one in purged(made, fold.train, fold.test, embargo):
            apart = fold.test.since_ns - one.closed_ns, one.opened_ns - fold.test.until_ns
            assert max(apart) >= embargo
            assert WHOLE.since_ns <= one.opened_ns <= one.closed_ns <= WHOLE.until_ns


def test_times_are_read() -> None:
    assert parse_walk_forward("12h:30m") == (43_200 * NS_PER_SECOND, 1_800 * NS_PER_SECOND)
    assert [seconds_of(text) for text in ("90s", "2m", "1h", "7d")] == [90, 120, 3_600, 604_800]


@pytest.mark.parametrize("text", ["12h", "12h:2h:1h", "12:2", "0h:1h", "h:1h", "", "1.5h:1h", "-1h:1h"])
def test_what_is_no_walk_forward_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_walk_forward(text)


def test_too_little_history_is_told() -> None:
    with pytest.raises(UsageError, match="too short"):
        walk_forward(WHOLE, 900, 300)
    with pytest.raises(UsageError, match="without length"):
        walk_forward(WHOLE, 0, 300)
    with pytest.raises(UsageError, match="1 folds"):
        purged_kfold(WHOLE, 1)
    with pytest.raises(UsageError, match="nothing is left"):
        hold_out(Window(0, 1))
    with pytest.raises(UsageError, match="more than 1000 test windows"):
        walk_forward(Window(0, 10**6), 10, 10)
