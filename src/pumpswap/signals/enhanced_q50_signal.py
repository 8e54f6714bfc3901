"""EnhancedQ50Signal: a model's row beside what the pool takes, with a quality of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.signals.feasibility import Feasibility
from pumpswap.signals.trading_signal import TradingSignal, number, trading_signal
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["QUALITY_WEIGHTS", "EnhancedQ50Signal", "enhanced_q50_signal"]

QUALITY_WEIGHTS = {
    "base_quality": 0.15,
    "economic_significance": 0.15,
    "tradeable": 0.15,
    "signal_strength": 0.15,
    "execution_feasible": 0.15,
    "liquidity": 0.10,
    "volume": 0.05,
    "expected_value": 0.05,
    "info_ratio": 0.05,
}
_QUALITIES = ((0.8, "excellent"), (0.6, "good"), (0.4, "fair"), (0.2, "poor"))
_LIQUIDITY_STEPS = ((100.0, 1.3), (50.0, 1.0), (10.0, 0.8))  # SOL
_VOLUME_STEPS = ((10_000.0, 1.2), (5_000.0, 1.0), (1_000.0, 0.9))  # USD in 24 h
_WORTH_IT = 0.001  # expected value from which it counts


@dataclass(frozen=True, slots=True)
class EnhancedQ50Signal:
    """``signal`` and what the pool makes of it. What no source told is None.

    ``estimated_price_impact`` is per cent. ``execution_adjusted_q50`` is q50 less the exact cost of the intended buy
    over the spot price, not beyond 0. ``recommended_position_size`` is a fraction of the SOL balance and 0 when not
    tradeable; ``max_position_by_liquidity`` is SOL. ``quality_factors`` are 0 to 1 each, weighed by QUALITY_WEIGHTS.
    """

    signal: TradingSignal
    pool_liquidity_sol: float | None
    pool_liquidity_usd: float | None
    estimated_price_impact: float | None
    execution_feasible: bool
    liquidity_validation: dict[str, Any]
    liquidity_adjusted_strength: float | None
    execution_adjusted_q50: float | None
    recommended_position_size: float
    max_position_by_liquidity: float | None
    expected_value: float | None
    kelly_multiplier: float | None
    quality_score: float
    quality_factors: dict[str, float] = field(default_factory=dict)
    pumpswap_data_available: bool = False
    fallback_reason: str = ""

    @property
    def signal_quality(self) -> str:
        """excellent, good, fair, poor or untradeable."""
        return next((name for least, name in _QUALITIES if self.quality_score >= least), "untradeable")

    def as_dict(self) -> dict[str, Any]:
        """All values of ``signal`` and of this in one dictionary."""
        own = asdict(self)
        del own["signal"]
        return {**self.signal.as_dict(), **own, "signal_quality": self.signal_quality}


def enhanced_q50_signal(
    result: EnhancedResult,
    q50: Mapping[str, object],
    *,
    sol_usd: float | None = None,
    volume_usd: float | None = None,
) -> EnhancedQ50Signal:
    """The model's row on this pool. ``sol_usd`` is the price of SOL at that time, ``volume_usd`` that of 24 hours.

    Raises BadInput as ``trading_signal``.
    """
    signal = trading_signal(result, q50)
    depth = signal.liquidity_sol
    expected = number(q50, "expected_value")
    factors = _quality_factors(result, signal, expected, number(q50, "enhanced_info_ratio"), volume_usd)
    strength = signal.signal_strength
    return EnhancedQ50Signal(
        signal=signal,
        pool_liquidity_sol=depth,
        pool_liquidity_usd=None if depth is None or sol_usd is None else depth * sol_usd,
        estimated_price_impact=signal.price_impact_estimate,
        execution_feasible=result.feasibility is not None and result.feasibility.is_tradeable,
        liquidity_validation=_validation(result, sol_usd),
        liquidity_adjusted_strength=None if strength is None else strength * _strength_factor(depth, volume_usd),
        execution_adjusted_q50=_after_cost(signal.q50, result.feasibility),
        recommended_position_size=(signal.position_size_suggestion or 0.0) if signal.tradeable else 0.0,
        max_position_by_liquidity=signal.max_buy_size_sol,
        expected_value=expected,
        kelly_multiplier=_first_number(q50, "kelly_multiplier", "regime_multiplier"),
        quality_score=sum(QUALITY_WEIGHTS[name] * value for name, value in factors.items()),
        quality_factors=factors,
        pumpswap_data_available=result.is_available,
        fallback_reason=result.unavailable,
    )


def _quality_factors(
    result: EnhancedResult,
    signal: TradingSignal,
    expected_value: float | None,
    info_ratio: float | None,
    volume_usd: float | None,
) -> dict[str, float]:
    found = result.feasibility
    return {
        # Frames are known in which no row is of high quality; that halves the part and does not end it.
        "base_quality": 1.0 if signal.high_quality else 0.5,
        "economic_significance": float(signal.economically_significant is True),
        "tradeable": float(signal.tradeable),
        "signal_strength": _capped(10 * (signal.signal_strength or 0.0)),
        "execution_feasible": float(found is not None and found.is_tradeable),
        "liquidity": float(found.score.depth) if found else 0.0,
        "volume": _capped((volume_usd or 0.0) / _VOLUME_STEPS[0][0]),
        "expected_value": float((expected_value or 0.0) > _WORTH_IT),
        "info_ratio": _capped(info_ratio or 0.0),
    }


def _validation(result: EnhancedResult, sol_usd: float | None) -> dict[str, Any]:
    """The host's liquidity check with our figures: sufficient, insufficient, excessive_impact or no_data."""
    found = result.feasibility
    if found is None:
        return {"status": "no_data", "is_valid": False, "error_message": result.unavailable}
    depth = found.depth_lamports / LAMPORTS_PER_SOL
    if not found.min_liquidity_met:
        status = "insufficient"
    else:
        status = "sufficient" if found.intended_fits else "excessive_impact"
    impact = found.intended.impact
    return {
        "status": status,
        "is_valid": status == "sufficient",
        "pool_liquidity_sol": depth,
        "pool_liquidity_usd": None if sol_usd is None else depth * sol_usd,
        "estimated_price_impact": None if impact is None else float(impact * 100),
        "max_trade_size_sol": found.largest_lamports / LAMPORTS_PER_SOL,
        "recommended_trade_size_sol": found.max_buy_lamports / LAMPORTS_PER_SOL,
        "validation_details": list(found.reasons),
        "error_message": "",
    }


def _strength_factor(depth_sol: float | None, volume_usd: float | None) -> float:
    return 0.7 * _step(depth_sol, _LIQUIDITY_STEPS, 0.5) + 0.3 * _step(volume_usd, _VOLUME_STEPS, 0.7)


def _step(value: float | None, steps: tuple[tuple[float, float], ...], below: float) -> float:
    return next((factor for least, factor in steps if (value or 0.0) >= least), below)


def _after_cost(q50: float | None, found: Feasibility | None) -> float | None:
    if q50 is None or found is None or found.intended.cost_over_spot is None:
        return None
    left = max(abs(q50) - float(found.intended.cost_over_spot), 0.0)
    return left if q50 >= 0 else -left


def _first_number(row: Mapping[str, object], *keys: str) -> float | None:
    return next((found for key in keys if (found := number(row, key)) is not None), None)


def _capped(value: float) -> float:
    return min(max(value, 0.0), 1.0)
