"""Distances to the exits say exactly when the exits trigger."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_distances import exit_distances
from pumpswap.execution.exit_pool import begun
from pumpswap.execution.exits import due_exit
from pumpswap.model import ExitKind, ExitState, Mark, Position
from pumpswap.settings import ExitRules, LadderRung
from tests.support.market import SOL, graduate

COST = 10**9
KNOWN = ExitState("pool", 1, bought_units=5)


def position(cost_lamports: int = COST) -> Position:
    return Position("pool", "mint", 1, 0, base_units=5, cost_lamports=cost_lamports)


def mark(value_lamports: int, at_ns: int = 0, obstacle: str = "") -> Mark:
    return Mark("pool", at_ns, at_ns, 5, value_lamports, obstacle)


def test_a_distance_is_the_change_of_the_value_that_triggers() -> None:
    rules = ExitRules(stop_loss_bps=2_000, take_profit_bps=10_000, max_hold_seconds=60)
    found = exit_distances(position(), mark(COST), rules, 45 * NS_PER_SECOND)
    assert (found.stop_loss, found.take_profit, found.seconds_left) == (Fraction(-1, 5), Fraction(1), 15)


@pytest.mark.parametrize("known", [None, mark(0, obstacle="empty")])
def test_without_a_value_only_the_time_is_known(known: Mark | None) -> None:
    found = exit_distances(position(), known, ExitRules(), 0)
    assert (found.stop_loss, found.take_profit, found.seconds_left) == (None, None, 86_400)


def test_rules_that_are_off_and_positions_that_cost_nothing_have_no_distance() -> None:
    off = ExitRules(stop_loss_bps=0, take_profit_bps=0, max_hold_seconds=0)
    found = exit_distances(position(), mark(COST), off, 0)
    assert (found.stop_loss, found.take_profit, found.seconds_left) == (None, None, None)
    adopted = exit_distances(position(0), mark(COST), ExitRules(), 0)
    assert (adopted.stop_loss, adopted.take_profit) == (None, None)


@given(
    cost=st.integers(1, 10**12),
    value=st.integers(0, 10**13),
    stop_bps=st.integers(0, 10_000),
    target_bps=st.integers(0, 1_000_000),
    held=st.integers(0, 200),
)
def test_a_distance_is_used_up_exactly_when_its_exit_triggers(
    cost: int, value: int, stop_bps: int, target_bps: int, held: int
) -> None:
    rules = ExitRules(stop_loss_bps=stop_bps, take_profit_bps=target_bps, max_hold_seconds=100)
    now = mark(value, held * NS_PER_SECOND)
    found = exit_distances(position(cost), now, rules, now.at_ns)
    due = []
    if found.stop_loss is not None and found.stop_loss >= 0:
        due.append("stop-loss")
    if found.take_profit is not None and found.take_profit <= 0:
        due.append("take-profit")
    if found.seconds_left is not None and found.seconds_left < 0:
        due.append("time-out")
    found_due = due_exit(position(cost), now, rules, KNOWN)
    assert (None if found_due is None else found_due.kind.value) == (due[0] if due else None)


OFF: dict[str, Any] = {"stop_loss_bps": 0, "take_profit_bps": 0, "max_hold_seconds": 0}


@given(
    value=st.integers(0, 10**6),
    peak=st.integers(1, 10**6),
    peak_units=st.integers(1, 10),
    trailing_bps=st.integers(1, 10_000),
    after_bps=st.sampled_from([0, 1, 5_000]),
    rungs=st.integers(0, 2),
)
def test_the_trailing_stop_and_the_ladder_trigger_at_their_distances(
    value: int, peak: int, peak_units: int, trailing_bps: int, after_bps: int, rungs: int
) -> None:
    ladder = (LadderRung(gain_bps=1_000, sell_bps=5_000), LadderRung(gain_bps=9_000, sell_bps=5_000))
    known = replace(KNOWN, peak_lamports=peak, peak_units=peak_units, rungs=rungs)
    held, now = position(10**5), mark(value)
    rules = ExitRules(**OFF, trailing_stop_bps=trailing_bps, trailing_after_bps=after_bps, take_profit_ladder=ladder)
    found = exit_distances(held, now, rules, 0, known)
    if found.trailing_stop is not None and found.trailing_stop >= 0:
        expected = ExitKind.TRAILING_STOP
    elif found.next_rung is not None and found.next_rung <= 0:
        expected = ExitKind.LADDER
    else:
        expected = None
    due = due_exit(held, now, rules, known)
    assert (None if due is None else due.kind) == expected
    assert (found.next_rung is None) == (rungs == 2 or value == 0)


@given(quote=st.integers(1, 200), base=st.integers(1, 200))
def test_flight_and_rug_trigger_at_their_distances(quote: int, base: int) -> None:
    start = graduate(quote_vault=100 * SOL, base_reserve=100 * SOL)
    pool = msgspec.structs.replace(start, quote_vault=quote * SOL, base_reserve=base * SOL)
    known = begun(position(), start)
    rules = ExitRules(**OFF, sell_on_new_supply=False)
    found = exit_distances(position(), mark(COST), rules, 0, known, pool)
    assert found.liquidity_flight == Fraction(50, quote) - 1
    assert found.rug == Fraction(9_500, quote * base) - 1
    due = due_exit(position(), mark(COST), rules, known, pool)
    expected = ExitKind.RUG if found.rug >= 0 else ExitKind.LIQUIDITY_FLIGHT if found.liquidity_flight >= 0 else None
    assert (None if due is None else due.kind) == expected


def test_what_is_remembered_of_another_round_says_nothing() -> None:
    rules = ExitRules(trailing_stop_bps=100)
    old = ExitState("pool", 2, peak_lamports=COST, peak_units=5, wanted=ExitKind.SIGNAL, wanted_units=5)
    found = exit_distances(position(), mark(COST), rules, 0, old, graduate())
    assert (found.trailing_stop, found.rug, found.selling) == (None, None, None)
    now = replace(old, round=1)
    assert exit_distances(position(), mark(COST), rules, 0, now).selling is ExitKind.SIGNAL
