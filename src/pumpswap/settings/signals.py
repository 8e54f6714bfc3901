"""What is a reason to trade: scores, feasibility, the quantile model, regimes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from pumpswap.clock import NS_PER_SECOND
from pumpswap.settings.section import BpsValue, Seconds, Section, Sol, Weight

__all__ = ["FeasibilitySettings", "Q50Settings", "RegimeSettings", "SignalSettings"]


class SignalSettings(Section):
    """When a signal is a reason to trade."""

    # which score makes the signal: the host's `base`, or `enhanced` by what can be traded
    score: Literal["base", "enhanced"] = "base"
    min_score: float = Field(75.0, ge=0, le=100)  # the host's watchlist threshold, for whichever score it is
    history_hours: int = Field(24, ge=1, le=168)  # how much history of a pool its score may use


class FeasibilitySettings(Section):
    """How the enhanced score weighs what can be traded. Limits of the analysis; a trade has those of ``risk``."""

    intended_sol: Sol = Field(Decimal("1"), gt=0)  # the trade whose impact counts, where the caller names none
    max_impact_bps: BpsValue = 1_000  # average price before fees against spot
    max_slippage_bps: BpsValue = 500  # average price after all fees against spot
    # sizes whose exact impact is shown
    ladder_sol: tuple[Sol, ...] = (Decimal("0.1"), Decimal("0.5"), Decimal("1"), Decimal("5"), Decimal("10"))
    min_liquidity_sol: Sol = Decimal("10")  # depth below which nothing counts as tradeable
    liquidity_multiple: int = Field(10, ge=1)  # and the pool holds at least this many times the intended size
    require_screen: bool = False  # whether a token that nobody screened counts as not buyable
    reference_depth_sol: Decimal = Field(Decimal(100), gt=0)  # a pool this deep has the full liquidity factor
    reference_buy_sol: Decimal = Field(Decimal(10), gt=0)  # a pool that takes this much has the full size part
    liquidity_weight: Weight = Decimal("0.3")  # of the enhanced score
    feasibility_weight: Weight = Decimal("0.2")  # of the enhanced score; what the two leave of 1 is the base score's
    boost_factor: Decimal = Field(Decimal("1.2"), ge=1, le=2)  # of the score, for pools above `boost_above`
    boost_above: Weight = Decimal("0.7")  # feasibility above which the boost applies

    @model_validator(mode="after")
    def _weights_leave_room(self) -> Self:
        if self.liquidity_weight + self.feasibility_weight > 1:
            raise ValueError("liquidity_weight and feasibility_weight together are more than 1")
        return self


class Q50Settings(Section):
    """Where the frame of the quantile model is, and what of it counts."""

    path: Path | None = None  # a pickle, Parquet or CSV
    tolerance_seconds: Seconds | None = None  # how old a row may be; default: the spacing of the frame
    instrument: str | None = None  # of a frame with several; a frame with one needs no name
    threshold_percentile: Weight = Decimal("0.8")  # of past |q50|: what is below is no reason to enter
    require_high_quality: bool = False  # the published frames have it false in every row
    # what a row must promise in its own direction, the risk of the other one taken off
    min_expected_value: Weight = Decimal("0.0005")
    warm_up: int = Field(100, ge=1)  # rows during which there is no regime and no entry
    warm_up_quotes: int = Field(10, ge=0)  # how often a pool must have been heard of before the strategy `q50` buys it
    history_size: int = Field(10_000, ge=100)  # past rows on which the threshold is calibrated
    visible_after_seconds: Seconds = 0  # a row counts only so long after its stamp: the time that its making takes
    side_code: Literal["frame", "plan"] = "frame"  # `frame`: 1 long, 0 short, -1 hold; `plan`: 1 long, 0 hold, -1 short
    complete_by_rules: bool = False  # compute what the file lacks from q10, q50, q90 and the volatility
    market_wide: bool = True  # a pool without an instrument of its own gets the direction of the chosen one
    instruments: dict[str, str] = Field({})  # which instrument speaks for a coin or a pool, by mint or pool address

    @property
    def tolerance_ns(self) -> int | None:
        """How old a row may be; None: the spacing of the frame."""
        return None if self.tolerance_seconds is None else self.tolerance_seconds * NS_PER_SECOND


class RegimeSettings(Section):
    """How turbulence is told apart, on past values of vol_risk only, and what it changes."""

    low_percentile: Weight = Decimal("0.3")  # up to here the regime is low
    high_percentile: Weight = Decimal("0.7")  # up to here it is medium
    extreme_percentile: Weight = Decimal("0.9")  # up to here it is high, above it extreme
    low_multiplier: Decimal = Field(Decimal("1.1"), ge=0, le=10)  # of the size of a trade
    medium_multiplier: Decimal = Field(Decimal("1"), ge=0, le=10)  # of the size of a trade
    high_multiplier: Decimal = Field(Decimal("0.85"), ge=0, le=10)  # of the size of a trade
    extreme_multiplier: Decimal = Field(Decimal("0.6"), ge=0, le=10)  # of the size of a trade
    history_size: int = Field(10_000, ge=100)  # past values that are remembered: the percentiles are theirs

    @model_validator(mode="after")
    def _percentiles_rise(self) -> Self:
        if not self.low_percentile < self.high_percentile < self.extreme_percentile:
            raise ValueError("the percentiles must rise: low_percentile, high_percentile, extreme_percentile")
        return self

    def multiplier(self, regime: str) -> float:
        """Of the size of a trade in a regime: low, medium, high or extreme."""
        return float(getattr(self, f"{regime}_multiplier"))

    @property
    def shares(self) -> tuple[float, float, float]:
        """The three percentiles."""
        return float(self.low_percentile), float(self.high_percentile), float(self.extreme_percentile)
