"""Caps: the limits in raw units, computed once, so that a decision compares integers only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pumpswap.clock import NS_PER_SECOND
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS

__all__ = ["Caps", "Share"]

LARGEST_POOL_SHARE_BPS = 2_500  # of the pool's own SOL, whatever the settings say


@dataclass(frozen=True, slots=True)
class Share:
    """A share of something, exact to the last digit of the settings."""

    numerator: int
    denominator: int

    @classmethod
    def of(cls, value: Decimal) -> Share:
        return cls(*value.as_integer_ratio())

    def part(self, whole: int) -> int:
        """This share of ``whole``, rounded down; of a debt nothing."""
        return max(whole, 0) * self.numerator // self.denominator

    def reaches(self, part: int, whole: int) -> bool:
        """Whether ``part`` is at least this share of ``whole``."""
        return part * self.denominator >= whole * self.numerator


@dataclass(frozen=True, slots=True)
class Caps:
    """``RiskLimits`` in lamports, nanoseconds and exact shares."""

    base_fraction: Share
    max_fraction: Share
    max_position: int
    min_position: int
    max_token: int
    token_fraction: Share
    exposure_fraction: Share
    native_reserve: int
    cost_allowance: int
    min_liquidity: int
    pool_share_bps: int  # after the largest share that any trade may have
    daily_loss: Share
    drawdown: Share
    cooldown_ns: int
    max_state_age_ns: int
    max_signal_age_ns: int

    @classmethod
    def of(cls, limits: RiskLimits) -> Caps:
        """Computed from the settings."""
        return cls(
            base_fraction=Share.of(limits.base_position_fraction),
            max_fraction=Share.of(limits.max_position_fraction),
            max_position=limits.lamports("max_position_sol"),
            min_position=limits.lamports("min_position_sol"),
            max_token=limits.lamports("max_token_sol"),
            token_fraction=Share.of(limits.max_token_fraction),
            exposure_fraction=Share.of(limits.max_exposure_fraction),
            native_reserve=limits.lamports("native_reserve_sol"),
            cost_allowance=limits.lamports("cost_allowance_sol"),
            min_liquidity=limits.lamports("min_liquidity_sol"),
            pool_share_bps=min(
                limits.max_pool_share_bps, LARGEST_POOL_SHARE_BPS, BPS // max(limits.liquidity_multiple, 1)
            ),
            daily_loss=Share.of(limits.max_daily_loss_fraction),
            drawdown=Share.of(limits.max_drawdown_fraction),
            cooldown_ns=limits.cooldown_seconds * NS_PER_SECOND,
            max_state_age_ns=limits.max_state_age_seconds * NS_PER_SECOND,
            max_signal_age_ns=limits.max_signal_age_seconds * NS_PER_SECOND,
        )
