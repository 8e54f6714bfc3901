"""Q50 rows become signals from the past only, on the frame's own scale, and say why."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import ConfigError
from pumpswap.model import PoolSnapshot, Q50Frame, Q50Series, Side
from pumpswap.settings import Q50Settings, RegimeSettings
from pumpswap.signals.q50_calibration import calibrate
from pumpswap.signals.q50_signal import Q50Signaller
from pumpswap.signals.regimes import Regime
from tests.support.q50 import HOUR_NS, another_future, frame_of, model_columns, series_of

POOL, MINT = "PoolPoolPoolPoolPoolPoolPoolPool1", "MintMintMintMintMintMintMintMint1"
FRAME = frame_of(600)
SERIES = FRAME.chosen()
FIRST_NS = SERIES.times_ns[0]


def snapshot(at_ns: int, mint: str = MINT) -> PoolSnapshot:
    return PoolSnapshot(
        pool_id=f"solana_{POOL}", pool=POOL, dex="pumpswap", at_ns=at_ns, base_mint=mint, name="X / SOL"
    )


def changed(series: Q50Series, **columns: Any) -> Q50Series:
    """The same series with other columns."""
    kept = {name: list(series.column(name)) for name in series.column_names}
    return Q50Series(series.instrument, list(series.times_ns), kept | columns)


def with_row(place: int, **figures: Any) -> Q50Frame:
    """FRAME with other figures in one row."""
    columns = {name: list(SERIES.column(name)) for name in figures}
    for name, value in figures.items():
        columns[name][place] = value
    return Q50Frame([changed(SERIES, **columns)])


# A row that every rule lets through, after the warm-up.
GOOD: dict[str, Any] = {"q10": -0.002, "q50": 0.0009, "q90": 0.006, "prob_up": 0.65}
GOOD |= {"tradeable": True, "economically_significant": True, "side": Side.LONG}
SHORT: dict[str, Any] = {"q10": -0.006, "q50": -0.0009, "q90": 0.002, "prob_up": 0.35}
SHORT |= {"tradeable": False, "economically_significant": False, "side": Side.HOLD}
PLACE = 300
AT_NS = FIRST_NS + PLACE * HOUR_NS


def test_a_strong_tradeable_rise_is_long_and_says_why() -> None:
    decision = Q50Signaller(with_row(PLACE, **GOOD)).decide(AT_NS + HOUR_NS // 2)
    assert decision.side is Side.LONG
    assert decision.row is not None
    assert decision.row.index == PLACE
    assert decision.age_ns == HOUR_NS // 2
    assert decision.expected_value == pytest.approx(0.65 * 0.006 - 0.35 * 0.002)
    assert decision.threshold is not None
    assert decision.threshold <= 0.0009
    assert decision.regime is not None
    assert (
        decision.regime_multiplier == {"low": 1.1, "medium": 1.0, "high": 0.85, "extreme": 0.6}[decision.regime.value]
    )
    assert "30 min old: q50 +0.0009" in decision.reasons[0]
    assert f"regime {decision.regime.value}" in decision.reasons[1]
    assert decision.reasons[2].endswith("expected value +0.0032: long")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"q50": 0.0001}, "below the calibrated threshold"),
        ({"tradeable": False}, "do not call the row tradeable"),
        ({"economically_significant": False}, "do not call the row tradeable"),
        ({"side": Side.SHORT}, "the row's own side is short"),
        ({"q90": 0.001, "q10": -0.006}, "expected value"),
        ({"q50": 0.0}, "q50 is 0: no direction"),
    ],
)
def test_each_objection_holds_and_is_told(change: dict[str, Any], told: str) -> None:
    decision = Q50Signaller(with_row(PLACE, **GOOD | change)).decide(AT_NS)
    assert decision.side is Side.HOLD
    assert any(told in reason for reason in decision.reasons)


def test_a_strong_fall_is_short_although_the_models_rules_never_call_it_tradeable() -> None:
    decision = Q50Signaller(with_row(PLACE, **SHORT)).decide(AT_NS)
    assert decision.side is Side.SHORT
    assert decision.expected_value == pytest.approx(0.65 * 0.006 - 0.35 * 0.002)


def test_a_long_side_forbids_a_short() -> None:
    decision = Q50Signaller(with_row(PLACE, **SHORT | {"side": Side.LONG})).decide(AT_NS)
    assert decision.side is Side.HOLD


def test_high_quality_is_asked_for_only_on_request() -> None:
    strict = Q50Settings(require_high_quality=True)
    assert Q50Signaller(with_row(PLACE, **GOOD), strict).decide(AT_NS).side is Side.HOLD
    assert Q50Signaller(with_row(PLACE, **GOOD, high_quality=True), strict).decide(AT_NS).side is Side.LONG


def test_there_is_no_signal_before_the_warm_up_has_passed() -> None:
    signaller = Q50Signaller(with_row(98, **GOOD))
    decision = signaller.decide(FIRST_NS + 98 * HOUR_NS)
    assert decision.side is Side.HOLD
    assert decision.regime is None
    assert decision.regime_multiplier == 0.0
    assert decision.reasons == ("warm-up: row 99 of 100 that a threshold and a regime need",)
    assert Q50Signaller(with_row(99, **GOOD)).decide(FIRST_NS + 99 * HOUR_NS).side is Side.LONG


def test_an_old_row_is_no_signal_and_a_later_one_never_is() -> None:
    signaller = Q50Signaller(FRAME)
    end = SERIES.times_ns[-1]
    assert signaller.decide(end + HOUR_NS).row is not None
    late = signaller.decide(end + HOUR_NS + 1)
    assert (late.row, late.side) == (None, Side.HOLD)
    assert "the tolerance is 1 h" in late.reasons[0]
    early = signaller.decide(FIRST_NS - 1)
    assert early.reasons == ("no row yet: the first is of 2018-08-02 00:00:00",)


def test_a_tolerance_may_be_given() -> None:
    five_minutes = Q50Signaller(FRAME, Q50Settings(tolerance_seconds=300))
    assert five_minutes.decide(AT_NS + 300 * 10**9).row is not None
    assert five_minutes.decide(AT_NS + 300 * 10**9 + 1).row is None


def test_a_row_may_take_its_time_to_become_visible() -> None:
    signaller = Q50Signaller(FRAME, Q50Settings(visible_after_seconds=3_600))
    decision = signaller.decide(AT_NS)
    assert decision.row is not None
    assert decision.row.index == PLACE - 1


def test_the_threshold_is_the_percentile_of_the_rows_so_far() -> None:
    calibration = calibrate(SERIES, Q50Settings(threshold_percentile="0.75"), RegimeSettings())
    strengths, risks = np.abs(list(SERIES.column("q50"))), np.array(list(SERIES.column("vol_risk")))
    for place in (99, 100, 257, 599):
        scale = calibration.scales[place]
        assert scale is not None
        assert scale.threshold == pytest.approx(np.percentile(strengths[: place + 1], 75))
        assert scale.rank == pytest.approx(np.mean(strengths[: place + 1] <= strengths[place]))
        assert scale.bounds == pytest.approx(np.percentile(risks[: place + 1], [30, 70, 90]))
    assert calibration.scales[98] is None
    assert sum(calibration.shares().values()) == pytest.approx(1)


def test_a_frame_of_any_scale_is_calibrated_to_itself() -> None:
    columns = model_columns(400)
    loud = {name: [1_000 * value for value in columns[name]] for name in ("q10", "q50", "q90")}
    loud |= {name: columns[name] for name in ("vol_raw", "vol_risk")}
    for each in (columns, loud):
        signaller = Q50Signaller(Q50Frame([series_of(each)]))
        sides = Counter(signaller.decide(FIRST_NS + hour * HOUR_NS).side for hour in range(400))
        assert 0 < sides[Side.LONG] + sides[Side.SHORT] < 120


def test_a_warm_up_longer_than_the_history_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"q50.warm_up is 500"):
        Q50Signaller(FRAME, Q50Settings(warm_up=500, history_size=100))


# --------------------------------------------------------------------------------------------- whose instrument speaks


def test_every_pool_gets_the_markets_direction_and_the_reason_says_so() -> None:
    signal = Q50Signaller(with_row(PLACE, **GOOD)).signal(snapshot(AT_NS))
    assert signal.side is Side.LONG
    assert (signal.pool, signal.mint, signal.name, signal.source) == (POOL, MINT, "X / SOL", "q50")
    assert signal.reasons[0] == "BTCUSDT speaks for the market"
    assert signal.score == pytest.approx(100 * signal.strength)
    assert 80 <= signal.score <= 100


@pytest.mark.parametrize("name", [MINT, POOL, f"solana_{POOL}"])
def test_an_instrument_of_its_own_goes_first(name: str) -> None:
    own = Q50Series(
        name, list(SERIES.times_ns), {column: list(SERIES.column(column)) for column in SERIES.column_names}
    )
    frame = Q50Frame([with_row(PLACE, **SHORT).chosen(), changed_name(with_row(PLACE, **GOOD).chosen(), name)])
    assert len(own) == 600
    signaller = Q50Signaller(frame, Q50Settings(instrument="BTCUSDT"))
    signal = signaller.signal(snapshot(AT_NS))
    assert signal.side is Side.LONG
    assert signal.reasons[0] == f"{name} in the frame is the coin's own"
    assert signaller.decide(AT_NS).side is Side.SHORT


def changed_name(series: Q50Series, name: str) -> Q50Series:
    return Q50Series(
        name, list(series.times_ns), {column: list(series.column(column)) for column in series.column_names}
    )


def test_a_mapping_gives_a_coin_its_instrument() -> None:
    frame = Q50Frame([with_row(PLACE, **SHORT).chosen(), changed_name(with_row(PLACE, **GOOD).chosen(), "WIFUSDT")])
    mapped = Q50Settings(instrument="BTCUSDT", instruments={MINT: "WIFUSDT"})
    assert Q50Signaller(frame, mapped).signal(snapshot(AT_NS)).side is Side.LONG
    assert Q50Signaller(frame, mapped).signal(snapshot(AT_NS, "another")).side is Side.SHORT
    with pytest.raises(ConfigError, match=r"gives .* to 'NONE'"):
        Q50Signaller(frame, Q50Settings(instrument="BTCUSDT", instruments={MINT: "NONE"}))


def test_without_the_market_a_pool_needs_its_own_instrument() -> None:
    signaller = Q50Signaller(with_row(PLACE, **GOOD), Q50Settings(market_wide=False))
    signal = signaller.signal(snapshot(AT_NS))
    assert (signal.side, signal.score) == (Side.HOLD, 0.0)
    assert "none speaks for the market" in signal.reasons[0]


def test_several_instruments_need_a_choice() -> None:
    frame = Q50Frame([SERIES, changed_name(SERIES, "ETHUSDT")])
    with pytest.raises(ConfigError, match="2 instruments: BTCUSDT, ETHUSDT"):
        Q50Signaller(frame)
    assert Q50Signaller(frame, Q50Settings(market_wide=False)).decide(AT_NS).reasons == (
        "no instrument speaks for the market",
    )


# ---------------------------------------------------------------------------------------------------- looking ahead


BEFORE = Q50Signaller(FRAME)


@given(cut=st.integers(1, 598), seed=st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_changing_the_future_changes_no_decision(cut: int, seed: int) -> None:
    rng = random.Random(seed)
    after = Q50Signaller(another_future(SERIES, cut, rng))
    end = SERIES.times_ns[cut] + HOUR_NS
    moments = [rng.randrange(FIRST_NS - HOUR_NS, end) for _ in range(25)] + [SERIES.times_ns[cut], end - 1]
    for at_ns in moments:
        assert BEFORE.decide(at_ns) == after.decide(at_ns)


def test_a_look_up_that_looked_ahead_would_be_caught() -> None:
    nearest = {at: min(SERIES.times_ns, key=lambda stamp: abs(stamp - at)) for at in (AT_NS - 1, AT_NS)}
    assert nearest[AT_NS - 1] == AT_NS
    decision = BEFORE.decide(AT_NS - 1)
    assert decision.row is not None
    assert decision.row.at_ns == AT_NS - HOUR_NS


def test_regimes_of_the_frame_are_named_as_in_the_plan() -> None:
    found = {BEFORE.decide(at_ns).regime for at_ns in SERIES.times_ns[100:]}
    assert found == set(Regime)


def test_a_signal_carries_what_sizes_a_trade() -> None:
    signal = Q50Signaller(with_row(PLACE, **GOOD)).signal(snapshot(AT_NS))
    decision = Q50Signaller(with_row(PLACE, **GOOD)).decide(AT_NS)
    assert decision.regime is not None
    assert (signal.q50, signal.regime, signal.size_multiplier) == (
        0.0009, decision.regime.value, decision.regime_multiplier,
    )  # fmt: skip
    assert signal.win_probability == 0.65
    assert signal.win_loss_ratio == pytest.approx(3.0)
    assert signal.vol_risk == SERIES.column("vol_risk")[PLACE]


def test_a_short_signal_carries_the_odds_of_a_fall() -> None:
    signal = Q50Signaller(with_row(PLACE, **SHORT)).signal(snapshot(AT_NS))
    assert signal.win_probability == pytest.approx(0.65)
    assert signal.win_loss_ratio == pytest.approx(3.0)


def test_without_a_regime_nothing_would_be_bought() -> None:
    warming = Q50Signaller(with_row(98, **GOOD)).signal(snapshot(FIRST_NS + 98 * HOUR_NS))
    assert (warming.regime, warming.size_multiplier, warming.q50) == ("", 0.0, 0.0009)
    before = Q50Signaller(FRAME).signal(snapshot(FIRST_NS - 1))
    assert (before.q50, before.win_probability, before.vol_risk, before.size_multiplier) == (None, None, None, 0.0)
