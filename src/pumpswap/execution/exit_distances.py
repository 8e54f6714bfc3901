"""ExitDistances: how far a position is from each of its exits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_pool import product_of
from pumpswap.execution.exits import trailing_line
from pumpswap.model import ExitKind, ExitState, Mark, Position
from pumpswap.settings import ExitRules
from pumpswap.units import BPS

__all__ = ["ExitDistances", "exit_distances"]


@dataclass(frozen=True, slots=True)
class ExitDistances:
    """How far a position is from each exit; None for a rule that is off, or that needs what is not known.

    Shares are changes of the executable value: −0.1 means that it triggers when the value has fallen by 10 %; zero and
    beyond (positive for what waits for a fall, negative for what waits for a rise) means that it has triggered already.
    ``liquidity_flight`` and ``rug`` are changes of the pool's real quote reserve and of its product. ``selling`` is an
    exit that has begun.
    """

    stop_loss: Fraction | None
    take_profit: Fraction | None
    seconds_left: int | None
    trailing_stop: Fraction | None = None
    next_rung: Fraction | None = None
    liquidity_flight: Fraction | None = None
    rug: Fraction | None = None
    selling: ExitKind | None = None


def exit_distances(
    position: Position,
    mark: Mark | None,
    rules: ExitRules,
    at_ns: int,
    known: ExitState | None = None,
    pool: PoolState | None = None,
) -> ExitDistances:
    """What the rules of ``due_exit`` wait for, seen from ``at_ns``. ``known`` is what the engine remembers of the
    round, ``pool`` its pool's state, where the caller has them.
    """
    if known is not None and known.round != position.round:
        known = None
    left = None
    if rules.max_hold_seconds:
        left = rules.max_hold_seconds - (at_ns - position.opened_ns) // NS_PER_SECOND
    stop, target, trailing, rung = _of_value(position, mark, rules, known)
    flight, rug = _of_pool(rules, known, pool)
    return ExitDistances(
        stop, target, left, trailing, rung, flight, rug, selling=None if known is None else known.wanted
    )


_Share = Fraction | None


def _of_value(
    position: Position, mark: Mark | None, rules: ExitRules, known: ExitState | None
) -> tuple[_Share, _Share, _Share, _Share]:
    """(stop-loss, take-profit, trailing stop, next rung)."""
    if mark is None or mark.obstacle:
        return None, None, None, None
    cost, value = position.cost_lamports, mark.value_lamports
    line = None if known is None else trailing_line(position, rules, known)
    if not value:  # the stops have triggered, and no change by a share leads to a profit
        stop = Fraction(0) if rules.stop_loss_bps and cost else None
        return stop, None, None if line is None else Fraction(0), None
    trailing = None if line is None else Fraction(line, value) - 1
    if not cost:
        return None, None, trailing, None

    def away(bound_bps: int) -> Fraction:
        return Fraction(cost * bound_bps, BPS * value) - 1

    ladder = rules.take_profit_ladder
    is_on = known is not None and known.rungs < len(ladder)
    return (
        away(BPS - rules.stop_loss_bps) if rules.stop_loss_bps else None,
        away(BPS + rules.take_profit_bps) if rules.take_profit_bps else None,
        trailing,
        away(BPS + ladder[known.rungs].gain_bps) if known is not None and is_on else None,
    )


def _of_pool(rules: ExitRules, known: ExitState | None, pool: PoolState | None) -> tuple[_Share, _Share]:
    """(liquidity flight, rug)."""
    if known is None or pool is None:
        return None, None
    real, product = pool.real_quote_reserve, product_of(pool)
    flight = rug = None
    if rules.liquidity_flight_bps and known.entry_quote_lamports and real > 0:
        flight = Fraction(known.entry_quote_lamports * (BPS - rules.liquidity_flight_bps), BPS * real) - 1
    if rules.rug_bps and known.entry_product and product > 0:
        rug = Fraction(known.entry_product * (BPS - rules.rug_bps), BPS * product) - 1
    return flight, rug
