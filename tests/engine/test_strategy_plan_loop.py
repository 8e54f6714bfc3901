"""The plan's own loop: checks, priorities, room, partial exits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.engine.strategies import PlanLoop
from pumpswap.engine.strategies.plan_loop import priority_of
from pumpswap.model import ExitKind, Side, Signal
from tests.engine.strategy_world import Heard, market_engine, run, said
from tests.support.market import START_NS, graduate

POOLS = [graduate(number) for number in range(1, 9)]
NAMES = [str(state.address) for state in POOLS]


def loop(*updates: Any, risk: dict[str, Any] | None = None, **changes: Any) -> Heard:
    made, heard, signals = market_engine([PlanLoop(**changes)], risk=risk or {})
    run(made, signals, *updates)
    return heard


def check(second: int) -> tuple[Any, ...]:
    """News of a coin that nobody wants: at a moment of a check, and once its orders have landed."""
    return said(POOLS[7], second, 10), said(POOLS[7], second + 3, 10)


def test_nothing_is_bought_between_checks() -> None:
    """The first check comes with the first news, the next one 300 s later: what is said in between waits for it."""
    heard = loop(
        said(POOLS[7], 0, 10),
        said(POOLS[0], 250, 90),
        said(POOLS[1], 299, 91),
        *check(300),
    )
    assert heard.bought == [NAMES[1], NAMES[0]]
    assert [decision.intent.at_ns - START_NS for decision in heard.decisions] == [300 * 10**9] * 2
    assert heard.decisions[0].intent.reason == "priority 91.0: test 91.0"
    assert {decision.intent.strategy for decision in heard.decisions} == {"plan-loop"}


def test_priority_is_score_and_feasibility() -> None:
    signal = Signal("pool", 0, Side.LONG, 80.0, 0.8, "test")
    assert priority_of(signal) == 80.0
    assert priority_of(Signal("pool", 0, Side.LONG, 80.0, 0.8, "test", feasibility=0.9)) == pytest.approx(83.0)


def test_the_best_are_bought_first_and_no_more_than_a_check_allows() -> None:
    opening = said(POOLS[7], 0, 10)
    heard = loop(
        opening,
        said(POOLS[0], 295, 80, feasibility=1.0),  # 86
        said(POOLS[1], 296, 95, feasibility=0.2),  # 72.5
        said(POOLS[2], 297, 84),  # 84
        said(POOLS[3], 298, 76, feasibility=0.9),  # 80.2
        *check(300),
        max_entries=3,
    )
    assert heard.bought == [NAMES[0], NAMES[2], NAMES[3]]


def test_no_more_is_bought_than_may_be_held() -> None:
    first = [said(POOLS[number], 1 + number, 90 - number) for number in range(4)]
    heard = loop(
        said(POOLS[7], 0, 10),
        *first,
        *check(30),
        *[said(POOLS[number], 34, 95 - number) for number in range(8)],
        *check(60),
        check_seconds=30,
        max_positions=5,
    )
    assert heard.bought == [*NAMES[:4], NAMES[4]]


def test_what_is_stale_or_below_the_score_or_taken_back_is_dropped() -> None:
    heard = loop(
        said(POOLS[7], 0, 10),
        said(POOLS[0], 239, 99),  # 61 s old at the check
        said(POOLS[1], 240, 90),  # just fresh enough
        said(POOLS[2], 290, 74.9),
        said(POOLS[3], 291, 90),
        said(POOLS[3], 292, 90, Side.HOLD),
        said(POOLS[4], 293, 90),
        said(POOLS[4], 294, 80, Side.SHORT),
        *check(300),
    )
    assert [decision.intent.pool for decision in heard.decisions] == [NAMES[1]]
    assert all(heard.decisions)


def test_a_coin_that_is_held_is_skipped_and_another_takes_its_place() -> None:
    heard = loop(
        said(POOLS[0], 0, 90),
        said(POOLS[7], 3, 10),
        said(POOLS[0], 25, 99),
        said(POOLS[1], 26, 80),
        *check(30),
        check_seconds=30,
        max_entries=1,
    )
    assert heard.bought == [NAMES[0], NAMES[1]]
    assert all(heard.decisions)  # the gate had nothing to refuse


def test_what_the_gate_has_refused_does_not_keep_the_others_out() -> None:
    """The best one is on the list of tokens that may not be bought; there is room for one wish in each check."""
    heard = loop(
        said(POOLS[0], 0, 99),
        said(POOLS[0], 25, 99),
        said(POOLS[1], 26, 80),
        *check(30),
        check_seconds=30,
        max_entries=1,
        risk={"deny_tokens": [str(POOLS[0].pool.base_mint)]},
    )
    assert [bool(decision) for decision in heard.decisions] == [False, True]
    assert heard.bought == [NAMES[1]]


def test_a_sell_signal_sells_half_at_once_and_once_per_check() -> None:
    opening = said(POOLS[0], 0, 90)
    heard = loop(
        opening,
        said(POOLS[7], 3, 10),
        said(POOLS[0], 10, 80, Side.SHORT),
        said(POOLS[0], 20, 80, Side.SHORT),
        said(POOLS[0], 30, 80, Side.SHORT),
        said(POOLS[0], 311, 80, Side.SHORT),
        said(POOLS[7], 320, 10),
    )
    held = heard.fills[0][1].executed.base_out  # type: ignore[union-attr]
    assert heard.sold == [(NAMES[0], held // 2), (NAMES[0], (held - held // 2) // 2)]
    assert [order.reason for order, _ in heard.fills[1:]] == ["signal turned short at score 80.0"] * 2
    assert heard.decisions[1].intent.exit is ExitKind.SIGNAL


@pytest.mark.parametrize(("share_bps", "parts"), [(0, 0), (2_500, 4), (10_000, 1)])
def test_the_share_of_a_sell_signal_can_be_chosen(share_bps: int, parts: int) -> None:
    heard = loop(
        said(POOLS[0], 0, 90),
        said(POOLS[7], 3, 10),
        said(POOLS[0], 10, 80, Side.SHORT),
        said(POOLS[7], 20, 10),
        short_signal_bps=share_bps,
    )
    held = heard.fills[0][1].executed.base_out  # type: ignore[union-attr]
    assert heard.sold == ([(NAMES[0], held // parts)] if parts else [])


def test_an_entry_is_the_exact_size_that_risk_finds() -> None:
    heard = loop(said(POOLS[0], 0, 90), said(POOLS[7], 3, 10))
    (order, filled) = heard.fills[0]
    assert filled.executed == buy_exact_quote(POOLS[0], current_schedule(), order.quote_lamports)
    assert Fraction(order.quote_lamports, 10**9) == 1  # risk.max_position_sol
