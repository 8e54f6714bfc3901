from __future__ import annotations

from itertools import combinations
from random import Random
from statistics import fmean, pstdev

import pytest

from pumpswap.errors import UsageError
from pumpswap.research.significance.overfit import overfit


def _noise(trials: int, periods: int, seed: int) -> list[list[float]]:
    chance = Random(seed)
    return [[chance.gauss(0, 1) for _ in range(periods)] for _ in range(trials)]


def _plainly(returns: list[list[float]], blocks: int) -> float:
    """The same, straight from the paper."""
    size = len(returns[0]) // blocks

    def ratio(series: list[float], half: tuple[int, ...]) -> float:
        some = [one for block in half for one in series[block * size : (block + 1) * size]]
        return fmean(some) / pstdev(some)

    below = []
    for half in combinations(range(blocks), blocks // 2):
        other = tuple(block for block in range(blocks) if block not in half)
        best = max(range(len(returns)), key=lambda one: ratio(returns[one], half))
        future = [ratio(series, other) for series in returns]
        rank = sum(one <= future[best] for one in future) / (len(returns) + 1)
        below.append(1.0 if rank < 0.5 else 0.5 if rank == 0.5 else 0.0)
    return fmean(below)


def test_it_is_what_the_paper_says() -> None:
    returns = _noise(7, 48, 1)
    found = overfit(returns, 8)
    assert found is not None
    assert found.probability == pytest.approx(_plainly(returns, 8))
    assert found.splits == 70


def test_the_best_of_noise_is_overfitted_and_skill_is_not() -> None:
    noise = overfit(_noise(30, 320, 2))
    assert noise is not None
    assert noise.splits == 12_870
    assert 0.25 < noise.probability < 0.75
    skilled = _noise(30, 320, 2)
    skilled[4] = [one + 0.5 for one in skilled[4]]
    found = overfit(skilled)
    assert found is not None
    assert found.probability < 0.01
    assert found.loss == 0


def test_equal_trials_are_neither_above_nor_below() -> None:
    found = overfit([[0.1, -0.2, 0.3, 0.4] * 16] * 4)
    assert found is not None
    assert found.probability == 0.5


def test_trials_that_never_move_are_ranked_at_zero() -> None:
    losing = [-1.0, -2.0] * 32
    found = overfit([[0.0] * 64, losing])
    assert found is not None
    assert found.probability == 0  # the idle one is best in every past and in every future


def test_what_cannot_be_cut_has_no_figure() -> None:
    assert overfit(_noise(1, 100, 0)) is None
    assert overfit(_noise(3, 31, 0)) is None
    with pytest.raises(UsageError, match="7 blocks"):
        overfit(_noise(3, 100, 0), 7)
    with pytest.raises(UsageError, match="different numbers"):
        overfit([[0.0] * 64, [0.0] * 63])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_taken_for_no_overfitting(bad: float) -> None:
    with pytest.raises(UsageError, match="no finite number"):
        overfit([[bad] * 40, [0.1, 0.2] * 20], 4)
