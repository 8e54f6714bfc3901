"""The enhanced score: as decided, within its bounds, monotone in depth and antitone in impact."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import UsageError
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals.enhanced_score import ScoreRules, enhanced_score, feasibility_score, liquidity_factor
from pumpswap.units import LAMPORTS_PER_SOL

SOL = LAMPORTS_PER_SOL
DEFAULTS = ScoreRules.of(FeasibilitySettings())

depths = st.integers(0, 1_000 * SOL)
impacts = st.none() | st.fractions(0, 2)
sizes = st.integers(0, 100 * SOL)
weights = st.decimals(0, Decimal("0.5"), places=2)
settings = st.builds(
    lambda **chosen: ScoreRules.of(FeasibilitySettings(**chosen)),
    max_impact_bps=st.integers(0, 10_000),
    liquidity_weight=weights,
    feasibility_weight=weights,
    boost_factor=st.decimals(1, 2, places=2),
    boost_above=st.decimals(0, 1, places=2),
    reference_depth_sol=st.decimals("0.000000001", 1_000, places=9),
    reference_buy_sol=st.decimals("0.000000001", 100, places=9),
)


def total(base: float, depth: int, impact: Fraction | None, size: int, rules: ScoreRules) -> Fraction:
    feasibility = feasibility_score(depth, impact, size, rules).total
    return enhanced_score(base, liquidity_factor(depth, rules), feasibility, rules).total


@pytest.mark.parametrize(
    ("base", "depth_sol", "impact", "max_buy_sol", "feasibility", "expected"),
    [
        (80, 60, Fraction(33, 1000), "4.2", Fraction(592, 1000), Fraction(6984, 100)),
        (80, 200, Fraction(1, 100), "10", Fraction(96, 100), Fraction(100)),
        (100, 0, None, "0", Fraction(0), Fraction(50)),
    ],
)
def test_the_three_worked_examples(
    base: float, depth_sol: int, impact: Fraction | None, max_buy_sol: str, feasibility: Fraction, expected: Fraction
) -> None:
    depth, size = depth_sol * SOL, int(Decimal(max_buy_sol) * SOL)
    assert feasibility_score(depth, impact, size, DEFAULTS).total == feasibility
    assert total(base, depth, impact, size, DEFAULTS) == expected


def test_the_second_example_reaches_100_by_its_boost_alone() -> None:
    score = enhanced_score(80, Fraction(1), Fraction(96, 100), DEFAULTS)
    assert score.boost == Fraction(12, 10)
    assert Fraction(892, 10) * score.boost == Fraction(10_704, 100)
    assert score.total == 100


def test_the_boost_needs_more_than_its_bound() -> None:
    at, above = Fraction(7, 10), Fraction(7, 10) + Fraction(1, 10**9)
    assert enhanced_score(50, Fraction(1, 2), at, DEFAULTS).boost == 1
    assert enhanced_score(50, Fraction(1, 2), above, DEFAULTS).boost == Fraction(12, 10)


@given(st.floats(0, 100), depths, impacts, sizes, settings)
def test_the_score_and_its_factors_stay_within_their_bounds(
    base: float, depth: int, impact: Fraction | None, size: int, rules: ScoreRules
) -> None:
    assert 0 <= total(base, depth, impact, size, rules) <= 100
    parts = feasibility_score(depth, impact, size, rules)
    assert all(0 <= part <= 1 for part in (parts.depth, parts.impact, parts.size, parts.total))


@given(st.floats(0, 100), depths, depths, impacts, sizes, settings)
def test_the_score_never_falls_when_depth_grows(
    base: float, depth: int, more: int, impact: Fraction | None, size: int, rules: ScoreRules
) -> None:
    assert total(base, depth + more, impact, size, rules) >= total(base, depth, impact, size, rules)


@given(st.floats(0, 100), depths, st.fractions(0, 1), st.fractions(0, 1), sizes, settings)
def test_the_score_never_rises_when_impact_grows(
    base: float, depth: int, impact: Fraction, more: Fraction, size: int, rules: ScoreRules
) -> None:
    worse = total(base, depth, impact + more, size, rules)
    assert worse <= total(base, depth, impact, size, rules)
    assert total(base, depth, None, size, rules) <= worse


@pytest.mark.parametrize("base", [-0.1, 100.1, float("nan"), float("inf")])
def test_a_base_score_that_cannot_be_is_refused(base: float) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        enhanced_score(base, Fraction(0), Fraction(0), DEFAULTS)
