"""A single back-test: the best of many tries without skill does not pass for skill."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest

from pumpswap.errors import UsageError
from pumpswap.research.significance.monte_carlo import Band, MonteCarlo
from pumpswap.research.significance.run_evidence import JudgedBy, Try, judged_run
from pumpswap.research.significance.sharpe import Moments, moments_of
from pumpswap.research.significance.told import luck_line

GOOD_BANDS = MonteCarlo(100, 0, 40, 20, Band(1, 2, 3), Band(1, 2, 3), Band(1, 2, 3), 0.0)


def judged_by(moments: Moments | None, **changes: object) -> JudgedBy:
    given = {"period_seconds": 300, "periods": 200, "rounds": 40, "net_lamports": 10**9, "bands": GOOD_BANDS}
    return JudgedBy(moments=moments, **(given | changes))  # type: ignore[arg-type]


def series(chance: Random, mean: float = 0.0, periods: int = 200) -> Moments:
    found = moments_of([chance.gauss(mean, 1) for _ in range(periods)])
    assert found is not None
    return found


def test_the_best_of_fifty_random_ones_looks_sure_alone_and_is_not_beside_the_others() -> None:
    alone = beside = 0
    for seed in range(40):
        chance = Random(seed)
        made = sorted((series(chance) for _ in range(50)), key=lambda one: one.sharpe)
        others = [Try(300, one.sharpe) for one in made[:-1]]
        first, last = judged_run(judged_by(made[-1]), []).deflated, judged_run(judged_by(made[-1]), others).deflated
        assert first is not None and last is not None and last.trials == 50
        assert last.undeflated == first.probability > last.probability
        alone += first.probability >= 0.95
        beside += last.probability >= 0.95
    assert alone >= 36  # nearly every best of fifty without skill
    assert beside <= 4  # five in a hundred were due


def test_one_run_is_weak_at_best() -> None:
    splendid = judged_run(judged_by(series(Random(1), mean=0.5)), [])
    assert splendid.verdict == "weak"
    assert splendid.reasons == (
        "it was not compared with random entries: `pumpswap tune run` does",
        "its settings may have been chosen on this very history: `pumpswap tune run` judges beyond it",
    )
    assert "deflated for 1 try on this history 1.000" in luck_line(splendid)


def test_rounds_that_were_not_drawn_again_are_a_doubt_and_what_only_a_search_does_is_none() -> None:
    found = judged_run(judged_by(series(Random(1), mean=0.5), bands=None), [])
    assert found.verdict == "weak"
    assert found.reasons[0].startswith("the same rounds were not drawn again")
    assert not any("overfitting" in one or "other orders" in one for one in found.reasons)


def test_ratios_of_other_periods_count_by_the_root_of_their_length() -> None:
    mine = series(Random(1))
    same = judged_run(judged_by(mine), [Try(300, 0.1), Try(300, -0.2)])
    other = judged_run(judged_by(mine), [Try(60, 0.1 / sqrt(5)), Try(1_200, -0.2 * 2)])
    assert same.deflated is not None and other.deflated is not None
    assert other.deflated.probability == pytest.approx(same.deflated.probability)


def test_tries_that_never_traded_are_told_and_are_no_lottery_tickets() -> None:
    found = judged_run(judged_by(series(Random(1))), [Try(300, None)] * 9).deflated
    assert found is not None and (found.trials, found.effective, found.luck) == (10, 1.0, 0.0)


def test_what_never_moved_has_no_figure_and_no_evidence() -> None:
    found = judged_run(judged_by(None, rounds=0, net_lamports=0, bands=None), [Try(300, 0.1)])
    assert found.verdict == "no evidence" and found.deflated is None
    assert found.reasons[:2] == (
        "0 rounds in this back-test: below 30 no figure means anything", "it earned nothing in this back-test",
    )  # fmt: skip
    assert luck_line(found) == found.reasons[0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_does_not_pass_every_test(bad: float) -> None:
    with pytest.raises(UsageError, match="no finite number"):
        moments_of([0.1, bad, 0.2, 0.3, 0.1])
