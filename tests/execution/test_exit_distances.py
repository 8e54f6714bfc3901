"""Distances to the exits say exactly when the exits trigger."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exits import exit_distances, exit_intent
from pumpswap.model import Mark, Position
from pumpswap.settings import ExitRules

COST = 10**9


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
    intent = exit_intent(position(cost), now, rules)
    assert (intent.reason.split(":")[0] if intent else None) == (due[0] if due else None)
