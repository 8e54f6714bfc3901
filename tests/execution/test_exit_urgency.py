"""Exits that meet others: the more urgent one counts, none is made narrower or smaller, parts add up."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from pumpswap.amm import PoolState, current_schedule
from pumpswap.execution.exit_urgency import is_in_haste
from pumpswap.execution.planner import OrderPlanner
from pumpswap.model import AlertLevel, Decision, ExitKind, Intent, TradeSide
from pumpswap.settings import ExitRules, LadderRung
from tests.execution.exit_world import HELD, MINT, POOL, Round
from tests.support.market import SOL, at, graduate

RULES = ExitRules()
LADDER = ExitRules(take_profit_ladder=(LadderRung(gain_bps=2_000, sell_bps=2_500),))


def pulled(state: PoolState, parts: int) -> PoolState:
    """So much of the liquidity is left."""
    return msgspec.structs.replace(
        state, base_reserve=state.base_reserve // parts, quote_vault=state.quote_vault // parts
    )


def test_a_wish_takes_nothing_from_a_rug() -> None:
    start = graduate()
    made = Round(RULES, HELD, start)
    made.state = pulled(start, 2)
    first = made.look(SOL // 2)
    assert first is not None
    assert (first.exit, first.slippage_bps) == (ExitKind.RUG, 5_000)
    made.fail(61)
    made.manager.want(HELD, ExitKind.SIGNAL, 1_000, "signal turned short")
    assert made.look(SOL // 2, 65) is None
    made.manager.want(HELD, ExitKind.BY_HAND, 1_000, "asked for")  # who asks does not wait, nor sell for less
    again = made.look(SOL // 2, 65)
    assert again is not None
    assert (again.exit, again.slippage_bps, again.reason) == (ExitKind.RUG, 5_000, first.reason)


@pytest.mark.parametrize("kind", [kind for kind in ExitKind if kind is not ExitKind.PANIC])
def test_panic_stays_panic(kind: ExitKind) -> None:
    made = Round(RULES, HELD, graduate())
    made.manager.want(HELD, ExitKind.PANIC, 1_000, "panic")
    made.manager.want(HELD, kind, 1_000, "something else")
    made.state = pulled(graduate(), 2)
    found = made.look(SOL)
    assert found is not None
    assert (found.exit, found.slippage_bps, found.reason) == (ExitKind.PANIC, 5_000, "panic")


def test_a_rug_and_a_flight_are_noticed_while_all_is_being_sold() -> None:
    """A take-profit fails; meanwhile the money leaves, then the liquidity: each is told, and not waited for."""
    start = graduate()
    made = Round(RULES, HELD, start)
    found = made.look(3 * SOL)
    assert found is not None
    assert found.exit is ExitKind.TAKE_PROFIT
    made.fail(61)
    made.manager.take_alerts()
    made.state = msgspec.structs.replace(
        start, base_reserve=start.base_reserve * 3, quote_vault=start.quote_vault // 3 + 1
    )
    fled = made.look(SOL // 10, 62)
    assert fled is not None
    assert (fled.exit, fled.base_units, fled.slippage_bps) == (ExitKind.LIQUIDITY_FLIGHT, 1_000, 2_000)
    made.fail(63)
    made.state = pulled(start, 20)
    gone = made.look(SOL // 20, 64)
    assert gone is not None
    assert (gone.exit, gone.slippage_bps) == (ExitKind.RUG, 5_000)
    made.fail(65)
    assert made.look(SOL // 20, 66) is None  # the same once more: now it waits
    told = [(alert.topic, alert.level) for alert in made.manager.take_alerts() if alert.topic != "exit failed"]
    assert told == [("liquidity flight", AlertLevel.WARNING), ("rug", AlertLevel.CRITICAL)]


def test_panic_counts_on_a_position_that_others_have_made_smaller_and_then_waits_for_its_retry() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.SIGNAL, 1_000, "short")
    made.held = replace(HELD, base_units=600, cost_lamports=SOL * 6 // 10)
    tries = []
    for quarter in range(40):  # ten seconds of an engine that says so with every poll, each sale fails at once
        second = 60 + quarter / 4
        made.manager.want(made.held, ExitKind.PANIC, 600, "panic")
        found = made.look(SOL // 2, second)
        if found is not None:
            assert (found.exit, found.base_units, found.slippage_bps) == (ExitKind.PANIC, 600, 5_000)
            tries.append(second)
            made.fail(second)
    assert tries == [60, 65]


def test_a_part_that_a_person_asks_for_comes_on_top_of_one_that_is_on_its_way() -> None:
    made = Round(LADDER)
    first = made.look(SOL * 130 // 100)
    assert first is not None
    assert first.base_units == 250
    made.manager.want(HELD, ExitKind.BY_HAND, 250, "asked for")
    made.manager.want(HELD, ExitKind.BY_HAND, 100, "and once more")
    made.sell(250)
    second = made.look(SOL * 3 // 4, 70)
    assert second is not None
    assert (second.exit, second.base_units, second.reason) == (ExitKind.BY_HAND, 350, "and once more")


def test_a_signal_that_is_still_short_sells_its_part_once_and_on_top_of_others() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.BY_HAND, 250, "asked for")
    for _ in range(5):
        made.manager.want(HELD, ExitKind.SIGNAL, 300, "short")
    assert (made.known.wanted, made.known.wanted_units) == (ExitKind.SIGNAL, 550)
    made.manager.want(HELD, ExitKind.BY_HAND, 800, "asked for")
    assert (made.known.wanted, made.known.wanted_units) == (ExitKind.BY_HAND, 1_000)


def test_what_is_in_haste_does_nothing_but_sell() -> None:
    hasty = {kind for kind in ExitKind if is_in_haste(kind)}
    assert hasty == {ExitKind.STOP_LOSS, ExitKind.LIQUIDITY_FLIGHT, ExitKind.RUG, ExitKind.PANIC}
    assert not is_in_haste(None)


def test_the_order_of_an_urgent_exit_says_so_to_its_venue() -> None:
    planner, state = OrderPlanner(), graduate()
    for kind in (ExitKind.STOP_LOSS, ExitKind.TAKE_PROFIT, None):
        intent = Intent(TradeSide.SELL, POOL, MINT, at(60), "a test", base_units=1_000_000, exit=kind)
        decision = Decision("d1", intent, True, (), (), base_units=1_000_000)
        order = planner.plan(decision, state, current_schedule(), 1_000)
        assert order.is_urgent is (kind is ExitKind.STOP_LOSS)
