"""The parts of an enhanced score add up to the difference, whatever the pool and the weights."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import current_schedule
from pumpswap.analytics.comparison.parts import PARTS, facts_of, shifts_of
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals import PoolFacts, PumpSwapSignalAnalyzer, SignalResult
from tests.support.market import SOL, START_NS, graduate

WEIGHTS = st.integers(0, 50).map(lambda percent: Decimal(percent) / 100)


def base(score: float) -> SignalResult:
    return SignalResult(score, "stable", "stable", 0.0, 0.0, 0.0, {"momentum_direction": "neutral"})


def facts(vault: int) -> PoolFacts:
    return PoolFacts(graduate(quote_vault=vault), current_schedule(), START_NS)


@given(st.floats(0, 100), st.integers(10**6, 10**12), WEIGHTS, WEIGHTS, st.integers(1, 50))
def test_the_parts_add_up(score: float, vault: int, depth: Decimal, trade: Decimal, size: int) -> None:
    settings = FeasibilitySettings(liquidity_weight=depth, feasibility_weight=trade)
    result = PumpSwapSignalAnalyzer(settings=settings).enhance(base(score), facts(vault), intended_lamports=size * SOL)
    shifts = shifts_of(result, settings)
    assert tuple(shifts) == PARTS
    assert sum(shifts.values()) == pytest.approx(result.enhanced_score - score, abs=1e-9)
    # The boost is no leftover: without one there is nothing left.
    if result.boost == 1:
        assert shifts["boost"] == pytest.approx(0, abs=1e-9)
    else:
        weighed = score + sum(points for name, points in shifts.items() if name != "boost")
        assert shifts["boost"] == pytest.approx(min(0.2 * weighed, 100 - weighed), abs=1e-9)


def test_the_parts_by_hand() -> None:
    """A graduate's 84.99 SOL and a base score of 80: depth .38·(84.99 − 80), and so on."""
    settings = FeasibilitySettings()
    result = PumpSwapSignalAnalyzer().enhance(base(80), facts(84_990_359_057))
    assert result.feasibility is not None
    score, shifts = result.feasibility.score, shifts_of(result, settings)
    assert shifts["depth"] == pytest.approx(0.38 * (84.990359057 - 80))
    assert shifts["impact"] == pytest.approx(0.08 * (100 * float(score.impact) - 80))
    assert shifts["largest size"] == pytest.approx(0.04 * (100 * float(score.size) - 80))
    assert facts_of(result)["depth"] == "84.99 SOL"
    assert facts_of(result)["boost"] == "× 1.2"


def test_without_pumpswap_data_there_are_no_parts() -> None:
    result = PumpSwapSignalAnalyzer().enhance(base(80), None, unavailable="not on PumpSwap")
    assert (shifts_of(result, FeasibilitySettings()), facts_of(result)) == ({}, {})


def test_a_trade_that_cannot_be_made_is_told_as_such() -> None:
    result = PumpSwapSignalAnalyzer().enhance(
        base(80), PoolFacts(graduate(base_reserve=1), current_schedule(), START_NS)
    )
    assert facts_of(result)["impact"] == "no such trade"
