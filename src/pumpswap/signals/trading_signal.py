"""TradingSignal and EnhancedQ50Signal: one result under the names that strategies read.

The values of the quantile model are a row of its frame as a dictionary, and optional: without them the direction is
that of the base analysis. A numeric ``side`` is read with the frame's code: 1 long, 0 short, −1 hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, SupportsFloat

from pumpswap.errors import BadInput
from pumpswap.model import Side
from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["TradingSignal", "named_side", "trading_signal"]

_REGIMES = ("low", "medium", "high", "extreme")
_FRAME_SIDES = {1.0: Side.LONG, 0.0: Side.SHORT, -1.0: Side.HOLD}


@dataclass(frozen=True, slots=True)
class TradingSignal:
    """Both scores and the model's values. ``signal_score`` is the base and ``final_signal_score`` the enhanced score.

    ``price_impact_estimate`` is per cent, before fees, of the intended size. What no source told is None.
    ``tradeable`` needs the pool and, where the model spoke, the model.
    """

    signal_score: float
    final_signal_score: float
    tradeable: bool
    side: str
    execution_priority: int
    recommended_action: str
    pumpswap_available: bool
    execution_feasibility_score: float
    pair_address: str | None = None
    current_price: float | None = None
    liquidity_sol: float | None = None
    price_impact_estimate: float | None = None
    max_buy_size_sol: float | None = None
    q10: float | None = None
    q50: float | None = None
    q90: float | None = None
    economically_significant: bool | None = None
    high_quality: bool | None = None
    vol_regime: str | None = None
    variance_regime: str | None = None
    momentum_regime: str | None = None
    kelly_position_size: float | None = None
    position_size_suggestion: float | None = None
    signal_strength: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as a dictionary."""
        return asdict(self)


def trading_signal(result: EnhancedResult, q50: Mapping[str, object] | None = None) -> TradingSignal:
    """The signal of ``result``, with the model's row where there is one.

    A row that does not say that it is tradeable is not. Raises BadInput for a side that no code knows and for a value
    that is no number.
    """
    row = q50 if q50 is not None else {}
    side = result.side if q50 is None else named_side(row.get("side"))
    tradeable = not result.objections(side) and (q50 is None or flag(row, "tradeable") is True)
    recommended = result.recommend(side, tradeable=tradeable)
    regime = _regime(row)
    return TradingSignal(
        signal_score=result.base.signal_score,
        final_signal_score=result.enhanced_score,
        tradeable=tradeable,
        side=side.value,
        execution_priority=recommended.priority,
        recommended_action=recommended.action,
        pumpswap_available=result.is_available,
        execution_feasibility_score=result.feasibility_score,
        **_of_the_pool(result),
        q10=number(row, "q10"),
        q50=number(row, "q50"),
        q90=number(row, "q90"),
        economically_significant=flag(row, "economically_significant"),
        high_quality=flag(row, "high_quality"),
        vol_regime=regime,
        variance_regime=None if regime is None else f"{regime}_variance",
        momentum_regime=_momentum_regime(row),
        kelly_position_size=number(row, "kelly_position_size"),
        position_size_suggestion=number(row, "position_size_suggestion"),
        signal_strength=number(row, "signal_strength"),
    )


def named_side(value: object) -> Side:
    """A side by its name, or by the frame's code. Raises BadInput for anything else: a wrong guess trades backwards."""
    if isinstance(value, Side):
        return value
    if isinstance(value, str) and value.lower() in {side.value for side in Side}:
        return Side(value.lower())
    # Truth values pass for numbers, numpy's too, and True is no direction.
    if isinstance(value, SupportsFloat) and str(value) not in ("True", "False") and float(value) in _FRAME_SIDES:
        return _FRAME_SIDES[float(value)]
    raise BadInput(f"{value!r} is no side", hint="long, short or hold; as a number 1, 0 or -1, the code of the frame")


def number(row: Mapping[str, object], key: str) -> float | None:
    """A finite number of the row; None where it has none. Raises BadInput for a value that is no number."""
    value = row.get(key)
    if value is None:
        return None
    try:
        found = float(str(value))
    except ValueError:
        raise BadInput(f"{key} is {value!r}, which is no number", hint="check the frame of the model") from None
    return found if found - found == 0 else None  # NaN and infinities say nothing


def flag(row: Mapping[str, object], key: str) -> bool | None:
    """A truth value of the row; None where it has none that is clear."""
    value = row.get(key)
    if value is None or isinstance(value, bool):
        return value
    text = str(value).lower()  # numpy's and a CSV file's
    return {"true": True, "false": False, "1": True, "0": False}.get(text)


def _of_the_pool(result: EnhancedResult) -> dict[str, Any]:
    found, facts = result.feasibility, result.facts
    if found is None or facts is None:
        return {}
    impact, price = found.intended.impact, facts.price_sol
    return {
        "pair_address": facts.pool,
        "current_price": None if price is None else float(price),
        "liquidity_sol": found.depth_lamports / LAMPORTS_PER_SOL,
        "price_impact_estimate": None if impact is None else float(impact * 100),
        "max_buy_size_sol": found.max_buy_lamports / LAMPORTS_PER_SOL,
    }


def _regime(row: Mapping[str, object]) -> str | None:
    """low, medium, high or extreme: by name, or by the frame's flags of the variance."""
    for key in ("vol_regime", "regime", "variance_regime"):
        name = str(row.get(key) or "").removesuffix("_variance")
        if name in _REGIMES:
            return name
    return next((name for name in _REGIMES if flag(row, f"variance_regime_{name}")), None)


def _momentum_regime(row: Mapping[str, object]) -> str | None:
    stated = row.get("momentum_regime")
    if stated:
        return str(stated)
    return next((name for name in ("trending", "ranging") if flag(row, f"momentum_regime_{name}")), None)
