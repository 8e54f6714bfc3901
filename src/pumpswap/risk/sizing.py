"""How much to buy: fractions of the balance, absolute caps, and the largest size the pool itself allows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.amm.largest import largest_buy
from pumpswap.model import SizingStep
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS

__all__ = ["Size", "round_trip_loss", "size_buy"]


@dataclass(frozen=True, slots=True)
class Size:
    """Budget of a buy in lamports and how it came about; 0 with the step that made it so."""

    lamports: int
    steps: tuple[SizingStep, ...]


def size_buy(
    state: PoolState,
    schedule: FeeSchedule,
    limits: RiskLimits,
    *,
    balance: int,
    strength: float,
    asked_lamports: int | None = None,
) -> Size:
    """Size of a buy for a signal of ``strength`` 0 to 1; ``balance`` in lamports. ``asked_lamports`` takes the place
    of the fraction that a signal would get: all limits hold for it, and whoever asked is told when they cut it.

    Every step only ever lowers the size, and each is kept. Bad input gives 0 with the reason, never a default size.
    """
    steps: list[SizingStep] = []

    def cap(rule: str, lamports: int, note: str) -> int:
        left = max(min(steps[-1].lamports, lamports) if steps else lamports, 0)
        steps.append(SizingStep(rule, left, note))
        return left

    if balance <= 0 or not 0 <= strength <= 1:
        return Size(0, (SizingStep("input", 0, f"balance {balance} lamports, strength {strength}"),))
    spendable = balance - limits.lamports("native_reserve_sol")
    if asked_lamports is not None:
        cap("asked", asked_lamports, "by hand")
    else:
        base = limits.base_position_fraction
        cap("base fraction", _share(balance, base), f"{base} of balance")
        # A signal at the threshold already is a full reason to trade; its strength scales within the upper half.
        scaled = steps[-1].lamports * (500_000 + round(strength * 500_000)) // 1_000_000
        cap("signal strength", scaled, f"strength {strength:.3f}")
    cap("maximum fraction", _share(balance, limits.max_position_fraction), f"{limits.max_position_fraction} of balance")
    cap("maximum size", limits.lamports("max_position_sol"), f"{limits.max_position_sol} SOL")
    cap("native reserve", spendable, f"{limits.native_reserve_sol} SOL stay")
    share = state.real_quote_reserve * limits.max_pool_share_bps // BPS
    cap("share of the pool", share, f"{limits.max_pool_share_bps} bps of the real reserve")
    left = largest_buy(state, schedule, most=steps[-1].lamports, max_impact=Fraction(limits.max_impact_bps, BPS))
    cap("price impact", left, f"at most {limits.max_impact_bps} bps")
    if steps[-1].lamports < limits.lamports("min_position_sol"):
        cap("minimum size", 0, f"below {limits.min_position_sol} SOL")
    return Size(steps[-1].lamports, tuple(steps))


def round_trip_loss(state: PoolState, schedule: FeeSchedule, budget: int) -> Fraction:
    """Share of ``budget`` that is lost by buying and selling again at once: fees and impact of both ways, exactly.

    Raises TradeRefused when either side would be refused: then there is no way out.
    """
    bought = buy_exact_quote(state, schedule, budget)
    sold = sell_exact_base(state.after(bought), schedule, bought.base_out)
    return 1 - Fraction(sold.user_quote_out, bought.total_quote)


def _share(lamports: int, fraction: Decimal) -> int:
    return int(lamports * fraction)
