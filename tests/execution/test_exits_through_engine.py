"""Every exit through the real engine: bought on an exact curve, sold on it, booked, and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.amm import PoolState, SellQuote, current_schedule
from pumpswap.amm.largest import largest_sale
from pumpswap.engine.engine import Engine, EngineParts, Restored
from pumpswap.engine.keeper import PaperKeeper
from pumpswap.engine.strategies import FollowSignals
from pumpswap.execution.exit_pool import product_of
from pumpswap.model import AlertLevel, ExitKind, MarketUpdate, Rejected, Side, TradingState
from tests.engine.strategy_world import Heard, market_engine, run, said
from tests.support.market import SOL, at, graduate, moved, seen
from tests.support.switching import switched

START = graduate()
NAME = str(START.address)
ELSEWHERE = graduate(9)


def thinner(state: PoolState, percent: int) -> PoolState:
    """Somebody has pulled so much of the liquidity, at the same price."""
    return msgspec.structs.replace(
        state,
        base_reserve=state.base_reserve * (100 - percent) // 100,
        quote_vault=state.quote_vault * (100 - percent) // 100,
    )


def market(*updates: Any, exits: dict[str, Any] | None = None, **sections: Any) -> tuple[Engine, Heard]:
    """Bought at second 0, held from second 2 on; then ``updates``."""
    made, heard, signals = market_engine([FollowSignals()], exits=exits or {}, **sections)
    run(made, signals, said(START, 0, 90), seen(START, 2), *updates)
    return made, heard


def sales(heard: Heard) -> list[tuple[ExitKind | None, int]]:
    """(rule, base units) of every sale that was filled."""
    units = [units for _, units in heard.sold]
    kinds = [decision.intent.exit for decision in heard.decisions if decision and decision.base_units]
    return list(zip(kinds, units, strict=True))


def bought_units(heard: Heard) -> int:
    return heard.fills[0][1].executed.base_out  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "later", "rules"),
    [
        (ExitKind.STOP_LOSS, moved(START, -30), {}),
        (ExitKind.TAKE_PROFIT, moved(START, 150), {}),
        (ExitKind.RUG, thinner(START, 10), {}),
        (ExitKind.LIQUIDITY_FLIGHT, thinner(START, 60), {"rug_bps": 0}),
        (ExitKind.RUG, msgspec.structs.replace(START, base_supply=10**15 + 1), {}),
        (ExitKind.TIME_OUT, START, {"max_hold_seconds": 20}),
    ],
)
def test_each_rule_sells_all_that_is_held(kind: ExitKind, later: PoolState, rules: dict[str, Any]) -> None:
    made, heard = market(seen(later, 30), seen(later, 32), exits=rules)
    assert sales(heard) == [(kind, bought_units(heard))]
    assert made.portfolio.positions.open_positions() == []
    assert heard.exits[-1].is_over
    told = [(alert.topic, alert.level) for alert in heard.alerts]
    if kind in (ExitKind.RUG, ExitKind.LIQUIDITY_FLIGHT):
        level = AlertLevel.CRITICAL if kind is ExitKind.RUG else AlertLevel.WARNING
        assert told == [(kind.value, level)]
    else:
        assert told == []


def test_a_trailing_stop_keeps_most_of_a_rise() -> None:
    rules = {"trailing_stop_bps": 1_000, "trailing_after_bps": 2_000}
    path = [(10, 10), (20, 2), (30, 60), (40, 55), (50, 50), (60, 40), (70, 40)]
    _, heard = market(*[seen(moved(START, percent), second) for second, percent in path], exits=rules)
    assert sales(heard) == [(ExitKind.TRAILING_STOP, bought_units(heard))]
    (order, filled) = heard.fills[1]
    assert order.created_ns == at(60)
    assert order.reason.startswith("trailing stop: 12.")
    assert filled.executed.user_quote_out > SOL * 13 // 10  # type: ignore[union-attr]


def test_a_ladder_sells_its_parts_and_the_stop_the_rest() -> None:
    ladder = [{"gain_bps": 2_000, "sell_bps": 2_500}, {"gain_bps": 5_000, "sell_bps": 5_000}]
    path = [(10, 30), (12, 30), (20, 60), (22, 60), (30, 90), (32, 90), (40, -40), (42, -40)]
    _, heard = market(
        *[seen(moved(START, percent), second) for second, percent in path], exits={"take_profit_ladder": ladder}
    )
    whole = bought_units(heard)
    quarter, half = whole * 2_500 // 10_000, whole * 7_500 // 10_000 - whole * 2_500 // 10_000
    assert sales(heard) == [
        (ExitKind.LADDER, quarter), (ExitKind.LADDER, half), (ExitKind.STOP_LOSS, whole - quarter - half),
    ]  # fmt: skip


def test_a_sale_that_slips_is_tried_again_with_a_wider_limit_and_told() -> None:
    """The price falls by a quarter while the sale is on its way: 10 % is too little, and so is 20 %."""
    path = [(30, -25), (31, -45), (37, -45), (38, -60), (43, -60), (44, -60), (50, -60)]
    _, heard = market(*[seen(moved(START, percent), second) for second, percent in path])
    rejected = [outcome for outcome in heard.failed if isinstance(outcome, Rejected)]
    assert [outcome.code for outcome in rejected] == [6004, 6004]
    assert [order.slippage_bps for order in heard.orders[1:]] == [1_000, 2_000, 3_000]
    assert [order.created_ns for order in heard.orders[1:]] == [at(30), at(37), at(44)]
    assert sales_of(heard) == [bought_units(heard)]
    (alert,) = heard.alerts
    assert alert.topic == "exit failed"
    assert alert.text.startswith("TEST: sale failed, the first time: ExceededSlippage: ")
    assert alert.text.endswith("; next try in 5 s, accepting 20 %")


def sales_of(heard: Heard) -> list[int]:
    return [units for _, units in heard.sold]


BOOSTED = msgspec.structs.replace(
    START, quote_vault=67_405_853_790, pool=START.pool.with_changes(virtual_quote_reserves=17_584_505_294)
)


def drained(lamports: int) -> PoolState:
    """The boosted pool after others have sold until it really holds only so much: E is the virtual part more."""
    reserve = BOOSTED.effective_quote_reserve
    left = BOOSTED.pool.virtual_quote_reserves + lamports
    return msgspec.structs.replace(BOOSTED, base_reserve=BOOSTED.base_reserve * reserve // left, quote_vault=lamports)


def test_a_sale_that_the_pool_cannot_pay_goes_in_parts_to_the_last_unit() -> None:
    made, heard, signals = market_engine([FollowSignals()], exits={"rug_bps": 0})
    run(made, signals, said(BOOSTED, 0, 90), seen(BOOSTED, 2))
    whole = bought_units(heard)
    low = drained(SOL // 50)  # what is held would bring more than 0.04 SOL, and there is less in the pool
    run(made, signals, seen(low, 30))
    first = heard.orders[-1]
    assert first.base_units == largest_sale(low, current_schedule(), most=whole) < whole
    assert heard.fills[-1][1].executed.user_quote_out > SOL // 51  # type: ignore[union-attr]
    # The pool is empty then: the rest is worth nothing until somebody buys, and too little for a part at first.
    assert made.portfolio.marks[NAME].value_lamports <= 1
    run(made, signals, *[seen(drained(SOL // 125), second) for second in (40, 42)])
    assert len(heard.orders) == 2
    run(made, signals, *[seen(drained(SOL // 80), second) for second in (50, 52)])
    run(made, signals, *[seen(drained(5 * SOL), second) for second in (60, 62)])
    parts = sales_of(heard)
    assert (len(parts), sum(parts)) == (3, whole)
    assert made.portfolio.positions.open_positions() == []
    assert {decision.intent.exit for decision in heard.decisions[1:]} == {ExitKind.LIQUIDITY_FLIGHT}
    assert all(heard.decisions)


def test_what_is_held_and_too_large_for_the_pool_is_worth_its_sellable_part() -> None:
    off = {"rug_bps": 0, "stop_loss_bps": 0, "liquidity_flight_bps": 0, "take_profit_bps": 0}
    made, _, signals = market_engine([FollowSignals()], exits=off)
    low = drained(SOL // 50)
    run(made, signals, said(BOOSTED, 0, 90), seen(BOOSTED, 2), seen(low, 10))
    mark = made.desk.mark(NAME)
    assert mark is not None
    assert mark.obstacle == ""
    assert mark.sellable_units == largest_sale(low, current_schedule(), most=mark.base_units)
    assert mark.sellable_units < mark.base_units
    assert SOL // 51 < mark.value_lamports <= SOL // 50


def test_a_pool_that_nobody_sees_is_not_sold_on_and_told_after_a_while() -> None:
    """No decision is made over and over; the sale goes on with the next sight of the pool."""
    quiet = [seen(ELSEWHERE, 100 * step) for step in range(1, 12)]
    made, heard = market(*quiet, exits={"max_hold_seconds": 60})
    for step in range(12, 16):
        made.tick(at(100 * step))
    assert len(heard.decisions) == 1
    (alert,) = heard.alerts
    assert alert.topic == "exit blocked"
    assert alert.text.startswith("TEST: time-out is due and could not be done for ")
    assert "the pool was last seen" in alert.text
    run(made, {}, seen(START, 2_000), seen(START, 2_002))
    assert [alert.topic for alert in heard.alerts] == ["exit blocked"] * 2
    assert heard.alerts[-1].level is AlertLevel.INFO
    assert sales(heard) == [(ExitKind.TIME_OUT, bought_units(heard))]


def test_a_halt_lets_exits_wait_and_they_go_on_at_once_when_it_ends() -> None:
    """However long it has lasted; meanwhile nobody is asked over and over, and somebody is told."""
    made, heard = market()
    switched(made.risk, TradingState.HALTED, "by hand")
    low = moved(START, -50)
    for second in range(10, 700):
        made.step(seen(low, second))
    assert (len(heard.orders), len(heard.decisions)) == (1, 1)
    (alert,) = heard.alerts
    assert (alert.topic, alert.at_ns) == ("exit blocked", at(310))
    assert alert.text == (
        "TEST: stop-loss is due and could not be done for 300 s: trading is halted: by hand; it goes on when possible"
    )
    switched(made.risk, TradingState.EXITS_ONLY, "exits only")
    made.step(seen(low, 700))
    assert heard.orders[-1].created_ns == at(700)
    run(made, {}, seen(low, 702))
    assert sales(heard) == [(ExitKind.STOP_LOSS, bought_units(heard))]


def test_what_a_person_closes_during_a_halt_is_refused_and_goes_on_afterwards() -> None:
    made, heard = market()
    switched(made.risk, TradingState.HALTED, "by hand")
    made.step(seen(START, 10))
    assert made.close_all(ExitKind.BY_HAND, "asked for") == 1
    assert [verdict.policy for verdict in heard.decisions[-1].refusals] == ["trading state"]
    switched(made.risk, TradingState.EXITS_ONLY, "exits only")
    run(made, {}, seen(START, 11), seen(START, 13))
    assert sales(heard) == [(ExitKind.BY_HAND, bought_units(heard))]


def test_an_obstacle_of_the_pool_holds_a_sale_back_as_long_as_it_lasts() -> None:
    made, heard = market()
    for second in range(10, 60):
        made.step(MarketUpdate(at(second), NAME, obstacle="its account cannot be read"))
        made.tick(at(second))
    made.close_all(ExitKind.SIGNAL, "out")
    made.tick(at(61))
    assert [verdict.policy for verdict in heard.decisions[-1].refusals] == ["venue"]
    run(made, {}, seen(START, 62), seen(START, 64))
    assert sales(heard) == [(ExitKind.SIGNAL, bought_units(heard))]
    assert heard.orders[-1].created_ns == at(62)


def test_panic_sells_everything_at_the_widest_limit() -> None:
    made, heard, signals = market_engine([FollowSignals()])
    other = graduate(2)
    run(made, signals, said(START, 0, 90), said(other, 1, 90), seen(START, 4), seen(other, 4))
    assert made.close_all(ExitKind.PANIC, "panic") == 2
    run(made, signals, seen(START, 6), seen(other, 6))
    assert sorted(pool for pool, _ in heard.sold) == sorted([NAME, str(other.address)])
    assert {order.slippage_bps for order in heard.orders[2:]} == {5_000}
    assert made.portfolio.positions.open_positions() == []


def test_our_own_large_entry_and_exit_are_neither_flight_nor_rug() -> None:
    """A fifth of the pool is ours: when that leaves again, it was us."""
    small = msgspec.structs.replace(START, quote_vault=3 * SOL, base_reserve=7_000_000_000_000)
    limits = {
        "max_position_sol": "12",
        "min_liquidity_sol": "0",
        "liquidity_multiple": 1,
        "max_pool_share_bps": 10_000,
        "max_impact_bps": 10_000,
        "max_round_trip_loss_bps": 10_000,
        "max_cost_bps": 10_000,
    }
    rules = {"stop_loss_bps": 0, "short_signal_bps": 9_000, "liquidity_flight_bps": 1_000}
    made, heard, signals = market_engine([FollowSignals(9_000)], exits=rules, risk=limits)
    run(made, signals, said(small, 0, 90), seen(ELSEWHERE, 2))
    after = made.parts.book.state(NAME)
    assert after is not None
    assert after.real_quote_reserve > 3.7 * SOL
    run(made, signals, said(after, 10, 80, Side.SHORT), seen(ELSEWHERE, 12))
    left = made.parts.book.state(NAME)
    assert left is not None
    assert left.real_quote_reserve < 3.1 * SOL  # 17 % less, at a limit of 10 %
    assert product_of(left) >= product_of(after)
    run(made, signals, seen(left, 20), seen(left, 22))
    assert [kind for kind, _ in sales(heard)] == [ExitKind.SIGNAL]
    assert isinstance(heard.fills[1][1].executed, SellQuote)
    fled = msgspec.structs.replace(
        left, quote_vault=left.quote_vault * 9 // 10, base_reserve=left.base_reserve * 10 // 9
    )
    run(made, signals, seen(fled, 30), seen(fled, 32))
    assert [kind for kind, _ in sales(heard)] == [ExitKind.SIGNAL, ExitKind.LIQUIDITY_FLIGHT]


@st.composite
def wild_markets(draw: st.DrawFn) -> list[MarketUpdate]:
    """Two pools whose price and liquidity jump, with pauses that make states old."""
    second, updates = 2.0, []
    for _ in range(draw(st.integers(4, 30))):
        second += draw(st.sampled_from([0.4, 1.0, 3.0, 6.0, 70.0, 400.0]))
        number = draw(st.integers(1, 2))
        state = moved(graduate(number), draw(st.integers(-70, 250)))
        if draw(st.integers(0, 5)) == 0:
            state = thinner(state, draw(st.sampled_from([2, 7, 60])))
        updates.append(seen(state, second))
    return updates


RULES = {
    "trailing_stop_bps": 800,
    "trailing_after_bps": 1_500,
    "take_profit_bps": 15_000,
    "take_profit_ladder": [{"gain_bps": 1_000, "sell_bps": 3_000}, {"gain_bps": 6_000, "sell_bps": 3_000}],
    "max_hold_seconds": 900,
}


@hypothesis_settings(max_examples=60)
@given(wild_markets(), st.integers(0, 30))
def test_a_restart_at_any_point_changes_no_order(updates: Sequence[MarketUpdate], cut: int) -> None:
    through, after = (_traded(updates, stop) for stop in (None, cut))
    assert through == after


def _traded(updates: Sequence[MarketUpdate], cut: int | None) -> list[Any]:
    """Orders and how they ended; with a new engine, on the same books and the same venue, from update ``cut`` on."""
    made, heard, signals = market_engine([FollowSignals()], exits=RULES)
    for opening in (said(START, 0, 90), said(graduate(2), 0.5, 90)):
        signals[(opening[1].pool, opening[1].at_ns)] = opening[1]
        made.step(opening[0])
    for place, update in enumerate(updates):
        if place == cut:
            made = _restarted(made, heard)
        made.step(update)
    made.finish()
    ended = [(order.order_id, filled.executed) for order, filled in heard.fills]
    return [heard.orders, ended, [outcome.at_ns for outcome in heard.failed], made.portfolio.cash]


def _restarted(old: Engine, heard: Heard) -> Engine:
    """Another engine that knows what the old one has told, and nothing else."""
    exits = {state.pool: state for state in heard.exits}
    keeper = PaperKeeper(
        old.parts.venue.wallet,
        old.portfolio,
        decisions=len(heard.decisions),
        orders=len(heard.orders),
    )
    restored = Restored(old.risk.state, tuple(state for state in exits.values() if not state.is_over))
    parts: EngineParts = replace(old.parts, keeper=keeper, restored=restored)
    made = Engine(parts, [heard])
    made.clock.advance_to(old.clock.now_ns())
    made.desk.restore(old.desk.orders)
    return made
