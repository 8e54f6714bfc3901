"""What a signal's own figures make of a size: the formulas of the sources, checked inputs, no base ever raised."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import BadInput
from pumpswap.risk.odds import PPM, inverse_variance, kelly, ppm, regime_ppm, strength_ppm, volatility_ppm

BAD = [float("nan"), float("inf"), float("-inf"), -1e-9, -1.0, True, "0.5", None]


@pytest.mark.parametrize(
    ("chance", "odds", "share"),
    [(0.5, 1.0, 0.0), (0.6, 1.0, 0.2), (0.55, 2.0, 0.325), (1.0, 3.0, 1.0), (0.0, 3.0, -1 / 3), (0.9, 0.0, 0.0)],
)
def test_kelly_is_the_textbook_formula(chance: float, odds: float, share: float) -> None:
    assert kelly(chance, odds) == pytest.approx(share)


@given(st.fractions(0, 1, max_denominator=10_000), st.fractions(Fraction(1, 1_000), 100, max_denominator=1_000))
def test_kelly_grows_the_logarithm_fastest(chance: Fraction, odds: Fraction) -> None:
    """f* is where p·b/(1 + b·f) equals q/(1 − f): the growth of the money has no slope there."""
    share = kelly(float(chance), float(odds))
    assert share <= 1
    if 0 < share < 0.999:
        up, down = chance * odds / (1 + odds * Fraction(share)), (1 - chance) / (1 - Fraction(share))
        assert float(up) == pytest.approx(float(down), rel=1e-6)


@pytest.mark.parametrize(
    ("vol_risk", "share"), [(0.0, 1.0), (1e-4, 1.0), (2e-4, 0.5), (1e-3, 0.1), (0.01, 0.01), (1.0, 1e-4)]
)
def test_turbulence_takes_its_share(vol_risk: float, share: float) -> None:
    assert inverse_variance(vol_risk) == pytest.approx(share)


def test_turbulence_bites_where_its_share_is_below_the_base() -> None:
    assert volatility_ppm(1e-3, 0.1) == PPM
    assert volatility_ppm(2e-3, 0.1) == PPM // 2
    assert volatility_ppm(2e-3, 0.5) == PPM // 10


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1))
def test_more_turbulence_never_means_more_and_never_more_than_the_base(one: float, other: float, base: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= volatility_ppm(high, base) <= volatility_ppm(low, base) <= PPM


@given(st.floats(0, 1), st.floats(0, 1))
def test_strength_scales_within_the_upper_half(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert PPM // 2 <= strength_ppm(low) <= strength_ppm(high) <= PPM


def test_parts_are_rounded_down() -> None:
    assert [ppm(share) for share in (0.0, 0.1, 0.0000019, 1.0)] == [0, 100_000, 1, PPM]
    assert [regime_ppm(factor) for factor in (0.0, 0.6, 0.85, 1.0, 1.1)] == [0, 600_000, 850_000, PPM, 1_100_000]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    "use",
    [
        lambda value: kelly(value, 1.0),
        lambda value: kelly(0.5, value),
        inverse_variance,
        strength_ppm,
        regime_ppm,
    ],
)
def test_a_figure_that_cannot_be_is_refused(use: Callable[[object], object], value: object) -> None:
    with pytest.raises(BadInput, match="not within"):
        use(value)


@pytest.mark.parametrize(
    "use", [lambda: kelly(1.01, 1.0), lambda: kelly(0.5, 1.1e6), lambda: regime_ppm(10.1), lambda: strength_ppm(1.1)]
)
def test_absurd_figures_are_refused(use: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match="not within"):
        use()
