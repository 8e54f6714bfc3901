"""The rule layer equals the frame's own columns, and its causal form knows nothing of later rows."""

from __future__ import annotations

import csv
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import BadInput
from pumpswap.model import Side
from pumpswap.signals.q50_rules import (
    RULE_COLUMNS,
    causal_columns,
    compatible_columns,
    directional_expected_value,
    directional_odds,
    probability_up,
)
from tests.support.material import material, requires_material
from tests.support.q50 import SIDE_CODES, model_columns


def sample() -> dict[str, list[str]]:
    path = material("host", "q50_frame.csv")
    assert path is not None
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


@requires_material("host", "q50_frame.csv")
def test_every_derived_column_of_the_sample_is_recomputed() -> None:
    told = sample()
    given_columns = ("q10", "q50", "q90", "vol_raw", "vol_risk", "momentum_regime_trending")
    found = compatible_columns({name: [float(value) for value in told[name]] for name in given_columns})
    features = {"vol_scaled", "vol_raw_momentum", "regime_stability", "truth", "instrument", "datetime"}
    flags = {name for name in told if name.startswith(("vol_regime_", "momentum_regime_", "regime_"))}
    assert set(told) - set(found) - features - flags == {"q10", "q50", "q90"}
    assert len(found) == 41
    for name, values in found.items():
        for row, (ours, theirs) in enumerate(zip(values, told[name], strict=True)):
            if isinstance(ours, Side):
                assert SIDE_CODES[ours] == int(theirs), (name, row)
            elif theirs in ("True", "False"):
                assert ours is (theirs == "True"), (name, row)
            else:
                assert math.isclose(ours, float(theirs), rel_tol=1e-9), (name, row)
    counts = [sum(found[f"variance_regime_{name}"]) for name in ("low", "medium", "high", "extreme")]
    assert counts == [120, 160, 80, 40]
    assert [found["signal_tier"].count(tier) for tier in range(4)] == [251, 48, 48, 53]


@pytest.mark.parametrize(
    ("q10", "q50", "q90", "chance"),
    [
        (-1.0, 0.0, 1.0, 0.5),
        (-1.0, 1.0, 2.0, 1 - (0.1 + 0.4 * 0.5)),
        (-2.0, -1.0, 1.0, 1 - (0.5 + 0.4 * 0.5)),
        (0.1, 0.2, 0.3, 1.0),
        (-0.3, -0.2, -0.1, 0.0),
        (-0.3, -0.2, 0.0, 0.0),
    ],
)
def test_the_chance_of_a_rise(q10: float, q50: float, q90: float, chance: float) -> None:
    assert probability_up(q10, q50, q90) == pytest.approx(chance)


@given(quantiles=st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_the_chance_is_one_and_mirrors(quantiles: list[float]) -> None:
    q10, q50, q90 = sorted(quantiles)
    assert 0 <= probability_up(q10, q50, q90) <= 1


def test_a_fall_has_the_chance_of_a_fall() -> None:
    # A model that is sure of a fall: the frame's own expected value says nothing for it, ours does.
    row = {"q10": [-0.02], "q50": [-0.01], "q90": [0.001], "vol_risk": [1e-5]}
    told = compatible_columns(row)
    assert told["expected_value"][0] < 0.002
    mirrored = directional_expected_value(-0.001, 0.01, 0.02, 1 - told["prob_up"][0])
    assert directional_expected_value(-0.02, -0.01, 0.001, told["prob_up"][0]) == pytest.approx(mirrored)
    assert mirrored > 0.015
    assert directional_expected_value(-0.02, 0.0, 0.02, 0.5) == 0.0


def test_for_a_rise_both_expected_values_are_the_same() -> None:
    columns = model_columns(200)
    told = compatible_columns(columns)
    for row, q50 in enumerate(columns["q50"]):
        if q50 > 0:
            own = directional_expected_value(columns["q10"][row], q50, columns["q90"][row], told["prob_up"][row])
            assert own == pytest.approx(told["expected_value"][row])


def test_during_the_warm_up_there_is_no_regime_and_nothing_is_tradeable() -> None:
    told = causal_columns(model_columns(150), warm_up=100)
    regimes = [
        [told[f"variance_regime_{name}"][row] for name in ("low", "medium", "high", "extreme")] for row in range(150)
    ]
    assert all(sum(regime) == 0 for regime in regimes[:99])
    assert all(sum(regime) == 1 for regime in regimes[99:])
    assert not any(told["tradeable"][:99])
    assert any(told["tradeable"][99:])
    assert set(told["side"][:99]) == {Side.HOLD}


def test_the_last_causal_row_equals_the_compatible_one() -> None:
    columns = model_columns(400)
    ours, theirs = causal_columns(columns), compatible_columns(columns)
    assert {name: values[-1] for name, values in ours.items()} == {name: values[-1] for name, values in theirs.items()}


def test_the_compatible_form_looks_ahead_and_the_causal_one_does_not() -> None:
    calm = model_columns(300)
    wild = {name: values[:200] + [value * 50 for value in values[200:]] for name, values in calm.items()}
    assert causal_columns(calm)["variance_regime_low"][:200] == causal_columns(wild)["variance_regime_low"][:200]
    assert (
        compatible_columns(calm)["variance_regime_low"][:200] != compatible_columns(wild)["variance_regime_low"][:200]
    )


@given(seed=st.integers(0, 1000), cut=st.integers(1, 119), scale=st.floats(0, 1e3))
@settings(max_examples=60, deadline=None)
def test_no_later_row_changes_an_earlier_one(seed: int, cut: int, scale: float) -> None:
    before = model_columns(120, seed)
    after = {name: values[:cut] + [value * scale for value in values[cut:]] for name, values in before.items()}
    ours, theirs = (causal_columns(columns, warm_up=20, history_size=50) for columns in (before, after))
    assert {name: values[:cut] for name, values in ours.items()} == {
        name: values[:cut] for name, values in theirs.items()
    }


def test_either_volatility_will_do_and_arrays_too() -> None:
    columns = model_columns(120)
    raw = {name: columns[name] for name in ("q10", "q50", "q90", "vol_raw")}
    risk = {name: np.array(columns[name]) for name in ("q10", "q50", "q90", "vol_risk")}
    of_raw, of_risk = compatible_columns(raw), compatible_columns(risk)  # type: ignore[arg-type]
    assert of_raw["signal_tier"] == of_risk["signal_tier"]
    assert of_risk["vol_raw"] == pytest.approx(columns["vol_raw"])
    assert set(of_raw) == set(RULE_COLUMNS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"q90": None}, "the rules need q90"),
        ({"vol_raw": None, "vol_risk": None}, "vol_raw or vol_risk"),
        ({"q50": [0.1]}, "not equally long"),
        ({"q50": [float("nan")] * 5}, "row 0 has a figure"),
        ({"vol_risk": [-1.0] * 5}, "row 0 has a figure"),
    ],
)
def test_what_the_rules_cannot_use_is_refused(change: dict[str, Any], told: str) -> None:
    columns = {name: values for name, values in {**model_columns(5), **change}.items() if values is not None}
    with pytest.raises(BadInput, match=told):
        causal_columns(columns)


def test_no_rows_give_no_rows() -> None:
    assert set(compatible_columns(model_columns(0))) == set(RULE_COLUMNS)
    assert causal_columns(model_columns(0))["q50_x_trending"] == []


@pytest.mark.parametrize(
    ("quantiles", "prob_up", "odds"),
    [
        ((-0.002, 0.001, 0.006), 0.65, (0.65, 3.0)),
        ((-0.006, -0.001, 0.002), 0.35, (0.65, 3.0)),
        ((0.0005, 0.001, 0.006), 1.0, (1.0, 6.0)),  # even the bad case is a gain: 0.001 stands for the loss
        ((-0.006, -0.001, -0.0005), 0.0, (1.0, 6.0)),
        ((-1e-12, 0.001, 0.006), 0.9, (0.9, 1_000.0)),
        ((-1e-320, 0.001, 0.006), 0.9, (0.9, 1_000.0)),
        ((-0.002, 0.001, -0.001), 0.9, (0.9, 0.0)),  # quantiles that cross promise nothing
        ((-0.002, 0.0, 0.006), 0.5, None),
    ],
)
def test_odds_are_the_far_quantile_over_the_near_one(
    quantiles: tuple[float, float, float], prob_up: float, odds: tuple[float, float] | None
) -> None:
    found = directional_odds(*quantiles, prob_up)
    assert (found is None) == (odds is None)
    if found is not None and odds is not None:
        assert found == pytest.approx(odds)
