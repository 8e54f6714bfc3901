"""The rule layer of a Q50 frame: everything that follows from q10, q50, q90 and the volatility.

The formulas are those of the pipeline that makes the frames. Two ways of taking percentiles: ``compatible_columns``
over the whole frame, which looks ahead and serves only to equal a frame's own columns, and ``causal_columns`` over the
rows so far, for models of one's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pumpswap.errors import BadInput
from pumpswap.model.q50 import implied_side
from pumpswap.signals.past_values import PastValues, percentile

__all__ = [
    "RULE_COLUMNS",
    "causal_columns",
    "compatible_columns",
    "directional_expected_value",
    "probability_up",
]

COST = 0.0005  # what a round trip costs in the pipeline's rules, as a relative price change
MOST_ODDS = 1_000.0
VARIANCE_SHARES = (0.3, 0.7, 0.9)
STRONG_SHARE = 0.2  # |q50| below this quantile is weak
_LARGEST = 1e100  # of a relative price change; its square is still a number
_TINY = 1e-12  # the frames are made with it: without, signal_rel differs in the ninth digit
_REGIMES = ("low", "medium", "high", "extreme")


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Of one row; ``regime`` is None as long as it is not known, ``strong_from`` likewise."""

    q10: float
    q50: float
    q90: float
    vol_raw: float
    vol_risk: float
    trending: int
    regime: str | None
    strong_from: float | None


def probability_up(q10: float, q50: float, q90: float) -> float:
    """Chance that the price rises, by straight lines between the three quantiles."""
    if q90 <= 0:
        return 0.0
    if q10 >= 0:
        return 1.0
    if q50 >= 0:
        return 1 - (0.1 + 0.4 * (-q10) / (q50 - q10))
    return 1 - (0.5 + 0.4 * (-q50) / (q90 - q50))


def directional_expected_value(q10: float, q50: float, q90: float, prob_up: float) -> float:
    """What following the sign of q50 is worth; 0 without direction.

    The frame's own ``expected_value`` weighs the gain of a fall with the chance of a rise, so it can hardly ever speak
    for a short; here a fall has the chance of a fall.
    """
    if q50 > 0:
        return prob_up * q90 - (1 - prob_up) * abs(q10)
    return (1 - prob_up) * abs(q10) - prob_up * q90 if q50 < 0 else 0.0


def directional_odds(q10: float, q50: float, q90: float, prob_up: float) -> tuple[float, float] | None:
    """(chance of winning, gain over loss) of following the sign of q50; None without direction.

    As in the frame's own Kelly size: the gain is the far quantile in that direction, the loss the one in the other, and
    where even that one is a gain 0.001 stands for it. A loss of next to nothing makes odds of at most MOST_ODDS.
    """
    if q50 == 0:
        return None
    chance, gain, loss = (prob_up, q90, -q10) if q50 > 0 else (1 - prob_up, -q10, q90)
    return chance, _clip(gain / (loss if loss > 0 else 0.001), 0.0, MOST_ODDS)


def compatible_columns(columns: Mapping[str, Sequence[float]]) -> dict[str, list[Any]]:
    """The columns as the pipeline computes them: percentiles over ALL rows given, later ones included.

    Never trade on these: a row knows its future. Needs q10, q50, q90 and vol_raw or vol_risk; uses
    momentum_regime_trending where it is there. Raises BadInput.
    """
    rows = _rows(columns)
    vol_risks, strengths = sorted(row.vol_risk for row in rows), sorted(abs(row.q50) for row in rows)
    bounds = [percentile(vol_risks, share) for share in VARIANCE_SHARES] if rows else []
    strong_from = percentile(strengths, STRONG_SHARE) if rows else None
    return _columns([_told(row, _regime(row.vol_risk, bounds), strong_from) for row in rows])


def causal_columns(
    columns: Mapping[str, Sequence[float]], *, warm_up: int = 100, history_size: int = 10_000
) -> dict[str, list[Any]]:
    """The columns with percentiles over the rows up to each row itself, at most ``history_size`` of them.

    The rows must be in order of time. During the first ``warm_up`` − 1 rows there is no regime, and nothing is
    tradeable. Raises BadInput.
    """
    vol_risks, strengths = PastValues(history_size), PastValues(history_size)
    told = []
    for row in _rows(columns):
        vol_risks.add(row.vol_risk)
        strengths.add(abs(row.q50))
        if len(vol_risks) < min(warm_up, history_size):
            told.append(row)
            continue
        bounds = [vol_risks.percentile(share) for share in VARIANCE_SHARES]
        told.append(_told(row, _regime(row.vol_risk, bounds), strengths.percentile(STRONG_SHARE)))
    return _columns(told)


def _rows(columns: Mapping[str, Sequence[float]]) -> list[_Inputs]:
    missing = [name for name in ("q10", "q50", "q90") if name not in columns]
    if "vol_raw" not in columns and "vol_risk" not in columns:
        missing.append("vol_raw or vol_risk")
    if missing:
        raise BadInput(f"the rules need {', '.join(missing)}", hint="these are a model's own figures")
    for name in ("q10", "q50", "q90", "vol_raw", "vol_risk"):
        for place, value in enumerate(columns.get(name, ())):
            if not abs(value) <= _LARGEST:
                raise BadInput(
                    f"row {place} has a figure that is no number: {name}", hint="drop rows that are not complete"
                )
    # Columns may be arrays, whose truth is not that of a list.
    vol_risk = columns["vol_risk"] if "vol_risk" in columns else [value**2 for value in columns["vol_raw"]]
    vol_raw = columns["vol_raw"] if "vol_raw" in columns else [math.sqrt(max(value, 0)) for value in vol_risk]
    trending = columns.get("momentum_regime_trending", [0] * len(vol_risk))
    try:
        rows = list(zip(columns["q10"], columns["q50"], columns["q90"], vol_raw, vol_risk, trending, strict=True))
    except ValueError:
        raise BadInput("the columns are not equally long", hint="one value per row and column") from None
    for place, row in enumerate(rows):
        if not all(map(math.isfinite, row)) or row[4] < 0:
            raise BadInput(f"row {place} has a figure that is no number", hint="drop rows that are not complete")
    return [
        _Inputs(float(q10), float(q50), float(q90), float(raw), float(risk), int(trend), None, None)
        for q10, q50, q90, raw, risk, trend in rows
    ]


def _told(row: _Inputs, regime: str, strong_from: float | None) -> _Inputs:
    return _Inputs(row.q10, row.q50, row.q90, row.vol_raw, row.vol_risk, row.trending, regime, strong_from)


def _regime(vol_risk: float, bounds: Sequence[float]) -> str:
    return next((name for name, bound in zip(_REGIMES, bounds, strict=False) if vol_risk <= bound), _REGIMES[-1])


# ------------------------------------------------------------------------------------------------------- one row


def _expectations(row: _Inputs, found: dict[str, Any]) -> None:
    spread, strength = row.q90 - row.q10, abs(row.q50)
    prediction_variance = (spread / 2) ** 2
    total_risk = math.sqrt(row.vol_risk + prediction_variance)
    chance = probability_up(row.q10, row.q50, row.q90)
    gain, loss = (row.q90, abs(row.q10)) if row.q50 > 0 else (abs(row.q10), row.q90)
    found.update(
        vol_raw=row.vol_raw,
        vol_risk=row.vol_risk,
        prob_up=chance,
        spread=spread,
        abs_q50=strength,
        market_variance=row.vol_risk,
        prediction_variance=prediction_variance,
        total_risk=total_risk,
        enhanced_info_ratio=strength / max(total_risk, 0.001),
        info_ratio=strength / max(spread, 0.001),
        potential_gain=gain,
        potential_loss=loss,
        expected_value=chance * gain - (1 - chance) * loss,
    )


def _thresholds(row: _Inputs, found: dict[str, Any]) -> None:
    low, high, extreme = (int(row.regime == name) for name in ("low", "high", "extreme"))
    for name in _REGIMES:
        found[f"variance_regime_{name}"] = int(row.regime == name)
    scale = 1 - 0.3 * low + 0.4 * high + 0.8 * extreme - 0.1 * row.trending
    found["signal_thresh_adaptive"] = COST * _clip(scale, 0.3, 3.0) * (1 + 500 * row.vol_risk)
    found["effective_info_ratio_threshold"] = _clip(1.5 - 0.4 * low + 1.0 * extreme, 0.5, 3.0)


def _verdicts(row: _Inputs, found: dict[str, Any]) -> None:
    strength, threshold = found["abs_q50"], found["signal_thresh_adaptive"]
    worth = found["expected_value"] > COST
    ratio_bound = found["effective_info_ratio_threshold"]
    tradeable = worth and row.regime is not None
    relative = (strength - threshold) / (threshold + _TINY)
    found.update(
        economically_significant_traditional=strength > threshold,
        economically_significant_expected_value=worth,
        economically_significant_combined=worth and row.strong_from is not None and strength > row.strong_from,
        economically_significant=worth,
        high_quality=row.regime is not None and found["enhanced_info_ratio"] > ratio_bound,
        tradeable=tradeable,
        signal_rel=relative,
        signal_tanh=math.tanh(_clip(relative, -3.0, 3.0)),
        signal_tier=next((tier for tier, part in ((3, 1.0), (2, 0.8), (1, 0.6)) if strength >= part * threshold), 0),
        side=implied_side(row.q50, tradeable),
        signal_strength=strength * min(found["enhanced_info_ratio"] / ratio_bound, 2.0) if tradeable else 0.0,
    )


def _sizes(row: _Inputs, found: dict[str, Any]) -> None:
    inverse_variance = _clip(0.1 / max(1000 * row.vol_risk, 0.1), 0.01, 0.5)
    found["position_size_suggestion"] = inverse_variance if found["tradeable"] else 0.0
    chance = found["prob_up"]
    if chance > 0.5:
        odds, chance = row.q90 / (0.001 if row.q10 >= 0 else abs(row.q10)), chance
    else:
        odds, chance = abs(row.q10) / row.q90 if row.q90 else 0.0, 1 - chance
    # Odds of nothing or less are no bet: the frames have the least size there.
    share = (odds * chance - (1 - chance)) / odds if odds > 0 else 0.0
    trust = 1.3 if found["abs_q50"] > found["signal_thresh_adaptive"] else 0.8
    found["kelly_position_size"] = _clip(share * 0.25 * found["signal_tier"] / 10 * trust * 0.8, 0.001, 0.5)


def _products(row: _Inputs, found: dict[str, Any]) -> None:
    bounded = max(row.vol_risk, 0.0001)
    found.update(
        q50_x_low_variance=row.q50 * found["variance_regime_low"],
        q50_x_high_variance=row.q50 * found["variance_regime_high"],
        q50_x_extreme_variance=row.q50 * found["variance_regime_extreme"],
        q50_x_trending=row.q50 * row.trending,
        spread_x_high_variance=found["spread"] * found["variance_regime_high"],
        vol_risk_x_abs_q50=row.vol_risk * found["abs_q50"],
        enhanced_info_ratio_x_trending=found["enhanced_info_ratio"] * row.trending,
        signal_to_variance_ratio=found["abs_q50"] / bounded,
        variance_adjusted_signal=row.q50 / math.sqrt(bounded),
    )


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


_STEPS: tuple[Callable[[_Inputs, dict[str, Any]], None], ...] = (
    _expectations,
    _thresholds,
    _verdicts,
    _sizes,
    _products,
)


def _derived(row: _Inputs) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for step in _STEPS:
        step(row, found)
    return found


# Names of all columns that the rules compute, vol_raw and vol_risk where one of them was given.
RULE_COLUMNS = tuple(_derived(_Inputs(-1.0, 0.0, 1.0, 0.0, 0.0, 0, None, None)))


def _columns(rows: Sequence[_Inputs]) -> dict[str, list[Any]]:
    derived = [_derived(row) for row in rows]
    return {name: [each[name] for each in derived] for name in RULE_COLUMNS}
