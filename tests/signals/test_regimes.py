"""Regimes: the golden cases, past values only, a declared warm-up, nothing guessed."""

from __future__ import annotations

import json
import math
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import ConfigError
from pumpswap.settings import Q50Settings, RegimeSettings, Settings
from pumpswap.signals.regimes import Regime, RegimeDetector, RegimeRules
from tests.support.material import material, requires_material
from tests.support.q50 import model_columns

POC = {"low_variance": 0.7, "medium_variance": 1.0, "high_variance": 1.4, "extreme_variance": 1.8}
RISKS = model_columns(400)["vol_risk"]


def signal(vol_risk: object, **more: object) -> dict[str, Any]:
    return {"vol_risk": vol_risk, "vol_raw": 0.004, "q50": 0.0004, "prob_up": 0.55, "tradeable": True, **more}


@requires_material("host", "golden_vectors.json")
def test_the_golden_cases_are_met_with_the_multipliers_they_were_made_with() -> None:
    path = material("host", "golden_vectors.json")
    assert path is not None
    golden = json.loads(path.read_text())["regime"]
    assert len(golden["cases"]) == 6
    for case in golden["cases"]:
        detector = RegimeDetector({"regime_detection": {"regime_multipliers": POC}})
        assert detector.load_historical_data(golden["history_vol_risk"]) == 1000
        bounds = detector.get_regime_statistics()["current_percentiles"]
        assert bounds == pytest.approx(golden["percentile_thresholds"], rel=1e-9)
        found = detector.classify_regime(case["signal"])
        for name, expected in case["expect"].items():
            if isinstance(expected, str):
                assert found[name] == expected
            else:
                assert math.isclose(found[name], expected, rel_tol=1e-9), name


def test_our_multipliers_are_smaller_in_turbulence() -> None:
    rules = RegimeRules.of_settings(RegimeSettings())
    assert [rules.multipliers[regime] for regime in Regime] == [1.1, 1.0, 0.85, 0.6]
    assert RegimeDetector().rules == rules == RegimeDetector(RegimeSettings()).rules
    configured = RegimeDetector(
        Settings(regimes=RegimeSettings(high_multiplier="0.5"), q50=Q50Settings(warm_up=30))
    ).rules
    assert (configured.multipliers[Regime.HIGH], configured.warm_up) == (0.5, 30)


def test_at_real_scale_there_are_four_regimes_and_not_one() -> None:
    detector = RegimeDetector()
    detector.load_historical_data(RISKS)
    ordered = sorted(RISKS)
    found = [detector.classify_regime(signal(ordered[place]))["vol_regime"] for place in (10, 200, 320, 395)]
    assert found == ["low", "medium", "high", "extreme"]


def test_during_the_warm_up_there_is_no_regime_and_no_size() -> None:
    detector = RegimeDetector()
    for count, vol_risk in enumerate(RISKS[:99], 1):
        found = detector.classify_regime(signal(vol_risk))
        assert found["regime"] is None
        assert found["regime_multiplier"] == 0.0
        assert found["reason"] == f"warm-up: {count} of 100 values"
    assert detector.get_regime_statistics()["regime_distribution"] is None
    assert detector.classify_regime(signal(RISKS[99]))["regime"] is not None


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), -1.0, "1e-5", True])
def test_a_bad_figure_gives_no_regime_and_is_not_remembered(bad: object) -> None:
    detector = RegimeDetector()
    detector.load_historical_data(RISKS)
    found = detector.classify_regime(signal(bad))
    assert found["regime"] is None
    assert found["regime_multiplier"] == 0.0
    assert "vol_risk" in found["reason"]
    assert detector.get_regime_statistics()["total_observations"] == 400


def test_every_tick_of_an_hour_counts_once() -> None:
    detector, start = RegimeDetector(), datetime(2024, 9, 1, tzinfo=UTC)
    for hour, vol_risk in enumerate(RISKS[:150]):
        told = [
            detector.classify_regime(signal(vol_risk, timestamp=start + timedelta(hours=hour)))["regime"]
            for _tick in range(3)
        ]
        assert len(set(told)) == 1
    assert detector.get_regime_statistics()["total_observations"] == 150


def test_a_signal_older_than_the_history_gets_no_regime() -> None:
    detector, start = RegimeDetector(), datetime(2024, 9, 1, tzinfo=UTC)
    for hour, vol_risk in enumerate(RISKS[:150]):
        detector.classify_regime(signal(vol_risk, timestamp=start + timedelta(hours=hour)))
    found = detector.classify_regime(signal(RISKS[3], timestamp=start + timedelta(hours=3)))
    assert (found["regime"], found["reason"]) == (None, "the signal is older than the history")


@given(cut=st.integers(100, 199), scale=st.floats(0, 1e6))
@settings(max_examples=30, deadline=None)
def test_the_future_changes_no_regime(cut: int, scale: float) -> None:
    first, second = RegimeDetector(), RegimeDetector()
    changed = RISKS[:cut] + [value * scale for value in RISKS[cut:200]]
    ours = [first.classify_regime(signal(value)) for value in RISKS[:200]]
    theirs = [second.classify_regime(signal(value)) for value in changed]
    assert ours[:cut] == theirs[:cut]


def test_the_history_is_bounded_and_can_be_forgotten() -> None:
    detector = RegimeDetector({"history_size": 120})
    detector.load_historical_data(RISKS)
    statistics = detector.get_regime_statistics()
    assert statistics["total_observations"] == 120
    assert sum(statistics["regime_distribution"].values()) == pytest.approx(1)
    assert statistics["regime_distribution"]["low_variance"] == pytest.approx(0.3, abs=0.01)
    assert statistics["vol_risk_stats"]["median"] == pytest.approx(sorted(RISKS[-120:])[59:61][0], rel=0.05)
    assert statistics["vol_risk_stats"]["max"] == max(RISKS[-120:])
    assert statistics["status"] == "ready"
    detector.reset_history()
    assert detector.get_regime_statistics()["status"] == "no_history"
    assert detector.get_regime_statistics()["total_observations"] == 0


def test_history_may_be_signals_and_what_cannot_be_read_is_left_out() -> None:
    detector = RegimeDetector()
    assert detector.load_historical_data([signal(1e-5), 2e-5, float("nan"), {"q50": 1.0}]) == 2


def warm() -> RegimeDetector:
    detector = RegimeDetector()
    detector.load_historical_data(sorted(RISKS, reverse=True))
    return detector


def test_adjusted_significance_follows_the_direction() -> None:
    calm = min(RISKS)
    rising = signal(calm, q10=-0.002, q50=0.001, q90=0.006, prob_up=0.7)
    falling = signal(calm, q10=-0.006, q50=-0.001, q90=0.002, prob_up=0.3, tradeable=False)
    flat = signal(calm, q10=-0.004, q50=0.0001, q90=0.0041, prob_up=0.5)
    for case, expected in ((rising, True), (falling, True), (flat, False)):
        detector = warm()
        info = detector.classify_regime(case)
        assert info["regime_confidence"] == 1.0
        adjusted = detector.apply_regime_adjustments(case, info)
        assert adjusted["regime_adjusted_economically_significant"] is expected
        assert adjusted["regime_adjusted_tradeable"] is expected
        assert adjusted["regime_info"]["regime"] == "low_variance"
        assert adjusted["regime_adjusted_signal_strength"] == pytest.approx(1.1 * abs(case["q50"]))
        assert "regime_info" not in case


@pytest.mark.parametrize("change", [{"tradeable": False}, {"q10": None}, {"prob_up": "much"}])
def test_what_is_missing_is_no_trade(change: dict[str, object]) -> None:
    case = signal(min(RISKS), q10=-0.002, q50=0.001, q90=0.006, prob_up=0.7) | change
    detector = warm()
    adjusted = detector.apply_regime_adjustments(case, detector.classify_regime(case))
    assert adjusted["regime_adjusted_tradeable"] is False


def test_without_a_regime_nothing_is_tradeable() -> None:
    detector = RegimeDetector()
    case = signal(1e-5, q10=-0.002, q50=0.001, q90=0.006, prob_up=0.7)
    adjusted = detector.apply_regime_adjustments(case, detector.classify_regime(case))
    assert adjusted["regime_adjusted_tradeable"] is False
    assert adjusted["regime_adjusted_economically_significant"] is False


def test_extreme_turbulence_needs_twice_the_confidence() -> None:
    case = signal(1e-2, q10=-0.002, q50=0.001, q90=0.006, prob_up=0.7)
    detector = warm()
    info = detector.classify_regime(case)
    assert info["regime"] == "extreme_variance"
    for confidence, expected in ((0.59, False), (0.6, True)):
        adjusted = detector.apply_regime_adjustments(case, {**info, "regime_confidence": confidence})
        assert adjusted["regime_adjusted_tradeable"] is expected


def test_threads_may_share_a_detector() -> None:
    detector = RegimeDetector()

    def feed() -> None:
        for value in RISKS:
            detector.classify_regime(signal(value))

    threads = [threading.Thread(target=feed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statistics = detector.get_regime_statistics()
    assert statistics["total_observations"] == 1600
    assert sum(statistics["regime_distribution"].values()) == pytest.approx(1)


def test_both_names_of_a_regime_are_known() -> None:
    for regime in Regime:
        assert Regime.named(regime.value) is Regime.named(regime.variance_name) is regime
    with pytest.raises(ConfigError, match="'wild' is no regime"):
        Regime.named("wild")


@pytest.mark.parametrize(
    "config",
    [
        {"regime_detection": {"vol_risk_percentiles": {"low": 0.8}}},
        {"regime_detection": {"vol_risk_percentiles": {"middle": 0.5}}},
        {"regime_detection": {"regime_multipliers": {"low": -1.0}}},
        {"regime_detection": {"regime_multipliers": {"low": "much"}}},
        {"regime_detection": {"regime_multipliers": 3}},
        {"warm_up": 0},
        {"warm_up": 500, "history_size": 100},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        RegimeDetector(config)
    assert caught.value.hint


@pytest.mark.parametrize("vol_risk", [10**400, -(10**400), Decimal("sNaN"), Decimal("1e999"), float("inf"), True])
def test_what_no_float_can_hold_is_no_figure_and_no_crash(vol_risk: Any) -> None:
    found = RegimeDetector({"warm_up": 1}).classify_regime({"vol_risk": vol_risk, "vol_raw": 0.1, "q50": 0.1})
    assert (found["regime"], found["regime_multiplier"]) == (None, 0.0)


@pytest.mark.parametrize(
    "config",
    [{"warm_up": "x"}, {"warm_up": None}, {"history_size": float("inf")}, {"regime_detection": [1]}],
)
def test_a_configuration_that_cannot_be_read_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        RegimeDetector(config)


def test_an_empty_section_has_the_defaults() -> None:
    assert RegimeDetector({"regime_detection": None}).rules == RegimeDetector().rules
