"""Exits: which rule wants a position sold now. Judged on what a sale would really bring, not on the spot price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_pool import product_of, supply_of
from pumpswap.model import ExitKind, ExitState, Mark, Position
from pumpswap.settings import ExitRules
from pumpswap.units import BPS, format_sol

__all__ = ["DueExit", "due_exit", "ladder_units", "trailing_line"]


@dataclass(frozen=True, slots=True)
class DueExit:
    """``units`` is what is to be sold, ``rungs`` how many steps of the ladder are done with it."""

    kind: ExitKind
    units: int
    reason: str
    rungs: int = 0


def due_exit(
    position: Position, mark: Mark, rules: ExitRules, known: ExitState, pool: PoolState | None = None
) -> DueExit | None:
    """The first rule that applies: rug, liquidity flight, stop-loss, take-profit, trailing stop, time-out, each for all
    that is held; then the ladder, for a part. Bounds are inclusive, but that of the time-out.

    A mark without a value says nothing about profit or loss; the pool and the time still count.
    """
    if position.base_units == 0:
        return None
    for kind, reason in _reasons(position, mark, rules, known, pool):
        if reason:
            return DueExit(kind, position.base_units, f"{kind.value}: {reason}", known.rungs)
    return _ladder(position, mark, rules, known)


def trailing_line(position: Position, rules: ExitRules, known: ExitState) -> int | None:
    """The executable value, in lamports, at which what is held now would be sold by the trailing stop: at it or below.
    None while the rule is off, or waits for the gain that starts it.
    """
    if not rules.trailing_stop_bps or not known.peak_units:
        return None
    peak, units = known.peak_lamports, known.peak_units
    least = position.cost_lamports * units * (BPS + rules.trailing_after_bps)
    if rules.trailing_after_bps and peak * position.base_units * BPS < least:
        return None
    return peak * position.base_units * (BPS - rules.trailing_stop_bps) // (units * BPS)


def ladder_units(rules: ExitRules, bought_units: int, first: int, last: int) -> int:
    """Units of the rungs from ``first`` to before ``last``, of what the round has bought. Rounded so that the parts of
    all rungs together are the rounded whole.
    """
    shares = [rung.sell_bps for rung in rules.take_profit_ladder]
    return bought_units * sum(shares[:last]) // BPS - bought_units * sum(shares[:first]) // BPS


def _reasons(
    position: Position, mark: Mark, rules: ExitRules, known: ExitState, pool: PoolState | None
) -> Iterator[tuple[ExitKind, str]]:
    """Why all of it is to be sold, one rule after the other; empty for those that do not apply."""
    yield ExitKind.RUG, _rug(rules, known, pool)
    yield ExitKind.LIQUIDITY_FLIGHT, _flight(rules, known, pool)
    yield ExitKind.STOP_LOSS, _stop_loss(position, mark, rules)
    yield ExitKind.TAKE_PROFIT, _take_profit(position, mark, rules)
    yield ExitKind.TRAILING_STOP, _trailing_stop(position, mark, rules, known)
    yield ExitKind.TIME_OUT, _time_out(position, mark, rules)


# ---------------------------------------------------------------------------------------------- the pool


def _rug(rules: ExitRules, known: ExitState, pool: PoolState | None) -> str:
    if pool is None:
        return ""
    product, supply = product_of(pool), supply_of(pool)
    # A pool that has lost its LP supply with the rest has no product that is known, and no reserves either.
    is_known = product or not pool.base_reserve or not pool.effective_quote_reserve
    if rules.rug_bps and known.entry_product and is_known:
        fallen = (known.entry_product - product) * BPS // known.entry_product
        if fallen >= rules.rug_bps:
            return (
                f"the pool's product fell by {_percent(fallen)}, limit {_percent(rules.rug_bps)}: liquidity was pulled"
            )
    if rules.sell_on_new_supply and known.entry_supply and supply > known.entry_supply:
        return f"the supply grew by {supply - known.entry_supply} base units: the mint authority was used"
    return ""


def _flight(rules: ExitRules, known: ExitState, pool: PoolState | None) -> str:
    if pool is None or not rules.liquidity_flight_bps or not known.entry_quote_lamports:
        return ""
    real, entry = pool.real_quote_reserve, known.entry_quote_lamports
    fallen = (entry - real) * BPS // entry
    if fallen < rules.liquidity_flight_bps:
        return ""
    return (
        f"the pool holds {format_sol(real)} SOL, {_percent(fallen)} less, limit {_percent(rules.liquidity_flight_bps)}"
    )


# ---------------------------------------------------------------------------------------------- the value


def _stop_loss(position: Position, mark: Mark, rules: ExitRules) -> str:
    cost = position.cost_lamports
    if mark.obstacle or not cost or not rules.stop_loss_bps:
        return ""
    if (cost - mark.value_lamports) * BPS < rules.stop_loss_bps * cost:
        return ""
    return f"{_signed(_gain_bps(position, mark))} of cost, limit −{_percent(rules.stop_loss_bps)}"


def _take_profit(position: Position, mark: Mark, rules: ExitRules) -> str:
    if mark.obstacle or not position.cost_lamports or not rules.take_profit_bps:
        return ""
    gain = _gain_bps(position, mark)
    if gain < rules.take_profit_bps:
        return ""
    return f"{_signed(gain)} of cost, target +{_percent(rules.take_profit_bps)}"


def _trailing_stop(position: Position, mark: Mark, rules: ExitRules, known: ExitState) -> str:
    line = None if mark.obstacle else trailing_line(position, rules, known)
    if line is None or mark.value_lamports > line:
        return ""
    peak = known.peak_lamports * position.base_units // known.peak_units
    fallen = _percent((peak - mark.value_lamports) * BPS // peak) if peak else _percent(BPS)
    return f"{fallen} below the highest value of {format_sol(peak)} SOL, limit {_percent(rules.trailing_stop_bps)}"


def _time_out(position: Position, mark: Mark, rules: ExitRules) -> str:
    held = (mark.at_ns - position.opened_ns) // NS_PER_SECOND
    if not rules.max_hold_seconds or held <= rules.max_hold_seconds:
        return ""
    return f"held {held} s, at most {rules.max_hold_seconds} s"


def _ladder(position: Position, mark: Mark, rules: ExitRules, known: ExitState) -> DueExit | None:
    ladder = rules.take_profit_ladder
    if mark.obstacle or not position.cost_lamports or known.rungs >= len(ladder):
        return None
    gain = _gain_bps(position, mark)
    reached = sum(rung.gain_bps <= gain for rung in ladder)  # the gains rise
    if reached <= known.rungs:
        return None
    units = min(ladder_units(rules, known.bought_units, known.rungs, reached), position.base_units)
    rungs = f"rung {reached}" if reached == known.rungs + 1 else f"rungs {known.rungs + 1} to {reached}"
    reason = f"{_signed(gain)} of cost, {rungs} at +{_percent(ladder[reached - 1].gain_bps)}"
    return DueExit(ExitKind.LADDER, units, f"{ExitKind.LADDER.value}: {reason}", reached)


# ---------------------------------------------------------------------------------------------- words


def _gain_bps(position: Position, mark: Mark) -> int:
    return (mark.value_lamports - position.cost_lamports) * BPS // position.cost_lamports


def _percent(bps: int) -> str:
    return f"{bps / 100:g} %"


def _signed(bps: int) -> str:
    return f"{bps / 100:+.1f} %".replace("-", "−")
