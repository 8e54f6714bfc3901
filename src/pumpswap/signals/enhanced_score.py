"""The enhanced score: the base score, the depth of the pool, and how well it can be traded. 0 to 100.

    enhanced = clamp( (w_base·base + w_depth·100·liquidity factor + w_feasibility·100·F) · boost )

    liquidity factor = min(depth / reference depth, 1)
    F = 0.4·liquidity factor + 0.4·max(0, 1 − impact / max impact) + 0.2·min(max buy / reference buy, 1)

The boost applies when F is above its bound. Neither factor falls when depth grows or rises when impact grows, and so
neither does the score. Everything is an exact fraction inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pumpswap.errors import UsageError
from pumpswap.settings import FeasibilitySettings
from pumpswap.units import BPS, LAMPORTS_PER_SOL

__all__ = ["EnhancedScore", "FeasibilityScore", "enhanced_score", "feasibility_score", "liquidity_factor"]

DEPTH_SHARE = Fraction(4, 10)
IMPACT_SHARE = Fraction(4, 10)
SIZE_SHARE = Fraction(2, 10)


@dataclass(frozen=True, slots=True)
class FeasibilityScore:
    """F and its parts. Each part is 0 to 1 before its share (0.4 depth, 0.4 impact, 0.2 size)."""

    depth: Fraction
    impact: Fraction
    size: Fraction

    @property
    def total(self) -> Fraction:
        """F, 0 to 1."""
        return DEPTH_SHARE * self.depth + IMPACT_SHARE * self.impact + SIZE_SHARE * self.size


@dataclass(frozen=True, slots=True)
class EnhancedScore:
    """The score and what it is made of, all exact. ``boost`` is 1 where it does not apply."""

    base: Fraction
    liquidity_factor: Fraction
    feasibility: Fraction
    boost: Fraction
    total: Fraction


def liquidity_factor(depth_lamports: int, settings: FeasibilitySettings) -> Fraction:
    """Depth as a share of the reference depth, at most 1."""
    return _share(depth_lamports, settings.reference_depth_sol)


def feasibility_score(
    depth_lamports: int, impact: Fraction | None, max_buy_lamports: int, settings: FeasibilitySettings
) -> FeasibilityScore:
    """F of a pool with this depth, for a trade of this impact. ``impact`` None: the trade cannot be made at all."""
    return FeasibilityScore(
        depth=liquidity_factor(depth_lamports, settings),
        impact=_impact_part(impact, Fraction(settings.max_impact_bps, BPS)),
        size=_share(max_buy_lamports, settings.reference_buy_sol),
    )


def enhanced_score(
    base: float | Decimal | Fraction, factor: Fraction, feasibility: Fraction, settings: FeasibilitySettings
) -> EnhancedScore:
    """The enhanced score of a base score of 0 to 100. Raises UsageError for a base score outside of that."""
    if not 0 <= base <= 100:  # also refuses a score that is no number
        raise UsageError(f"a base score of {base} does not exist", hint="scores go from 0 to 100")
    exact = Fraction(base)
    depth_weight, trade_weight = Fraction(settings.liquidity_weight), Fraction(settings.feasibility_weight)
    weighed = (1 - depth_weight - trade_weight) * exact + 100 * (depth_weight * factor + trade_weight * feasibility)
    boost = Fraction(settings.boost_factor) if feasibility > settings.boost_above else Fraction(1)
    return EnhancedScore(exact, factor, feasibility, boost, min(weighed * boost, Fraction(100)))


def _share(lamports: int, reference_sol: Decimal) -> Fraction:
    return min(Fraction(max(lamports, 0)) / (Fraction(reference_sol) * LAMPORTS_PER_SOL), Fraction(1))


def _impact_part(impact: Fraction | None, most: Fraction) -> Fraction:
    if impact is None or impact >= most:
        return Fraction(0)
    return min(1 - impact / most, Fraction(1))
