"""Parts: why an enhanced score is not the base score, in points that add up."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.settings import FeasibilitySettings
from pumpswap.signals import EnhancedResult
from pumpswap.units import format_units

__all__ = ["PARTS", "facts_of", "shifts_of"]

# Their order is the one in which they are told.
PARTS = ("depth", "impact", "largest size", "boost")

# Of feasibility, see pumpswap.signals.enhanced_score.
_DEPTH_SHARE, _IMPACT_SHARE, _SIZE_SHARE = Fraction(4, 10), Fraction(4, 10), Fraction(2, 10)


def shifts_of(result: EnhancedResult, settings: FeasibilitySettings) -> dict[str, float]:
    """Points that each part adds to the base score or takes from it; nothing without PumpSwap data.

    A part with weight w and level x (0 to 1) replaces w of the base score b by w·100·x: that is w·(100·x − b) points.
    Depth counts twice, by itself and inside feasibility. The boost is what it really added: less where the score stops
    at 100.
    """
    if result.feasibility is None:
        return {}
    score, base = result.feasibility.score, Fraction(result.base.signal_score)
    of_depth, of_trade = Fraction(settings.liquidity_weight), Fraction(settings.feasibility_weight)
    levels = {
        "depth": (of_depth + of_trade * _DEPTH_SHARE, score.depth),
        "impact": (of_trade * _IMPACT_SHARE, score.impact),
        "largest size": (of_trade * _SIZE_SHARE, score.size),
    }
    shifts = {name: weight * (100 * level - base) for name, (weight, level) in levels.items()}
    weighed = base + sum(shifts.values())
    shifts["boost"] = Fraction(result.enhanced_score) - weighed
    return {name: float(points) for name, points in shifts.items()}


def facts_of(result: EnhancedResult) -> dict[str, str]:
    """The figures behind the parts, for people."""
    found = result.feasibility
    if found is None:
        return {}
    impact = found.intended.impact
    return {
        "depth": f"{format_units(round(found.depth_lamports, -7), 9)} SOL",
        "impact": "no such trade" if impact is None else f"{float(impact):.2%}".replace("%", " %"),
        "largest size": f"{format_units(round(found.largest_lamports, -7), 9)} SOL",
        "boost": "none" if result.boost == 1 else f"× {result.boost:g}",
    }
