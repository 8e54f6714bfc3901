"""Exits: when an open position is sold. Judged on what a sale would really bring, not on the spot price."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Intent, Mark, Position, TradeSide
from pumpswap.settings import ExitRules
from pumpswap.units import BPS

__all__ = ["ExitDistances", "exit_distances", "exit_intent"]


@dataclass(frozen=True, slots=True)
class ExitDistances:
    """How far a position is from each exit; None for a rule that is off, or that needs a value where there is none.

    Shares are changes of the executable value: −0.1 means that it triggers when the value has fallen by 10 %; zero and
    beyond (positive for the stop, negative for the target) means that it has triggered already.
    """

    stop_loss: Fraction | None
    take_profit: Fraction | None
    seconds_left: int | None


def exit_intent(position: Position, mark: Mark, rules: ExitRules) -> Intent | None:
    """The sale that the rules ask for now, or None. Order: stop-loss, take-profit, time-out; bounds inclusive.

    A mark without a value asks for nothing: what cannot be quoted cannot be sold, and is reported as such.
    """
    if mark.obstacle or position.base_units == 0 or position.cost_lamports == 0:
        return None
    reason = _reason(position, mark, rules)
    if not reason:
        return None
    return Intent(TradeSide.SELL, position.pool, position.mint, mark.at_ns, reason, base_units=position.base_units)


def exit_distances(position: Position, mark: Mark | None, rules: ExitRules, at_ns: int) -> ExitDistances:
    """What the rules of ``exit_intent`` wait for, seen from ``at_ns``."""
    left = None
    if rules.max_hold_seconds:
        left = rules.max_hold_seconds - (at_ns - position.opened_ns) // NS_PER_SECOND
    if mark is None or mark.obstacle or not position.cost_lamports:
        return ExitDistances(None, None, left)
    cost, value = position.cost_lamports, mark.value_lamports
    if not value:  # the stop has triggered, and no change by a share leads to the target
        return ExitDistances(Fraction(0) if rules.stop_loss_bps else None, None, left)

    def away(bound_bps: int) -> Fraction:
        return Fraction(cost * bound_bps, BPS * value) - 1

    return ExitDistances(
        away(BPS - rules.stop_loss_bps) if rules.stop_loss_bps else None,
        away(BPS + rules.take_profit_bps) if rules.take_profit_bps else None,
        left,
    )


def _reason(position: Position, mark: Mark, rules: ExitRules) -> str:
    gain_bps = (mark.value_lamports - position.cost_lamports) * BPS // position.cost_lamports
    loss = position.cost_lamports - mark.value_lamports
    if rules.stop_loss_bps and loss * BPS >= rules.stop_loss_bps * position.cost_lamports:
        return f"stop-loss: {_signed(gain_bps)} of cost, limit −{rules.stop_loss_bps / 100:g} %"
    if rules.take_profit_bps and gain_bps >= rules.take_profit_bps:
        return f"take-profit: {_signed(gain_bps)} of cost, target +{rules.take_profit_bps / 100:g} %"
    held = (mark.at_ns - position.opened_ns) // NS_PER_SECOND
    if rules.max_hold_seconds and held > rules.max_hold_seconds:
        return f"time-out: held {held} s, at most {rules.max_hold_seconds} s"
    return ""


def _signed(bps: int) -> str:
    return f"{bps / 100:+.1f} %".replace("-", "−")
