"""Ratios equal those of empyrical, on random and on edge series. Where they differ it is by design, and named here."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import empyrical
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.analytics.performance import ratios
from tests.support.examples import examples

YEAR = 365.0
Ours = Callable[[Sequence[float], float], float | None]
PAIRS: dict[str, tuple[Ours, Callable[..., float]]] = {
    "volatility": (ratios.volatility, empyrical.annual_volatility),
    "sharpe": (ratios.sharpe, empyrical.sharpe_ratio),
    "downside": (ratios.downside, empyrical.downside_risk),
    "sortino": (ratios.sortino, empyrical.sortino_ratio),
    "annual_return": (ratios.annual_return, empyrical.annual_return),
    "calmar": (ratios.calmar, empyrical.calmar_ratio),
}


def theirs(of: Callable[..., float], returns: Sequence[float]) -> float | None:
    """None for what is no number: empyrical says NaN, or an infinity, where we say that there is none."""
    with np.errstate(all="ignore"):
        value = float(of(np.array(returns, dtype=float), annualization=YEAR))
    return value if math.isfinite(value) else None


def same(ours: float | None, other: float | None) -> bool:
    if ours is None or other is None:
        return ours is None and other is None
    return math.isclose(ours, other, rel_tol=1e-7, abs_tol=1e-9)


def series(seed: int) -> list[float]:
    rng = random.Random(seed)
    spread, drift = rng.choice((1e-4, 0.01, 0.2)), rng.choice((-0.02, 0.0, 0.003))
    return [max(rng.gauss(drift, spread), -0.99) for _ in range(rng.choice((2, 3, 5, 30, 365, 2_000)))]


@pytest.mark.parametrize("name", PAIRS)
def test_random_series(name: str) -> None:
    ours, reference = PAIRS[name]
    for seed in range(150):
        returns = series(seed)
        assert same(ours(returns, YEAR), theirs(reference, returns)), (seed, len(returns))


EDGES: list[list[float]] = [
    [], [0.01], [-0.01], [0.0], [0.0, 0.0], [0.0] * 50, [0.01, -0.01], [-0.5, 0.5], [-0.99, 0.5, 0.5], [0.1, 0.2, 0.3],
    [-0.1, -0.2, -0.3], [1e-8, -1e-8, 2e-8], [3.0, -0.9, 12.0], [-0.99] * 10, [0.0, 0.0, 0.05], [0.0, 0.0, -0.05],
]  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("returns", EDGES, ids=str)
def test_edge_series(name: str, returns: list[float]) -> None:
    ours, reference = PAIRS[name]
    assert same(ours(returns, YEAR), theirs(reference, returns))


def test_returns_that_differ_only_by_the_rounding_of_floats_do_not_vary() -> None:
    """The first difference by design: a spread of 1e-18 is none, and no Sharpe ratio of 10¹⁶ comes of it."""
    returns = [0.1 + 0.2, 0.3, 0.3]
    assert ratios.volatility(returns, YEAR) == 0
    assert ratios.sharpe(returns, YEAR) is None
    assert empyrical.annual_volatility(np.array(returns), annualization=YEAR) > 0


def test_what_falls_only_by_the_rounding_of_floats_has_not_fallen() -> None:
    """1 · (11/10) · (10/11) is a step of a float below 1: no Sortino ratio of 10¹⁵ comes of it, and no Calmar."""
    returns = [0.1, -(2.0**-53), 0.01]
    assert (ratios.downside(returns, YEAR), ratios.sortino(returns, YEAR)) == (0, None)
    assert (ratios.max_fall(returns), ratios.calmar(returns, YEAR)) == (0, None)


def test_all_is_lost() -> None:
    """The second: what has fallen to nothing has fallen by all of it for ever, whatever comes after."""
    for returns in ([-1.0], [0.1, -1.0], [0.1, -1.0, 0.5]):
        assert ratios.annual_return(returns, YEAR) == -1
        assert ratios.max_fall(returns) == 1
        assert ratios.total_return(returns) == -1


def test_growth_beyond_all_numbers_is_no_figure() -> None:
    """The third: an hour that gained ten-fold says nothing of a year that a float could hold."""
    assert ratios.annual_return([9.0], 8_760.0) is None


@settings(max_examples=examples(200))
@given(st.lists(st.floats(-0.95, 5.0, allow_nan=False), min_size=1, max_size=60))
def test_the_deepest_fall(returns: list[float]) -> None:
    assert math.isclose(ratios.max_fall(returns), -float(empyrical.max_drawdown(np.array(returns))), abs_tol=1e-9)
    assert 0 <= ratios.max_fall(returns) < 1
    assert math.isclose(
        ratios.total_return(returns), float(empyrical.cum_returns_final(np.array(returns))), rel_tol=1e-9, abs_tol=1e-9
    )
