"""Q50Calibration: what each row's scale and regime were, as they could be known at that row.

Fixed thresholds fail: |q50| ≥ 0.01 passes no row of the published frames, ≥ 0.001 fewer than one in a hundred, and a
model of another market has another scale. So the threshold is a percentile of the frame's own past |q50|.
"""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.errors import ConfigError
from pumpswap.model import Q50Series
from pumpswap.settings import Q50Settings, RegimeSettings
from pumpswap.signals.past_values import PastValues
from pumpswap.signals.regimes import Regime, RegimeRules

__all__ = ["Q50Calibration", "RowScale", "calibrate"]


@dataclass(frozen=True, slots=True)
class RowScale:
    """Of one row: the |q50| that is a reason to enter, the share of past |q50| up to this row's own, its regime, the
    share of past vol_risk below its own, and the bounds of the regimes.
    """

    threshold: float
    rank: float
    regime: Regime
    vol_rank: float
    bounds: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Q50Calibration:
    """``scales`` has an entry per row of the series, None during the warm-up."""

    series: Q50Series
    warm_up: int
    rules: RegimeRules
    scales: tuple[RowScale | None, ...]

    def shares(self) -> dict[Regime, float]:
        """How the rows after the warm-up are spread over the regimes; empty without such rows."""
        known = [scale.regime for scale in self.scales if scale]
        return {regime: known.count(regime) / len(known) for regime in Regime} if known else {}


def calibrate(series: Q50Series, q50: Q50Settings, regimes: RegimeSettings) -> Q50Calibration:
    """One pass over the rows in order of time. Entry n depends on rows 0 to n only: whatever comes later may change at
    will. Raises ConfigError for a warm-up that the histories cannot hold.
    """
    if q50.warm_up > q50.history_size:
        raise ConfigError(
            f"q50.warm_up is {q50.warm_up}, q50.history_size {q50.history_size}", hint="the history must be longer"
        )
    rules = RegimeRules.of_settings(regimes, warm_up=q50.warm_up)
    share = float(q50.threshold_percentile)
    strengths, vol_risks = PastValues(q50.history_size), PastValues(rules.history_size)
    scales: list[RowScale | None] = []
    for q50_value, vol_risk in zip(series.column("q50"), series.column("vol_risk"), strict=True):
        strength = abs(q50_value)
        strengths.add(strength)
        vol_risks.add(vol_risk)
        if len(strengths) < q50.warm_up:
            scales.append(None)
            continue
        bounds = rules.bounds(vol_risks)
        scales.append(
            RowScale(
                threshold=strengths.percentile(share),
                rank=strengths.up_to(strength) / len(strengths),
                regime=rules.regime(vol_risk, bounds),
                vol_rank=vol_risks.below(vol_risk) / len(vol_risks),
                bounds=bounds,
            )
        )
    return Q50Calibration(series, q50.warm_up, rules, tuple(scales))
