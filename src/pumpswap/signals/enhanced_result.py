"""EnhancedResult: base and enhanced score side by side, what the enhanced one rests on, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from pumpswap.model import Side
from pumpswap.signals.analyzer import SignalResult
from pumpswap.signals.enhanced_score import urgency
from pumpswap.signals.feasibility import Feasibility, FeesNow, SizeImpact
from pumpswap.signals.pool_facts import PoolFacts
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["EnhancedResult", "Recommendation"]

_STRONG = 85.0  # score from which an action is a strong one
_PRIORITIES = ((85.0, 1), (70.0, 2))  # from which urgency on
_LEAST_URGENT = 3


@dataclass(frozen=True, slots=True)
class Recommendation:
    """``action``: strong_buy, buy, hold, monitor, sell or strong_sell. ``priority``: 1 high, 2 medium, 3 low."""

    action: str
    priority: int


@dataclass(frozen=True, slots=True)
class EnhancedResult:
    """Both scores of a pool. Without PumpSwap data the enhanced score is the base score, ``facts`` and ``feasibility``
    are None and ``unavailable`` says why. ``side`` is the direction of the base analysis, ``buy_from`` the score from
    which it is acted upon. ``size_is_named``: the caller named the size, so it must fit.
    """

    base: SignalResult
    enhanced_score: float
    side: Side
    buy_from: float
    facts: PoolFacts | None = None
    feasibility: Feasibility | None = None
    boost: float = 1.0
    unavailable: str = ""
    size_is_named: bool = False

    @property
    def is_available(self) -> bool:
        """Whether PumpSwap data were there."""
        return self.feasibility is not None

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against trading on this; empty when nothing does."""
        return self.objections(self.side)

    @property
    def tradeable(self) -> bool:
        """Whether this could be acted upon now: False whenever anything is missing or speaks against it."""
        return not self.reasons

    @property
    def recommendation(self) -> Recommendation:
        """What to do, by the enhanced score."""
        return self.recommend(self.side, tradeable=self.tradeable)

    def objections(self, side: Side) -> tuple[str, ...]:
        """What speaks against a trade in this direction. Selling what is held needs no room to buy and no safe token.

        A default size is a yardstick; a size that the caller named must fit.
        """
        found = self.feasibility
        if found is None:
            return (self.unavailable,)
        if self.base.signal_score == 0 and not self.base.signals:
            return ("the base analysis failed", *found.reasons)
        if side is Side.SHORT:
            return () if found.can_sell else found.reasons
        fits = found.is_tradeable and (found.intended_fits or not self.size_is_named)
        return () if fits else found.reasons

    def recommend(self, side: Side, *, tradeable: bool) -> Recommendation:
        """Action and priority for a direction. Unavailable: monitor. Not tradeable: hold. Both are of low priority."""
        if not self.is_available:
            return Recommendation("monitor", _LEAST_URGENT)
        if not tradeable:
            return Recommendation("hold", _LEAST_URGENT)
        score = self.enhanced_score
        urgent = urgency(score, self.feasibility_score)
        priority = next((number for bound, number in _PRIORITIES if urgent >= bound), _LEAST_URGENT)
        if score < self.buy_from or side is Side.HOLD:
            return Recommendation("hold", priority)
        action = "buy" if side is Side.LONG else "sell"
        return Recommendation(f"strong_{action}" if score >= _STRONG else action, priority)

    @property
    def feasibility_score(self) -> float:
        """F of the score, 0 to 1; 0 without PumpSwap data."""
        return float(self.feasibility.score.total) if self.feasibility else 0.0

    def pumpswap_dict(self) -> dict[str, Any]:
        """What PumpSwap adds, under the host's keys. SOL and per cent are floats for reading; the exact lamports stand
        beside them. ``price_impact_estimate`` is per cent, before fees, of the intended size.
        """
        found, facts = self.feasibility, self.facts
        if found is None or facts is None:
            return {"pumpswap_available": False, "pumpswap_error": self.unavailable}
        return {
            "pumpswap_available": True,
            "pumpswap_data_source": facts.data_source,
            "pair_address": facts.pool,
            "current_price": None if facts.price_sol is None else float(facts.price_sol),
            "pumpswap_liquidity": _sol(found.depth_lamports),
            "pumpswap_liquidity_lamports": found.depth_lamports,
            "price_impact_estimate": _percent(found.intended.impact),
            "intended_size": _size_dict(found.intended),
            "price_impact_ladder": [_size_dict(size) for size in found.ladder],
            "largest_buy_lamports": found.largest_lamports,
            "fees_bps": _fees_dict(found.fees),
            "pool_kind": found.kind.value,
            "token_screen": {
                "verdict": found.screen,
                "reasons": list(facts.screen.objections) if facts.screen else [],
            },
            "execution_feasibility": {
                "can_buy": found.can_buy,
                "can_sell": found.can_sell,
                "max_buy_sol": _sol(found.max_buy_lamports),
                "max_buy_lamports": found.max_buy_lamports,
                "min_liquidity_met": found.min_liquidity_met,
                "intended_size_fits": found.intended_fits,
                "score": self.feasibility_score,
                "parts": {
                    "depth": float(found.score.depth),
                    "impact": float(found.score.impact),
                    "size": float(found.score.size),
                },
                "reasons": list(found.reasons),
            },
            "execution_feasibility_score": self.feasibility_score,
        }

    def as_dict(self) -> dict[str, Any]:
        """The base analysis and what PumpSwap adds in one dictionary. ``signal_score`` and ``final_signal_score`` are
        the enhanced score, ``base_signal_score`` the base.
        """
        recommended = self.recommendation
        return {
            **asdict(self.base),
            **self.pumpswap_dict(),
            "signal_score": self.enhanced_score,
            "final_signal_score": self.enhanced_score,
            "base_signal_score": self.base.signal_score,
            "side": self.side.value,
            "tradeable": self.tradeable,
            "recommended_action": recommended.action,
            "execution_priority": recommended.priority,
            "reasons": list(self.reasons),
        }


def _size_dict(size: SizeImpact) -> dict[str, Any]:
    return {
        "size_sol": _sol(size.quote_lamports),
        "size_lamports": size.quote_lamports,
        "base_units": size.base_units,
        "impact_percent": _percent(size.impact),
        "cost_over_spot_percent": _percent(size.cost_over_spot),
        "refused": size.refused,
    }


def _fees_dict(fees: FeesNow | None) -> dict[str, Any] | None:
    if fees is None:
        return None
    return {
        "lp": fees.lp_bps,
        "protocol": fees.protocol_bps,
        "creator": fees.creator_bps,
        "total": fees.total_bps,
        "cashback": fees.cashback,
    }


def _sol(lamports: int) -> float:
    return lamports / LAMPORTS_PER_SOL


def _percent(share: Fraction | None) -> float | None:
    return None if share is None else float(share * 100)
