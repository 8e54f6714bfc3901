"""``measure``: from the rows of one time to its figures. Pure: no clock, no database."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.analytics.performance.activity import activity_of
from pumpswap.analytics.performance.capital import is_capital
from pumpswap.analytics.performance.curve import curve_of
from pumpswap.analytics.performance.given import PerformanceInput
from pumpswap.analytics.performance.result import CurvePoint, Money, Performance
from pumpswap.analytics.performance.return_figures import return_figures
from pumpswap.analytics.performance.round_figures import round_figures
from pumpswap.analytics.performance.slices import (
    RENT,
    by_day,
    by_exit,
    by_position,
    by_strategy,
    by_token,
    moves_for_nothing,
)
from pumpswap.model import COST_KINDS, EntryKind

__all__ = ["measure"]


def measure(given: PerformanceInput) -> Performance:
    """Every figure of a time; each is a value, or says why there is none, however little was traded."""
    closed = sorted((one for one in given.rounds if one.closed_ns is not None), key=lambda one: one.closed_ns or 0)
    curve = curve_of(given)
    return Performance(
        since_ns=given.since_ns,
        until_ns=given.until_ns,
        money=_money(given, curve),
        rounds_closed=round_figures(closed),
        returns=return_figures(curve),
        activity=activity_of(given, closed),
        costs=_costs(given),
        by_strategy=by_strategy(given, closed),
        by_exit=by_exit(given, closed),
        by_token=by_token(given, closed),
        by_day=by_day(given),
        by_position=by_position(given),
        fills=tuple(given.fills),
        sales=tuple(given.sales),
        moves=tuple(given.moves),
        curve=tuple(curve),
    )


def _money(given: PerformanceInput, curve: Sequence[CurvePoint]) -> Money:
    by = {"failed": 0, "upkeep": 0, "": 0}
    for move in moves_for_nothing(given.moves):
        by[move.by] += move.lamports
    # What positions were given of sales by hand is in what these have realised.
    by_hand = sum(sale.received_lamports for sale in given.sales if not sale.order_id)
    capital = sum(move.lamports for move in given.moves if is_capital(move)) - by_hand
    adopted = sum(lamports for _, lamports in given.adopted)
    rent = sum(fill.rent_lamports for fill in given.fills)
    rent -= sum(move.lamports for move in given.moves if move.kind in RENT)
    realised = sum(sale.gain_lamports for sale in given.sales)
    unrealised, unvalued = _unrealised(given)
    found = capital + realised + by["failed"] + by["upkeep"] + by[""] - rent + adopted
    found -= given.open_cost_after_lamports - given.open_cost_before_lamports
    ledger = given.ledger_after_lamports
    return Money(
        realised_lamports=realised,
        failed_lamports=by["failed"],
        upkeep_lamports=by["upkeep"],
        outside_lamports=by[""],
        capital_lamports=capital,
        rent_lamports=rent,
        adopted_lamports=adopted,
        open_cost_lamports=given.open_cost_after_lamports,
        unrealised_lamports=unrealised,
        unvalued=unvalued,
        equity_lamports=curve[-1].equity_lamports if curve else None,
        equity_change_lamports=curve[-1].net_lamports - curve[0].net_lamports if curve else None,
        unexplained_lamports=None if ledger is None else ledger - given.cash_before_lamports - found,
    )


def _unrealised(given: PerformanceInput) -> tuple[int | None, int]:
    """(gain over cost of what is open, how many of it have no value)."""
    values = [one.unrealised_lamports for one in given.rounds if one.is_open]
    known = [value for value in values if value is not None]
    if given.is_past and len(known) < len(values) and _ends_measured(given):
        return given.equity[-1].marks_lamports - given.open_cost_after_lamports, 0
    return (sum(known) if known or not values else None), len(values) - len(known)


def _ends_measured(given: PerformanceInput) -> bool:
    """Whether no position has changed since the last measurement, so that it has valued what is open at the end."""
    if not given.equity or given.equity[-1].at_ns < given.since_ns:  # what changed before the time is not given
        return False
    changed = [fill.at_ns for fill in given.fills] + [sale.at_ns for sale in given.sales]
    changed += [at_ns for at_ns, _ in given.adopted]
    return max(changed, default=0) <= given.equity[-1].at_ns


def _costs(given: PerformanceInput) -> dict[EntryKind, int]:
    """Positive, every kind that is a cost; rent is none."""
    fills = given.fills
    spent = {
        EntryKind.LP_FEE: sum(fill.lp_fee_lamports for fill in fills),
        EntryKind.PROTOCOL_FEE: sum(fill.protocol_fee_lamports for fill in fills),
        EntryKind.CREATOR_FEE: sum(fill.creator_fee_lamports for fill in fills),
        EntryKind.CASHBACK: sum(fill.cashback_lamports for fill in fills),
        EntryKind.NETWORK_FEE: sum(fill.network_fee_lamports for fill in fills),
        EntryKind.PRIORITY_FEE: sum(fill.priority_fee_lamports for fill in fills),
        EntryKind.TIP: sum(fill.tip_lamports for fill in fills),
    }
    kinds = {kind.value: kind for kind in COST_KINDS}
    for move in given.moves:
        if move.kind in kinds:
            spent[kinds[move.kind]] -= move.lamports
    return spent
