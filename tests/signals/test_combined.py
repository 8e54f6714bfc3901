"""Model and pool together: long only when both agree, sized by the model, and neither looks ahead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest

from pumpswap.amm import PoolState, current_schedule
from pumpswap.model import PoolSnapshot, Q50Frame, Q50Series, Side, Signal
from pumpswap.signals import CombinedSignaller, EnhancedScoreSignaller, Q50Signaller
from tests.signals.test_enhanced_signaller import BUSY, QUIET, book, knowing, seen
from tests.signals.test_q50_signal import GOOD, PLACE, SERIES, SHORT, changed, with_row
from tests.support.market import graduate
from tests.support.q50 import HOUR_NS

SIZING: dict[str, Any] = {
    "q50": 0.0009, "regime": "low", "size_multiplier": 1.1, "win_probability": 0.65, "win_loss_ratio": 3.0,
    "vol_risk": 1e-5,
}  # fmt: skip
THIN = graduate(base_reserve=2 * 10**13, quote_vault=9 * 10**9)
DEEP = graduate(base_reserve=10**15, quote_vault=400 * 10**9)


def model(side: Side, **changes: Any) -> Callable[[PoolSnapshot, Sequence[PoolSnapshot]], Signal]:
    """A model that says the same of every pool."""

    def said(snapshot: PoolSnapshot, _history: Sequence[PoolSnapshot]) -> Signal:
        told = SIZING | changes
        return Signal(
            snapshot.pool, snapshot.at_ns, side, 91.0, 0.91, "q50", ("q50 +0.0009",), snapshot.base_mint, **told
        )

    return said


def combined(
    side: Side,
    *,
    state: PoolState | None = DEEP,
    threshold: float = 75.0,
    score: Literal["base", "enhanced"] = "enhanced",
) -> CombinedSignaller:
    states = book() if state is None else knowing(state)
    scores = EnhancedScoreSignaller(threshold, states, lambda _: current_schedule())
    return CombinedSignaller(model(side), scores, score)


def test_both_agree_and_the_model_sizes_the_trade() -> None:
    row = seen(**BUSY)
    signal = combined(Side.LONG).signal(row)
    alone = EnhancedScoreSignaller(75.0, knowing(DEEP), lambda _: current_schedule()).signal(row)
    assert (signal.side, signal.source) == (Side.LONG, "q50+score")
    assert (signal.score, signal.strength) == (alone.score, 0.91)
    assert signal.feasibility == alone.feasibility
    assert {name: getattr(signal, name) for name in SIZING} == SIZING
    assert signal.reasons[0] == "model: q50 +0.0009"
    assert any(reason.startswith("pool: depth 400 SOL") for reason in signal.reasons)
    assert signal.reasons[-1].endswith("model and pool agree: long")
    assert (signal.mint, signal.at_ns) == (row.base_mint, row.at_ns)


@pytest.mark.parametrize(
    ("side", "state", "metrics", "why"),
    [
        (Side.HOLD, DEEP, BUSY, "the model says hold"),
        (Side.LONG, None, BUSY, "could not be bought: no state of this pool is known"),
        (Side.LONG, THIN, BUSY, "could not be bought: the pool holds 9"),
        (Side.LONG, DEEP, {**BUSY, "price_change_percentage_h1": "-60"}, "the pool's own figures short"),
        (Side.LONG, DEEP, QUIET, "the score is too low"),
    ],
)  # fmt: skip
def test_where_one_of_them_objects_it_is_held(
    side: Side, state: PoolState | None, metrics: dict[str, str], why: str
) -> None:
    signal = combined(side, state=state).signal(seen(**metrics))
    assert signal.side is Side.HOLD
    assert why in signal.reasons[-1]


@pytest.mark.parametrize("state", [None, DEEP])
def test_selling_what_is_held_needs_no_second_opinion(state: PoolState | None) -> None:
    signal = combined(Side.SHORT, state=state).signal(seen(**BUSY))
    assert signal.side is Side.SHORT
    assert signal.reasons[-1].endswith("the model says short")


def test_the_settings_say_which_score_counts() -> None:
    row = seen(**QUIET)
    base = combined(Side.LONG, threshold=50.0, score="base").signal(row)
    enhanced = combined(Side.LONG, threshold=50.0).signal(row)
    assert base.score < 50 < enhanced.score
    assert (base.side, enhanced.side) == (Side.HOLD, Side.LONG)
    assert base.reasons[-1].startswith(f"base score {base.score:.1f} of 100, threshold 50;")
    alone = EnhancedScoreSignaller(50.0, knowing(DEEP), lambda _: current_schedule()).signal(row)
    assert base.score == base.base_score == enhanced.base_score == alone.base_score  # whichever counts


def row_at(place: int) -> PoolSnapshot:
    return dataclasses.replace(seen(**BUSY), at_ns=SERIES.times_ns[0] + place * HOUR_NS)


def real(frame: Q50Frame) -> CombinedSignaller:
    scores = EnhancedScoreSignaller(75.0, knowing(DEEP), lambda _: current_schedule())
    return CombinedSignaller(Q50Signaller(frame), scores)


def test_a_real_row_sizes_with_its_own_odds() -> None:
    signal = real(with_row(PLACE, **GOOD))(row_at(PLACE))
    assert signal.side is Side.LONG
    assert signal.q50 == 0.0009
    assert signal.regime in ("low", "medium", "high", "extreme")
    assert signal.win_probability == 0.65
    assert signal.win_loss_ratio == pytest.approx(0.006 / 0.002)
    assert signal.vol_risk == SERIES.column("vol_risk")[PLACE]


def test_a_real_short_row_sells() -> None:
    assert real(with_row(PLACE, **SHORT))(row_at(PLACE)).side is Side.SHORT


@pytest.mark.parametrize("place", [150, PLACE, 450])
def test_nothing_that_comes_later_changes_it(place: int) -> None:
    """The rows behind this moment are replaced by wild ones."""
    later = {
        name: [value if index <= place else wild for index, value in enumerate(SERIES.column(name))]
        for name, wild in (("q50", 0.5), ("q10", -0.9), ("q90", 0.9), ("vol_risk", 0.25), ("vol_raw", 0.5))
    }
    other: Q50Series = changed(SERIES, **later)
    now, then = real(Q50Frame([SERIES]))(row_at(place)), real(Q50Frame([other]))(row_at(place))
    assert now == then
