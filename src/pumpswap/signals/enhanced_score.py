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
from math import lcm

from pumpswap.errors import UsageError
from pumpswap.settings import FeasibilitySettings
from pumpswap.units import BPS, LAMPORTS_PER_SOL

__all__ = [
    "EnhancedScore",
    "FeasibilityScore",
    "ScoreRules",
    "enhanced_score",
    "feasibility_score",
    "liquidity_factor",
    "urgency",
]


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """The weights and references of ``FeasibilitySettings``, exact and prepared once. Amounts in lamports.

    ``weights`` are those of base, liquidity factor and F over ``weight_scale``.
    """

    weights: tuple[int, int, int]
    weight_scale: int
    boost: Fraction
    boost_above: Fraction
    max_impact: Fraction
    reference_depth: Fraction
    reference_buy: Fraction

    @classmethod
    def of(cls, settings: FeasibilitySettings) -> ScoreRules:
        """The rules that the settings describe."""
        depth, trade = Fraction(settings.liquidity_weight), Fraction(settings.feasibility_weight)
        scale = lcm(depth.denominator, trade.denominator)
        return cls(
            weights=(int((1 - depth - trade) * scale), int(depth * scale), int(trade * scale)),
            weight_scale=scale,
            boost=Fraction(settings.boost_factor),
            boost_above=Fraction(settings.boost_above),
            max_impact=Fraction(settings.max_impact_bps, BPS),
            reference_depth=Fraction(settings.reference_depth_sol) * LAMPORTS_PER_SOL,
            reference_buy=Fraction(settings.reference_buy_sol) * LAMPORTS_PER_SOL,
        )


@dataclass(frozen=True, slots=True)
class FeasibilityScore:
    """F, ``total``, and its parts: each 0 to 1, weighing 0.4 (depth), 0.4 (impact) and 0.2 (size)."""

    depth: Fraction
    impact: Fraction
    size: Fraction
    total: Fraction


@dataclass(frozen=True, slots=True)
class EnhancedScore:
    """The score and what it is made of, all exact. ``boost`` is 1 where it does not apply."""

    base: Fraction
    liquidity_factor: Fraction
    feasibility: Fraction
    boost: Fraction
    total: Fraction


def liquidity_factor(depth_lamports: int, rules: ScoreRules) -> Fraction:
    """Depth as a share of the reference depth, at most 1."""
    return _share(depth_lamports, rules.reference_depth)


def feasibility_score(
    depth_lamports: int, impact: Fraction | None, max_buy_lamports: int, rules: ScoreRules
) -> FeasibilityScore:
    """F of a pool with this depth, for a trade of this impact. ``impact`` None: the trade cannot be made at all."""
    depth, size = liquidity_factor(depth_lamports, rules), _share(max_buy_lamports, rules.reference_buy)
    part = _impact_part(impact, rules.max_impact)
    # (2·depth + 2·impact + size) / 5 in one step: every sum of fractions on the way would be reduced for nothing.
    by_depth, by_impact, by_size = depth.denominator, part.denominator, size.denominator
    above = 2 * (depth.numerator * by_impact + part.numerator * by_depth) * by_size
    total = Fraction(above + size.numerator * by_depth * by_impact, 5 * by_depth * by_impact * by_size)
    return FeasibilityScore(depth, part, size, total)


def urgency(score: float, feasibility: float) -> float:
    """What comes first, 0 to 100: from 85 on priority 1, from 70 on priority 2."""
    return 0.7 * score + 30 * feasibility


def enhanced_score(
    base: float | Decimal | Fraction, factor: Fraction, feasibility: Fraction, rules: ScoreRules
) -> EnhancedScore:
    """The enhanced score of a base score of 0 to 100. Raises UsageError for a base score outside of that."""
    if not 0 <= base <= 100:  # also refuses a score that is no number
        raise UsageError(f"a base score of {base} does not exist", hint="scores go from 0 to 100")
    exact = Fraction(base)
    boost = rules.boost if feasibility > rules.boost_above else _ONE
    of_base, of_factor, of_feasibility = rules.weights
    by_base, by_factor, by_feasibility = exact.denominator, factor.denominator, feasibility.denominator
    above = (
        of_base * exact.numerator * by_factor * by_feasibility
        + 100 * of_factor * factor.numerator * by_base * by_feasibility
        + 100 * of_feasibility * feasibility.numerator * by_base * by_factor
    )
    below = rules.weight_scale * by_base * by_factor * by_feasibility
    total = Fraction(above * boost.numerator, below * boost.denominator)
    return EnhancedScore(exact, factor, feasibility, boost, min(total, _HUNDRED))


_ZERO, _ONE, _HUNDRED = Fraction(0), Fraction(1), Fraction(100)


def _share(lamports: int, reference: Fraction) -> Fraction:
    most = reference.numerator
    return Fraction(max(min(lamports * reference.denominator, most), 0), most)


def _impact_part(impact: Fraction | None, most: Fraction) -> Fraction:
    if impact is None or impact >= most:
        return _ZERO
    share = impact.denominator * most.numerator
    return Fraction(min(share - impact.numerator * most.denominator, share), share)
