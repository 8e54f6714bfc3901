"""Exit rules: order, inclusive bounds, and nothing invented without a value."""

from __future__ import annotations

import pytest

from pumpswap.execution.exits import exit_intent
from pumpswap.model import Mark, Position
from pumpswap.settings import ExitRules
from tests.support.market import SOL, START_NS, at

HELD = Position("pool", "mint", 1, START_NS, base_units=1_000, cost_lamports=SOL)


def reason(percent_of_cost: int, *, after_s: int = 60, rules: ExitRules | None = None, obstacle: str = "") -> str:
    mark = Mark("pool", at(after_s), at(after_s), 1_000, SOL * percent_of_cost // 100, obstacle)
    intent = exit_intent(HELD, mark, rules or ExitRules())
    assert intent is None or intent.base_units == 1_000
    return intent.reason.split(":")[0] if intent else ""


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(100, ""), (81, ""), (80, "stop-loss"), (1, "stop-loss"), (199, ""), (200, "take-profit"), (900, "take-profit")],
)
def test_bounds_are_inclusive_and_measured_on_cost(percent: int, expected: str) -> None:
    assert reason(percent) == expected


def test_the_time_out_is_strict() -> None:
    assert reason(100, after_s=86_400) == ""
    assert reason(100, after_s=86_401) == "time-out"


def test_a_stop_loss_comes_before_a_time_out() -> None:
    assert reason(50, after_s=90_000) == "stop-loss"


def test_zero_disables_a_rule() -> None:
    off = ExitRules(take_profit_bps=0, stop_loss_bps=0, max_hold_seconds=0)
    assert reason(1, after_s=10**6, rules=off) == reason(10_000, rules=off) == ""


def test_what_cannot_be_quoted_cannot_be_sold() -> None:
    assert reason(0, obstacle="the pool has no reserves") == ""
