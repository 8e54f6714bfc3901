"""Every figure is a value or says why there is none: for no trade, for one, and for few."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec
import pytest

from pumpswap.analytics.performance import Estimate, Performance, measure
from pumpswap.model import EntryKind, EquityPoint
from pumpswap.model.booked import BookedMove, BookedRound
from tests.analytics.performance.rows import DAY, HOUR, SOL, START, closed_round, deposit, fill, given, points, sale


def estimates(found: Performance) -> dict[str, Estimate]:
    parts: tuple[Any, ...] = (found.rounds_closed, found.returns, found.activity)
    named = {one.name: getattr(part, one.name) for part in parts for one in fields(part)}
    return {name: value for name, value in named.items() if isinstance(value, Estimate)}


def check(found: Performance) -> None:
    """Each says why there is no value, and an interval holds its value."""
    for name, one in estimates(found).items():
        assert one.is_known != bool(one.reason), name
        if one.low is not None and one.high is not None:
            assert one.value is not None and one.low <= one.value <= one.high, name


def test_nothing_at_all() -> None:
    found = measure(given())
    check(found)
    assert found.is_empty
    assert all(not one.is_known for one in estimates(found).values())
    assert {name: one.reason for name, one in estimates(found).items()} == {
        **dict.fromkeys(
            ("win_rate", "profit_factor", "payoff", "expectancy", "expectancy_share", "mean_holding_ns"),
            "no round was closed",
        ),
        "payoff": "needs a round that has won and one that has lost",
        "total": "equity was measured less than twice",
        "annual": "equity was measured less than twice",
        "calmar": "equity was measured less than twice",
        **dict.fromkeys(("volatility", "sharpe", "sortino"), "needs two hourly returns, there are none"),
        "exposure": "equity was never measured",
        "time_in_market": "nothing was measured or traded in this time",
        "turnover": "there was no equity, or it was never measured",
        "mean_slippage": "no fill has a quote to compare with",
    }
    money = found.money
    assert (money.net_lamports, money.equity_change_lamports, money.equity_lamports) == (0, None, None)
    assert (money.unrealised_lamports, money.unvalued, money.unexplained_lamports) == (0, 0, None)
    assert set(found.costs.values()) == {0}
    assert (found.by_strategy, found.by_exit, found.by_token, found.by_day, found.by_position) == ((), (), (), (), ())
    assert (found.rounds_closed.best, found.rounds_closed.median_lamports, found.curve) == (None, None, ())


def one_trade(gain: int) -> Performance:
    at_ns = START + 2 * HOUR
    return measure(
        given(
            points((START, 10), (at_ns - HOUR, 10 - 1), (at_ns, 10 + gain / SOL), marks=0),
            [deposit(START, 10)],
            fills=[
                fill(
                    at_ns - HOUR,
                    is_buy=True,
                    network_fee_lamports=5_000,
                    quoted_lamports=SOL,
                    quoted_units=1_010,
                    strategy="q50",
                ),
                fill(at_ns, is_buy=False, lamports=SOL + gain + 5_000, network_fee_lamports=5_000),
            ],
            sales=[sale(at_ns, SOL + gain, SOL, strategy="q50")],
            rounds=[closed_round(gain, at_ns=at_ns, pool="pool", exit_kind="stop-loss", strategy="q50", name="TEST")],
        )
    )


def test_one_trade_that_won() -> None:
    found = one_trade(SOL // 2)
    check(found)
    closed = found.rounds_closed
    assert (closed.closed, closed.won, closed.lost, closed.win_rate.value) == (1, 1, 0, 1.0)
    assert closed.win_rate.low == pytest.approx(0.2065, abs=1e-4)
    assert (closed.expectancy.value, closed.expectancy.low) == (SOL / 2, None)
    assert closed.expectancy_share.value == 0.5
    assert closed.profit_factor.reason == "no round has lost: there is nothing to divide by"
    assert (closed.mean_win_lamports, closed.mean_loss_lamports, closed.longest_winning_run) == (SOL / 2, None, 1)
    assert closed.best is closed.worst is found.by_position[0].round
    assert found.returns.total.value == pytest.approx(0.05)
    assert found.activity.mean_holding_ns.value == HOUR
    assert found.activity.mean_slippage.value == pytest.approx(0.01)  # 1 % fewer tokens for the same money
    assert found.activity.time_in_market.value == pytest.approx(0.5)
    assert found.activity.turnover.value == pytest.approx((2 * SOL + SOL / 2 + 5_000) / 2 / (9.5 * SOL))
    assert found.costs[EntryKind.NETWORK_FEE] == 10_000
    (by_exit,), (by_strategy,) = found.by_exit, found.by_strategy
    assert (by_exit.key, by_exit.sales, by_exit.won, by_exit.gain_lamports) == ("stop-loss", 1, 1, SOL // 2)
    assert by_exit.share == 0.5
    assert (by_strategy.key, by_strategy.sales, by_strategy.bought_lamports) == ("q50", 1, SOL + 5_000)
    assert found.by_token[0].label == "TEST"


def test_one_trade_that_lost() -> None:
    found = one_trade(-SOL // 4)
    check(found)
    closed = found.rounds_closed
    assert (closed.win_rate.value, closed.profit_factor.value, closed.payoff.value) == (0.0, 0.0, None)
    assert closed.win_rate.high == pytest.approx(0.7935, abs=1e-4)
    assert (closed.losses_lamports, closed.longest_losing_run) == (SOL // 4, 1)


def test_one_trade_that_ended_even_has_neither_won_nor_lost() -> None:
    closed = one_trade(0).rounds_closed
    assert (closed.closed, closed.won, closed.lost, closed.break_even) == (1, 0, 0, 1)
    assert not closed.profit_factor.is_known


def test_few_trades() -> None:
    gains = [SOL, -SOL // 2, SOL // 2, -SOL // 4, 0, SOL]
    rounds = [closed_round(gain, at_ns=START + (n + 1) * DAY, paid=2 * SOL) for n, gain in enumerate(gains)]
    found = measure(given(rounds=rounds))
    check(found)
    closed = found.rounds_closed
    assert (closed.won, closed.lost, closed.break_even) == (3, 2, 1)
    assert closed.profit_factor.value == pytest.approx(2.5 / 0.75)
    assert closed.payoff.value == pytest.approx((2.5 / 3) / (0.75 / 2))
    assert closed.expectancy.value == pytest.approx(1.75 / 6 * SOL)
    assert closed.expectancy_share.value == pytest.approx(1.75 / 12)
    assert closed.median_lamports == SOL // 4
    assert (closed.longest_winning_run, closed.longest_losing_run) == (1, 1)
    for one in (closed.win_rate, closed.profit_factor, closed.payoff, closed.expectancy):
        assert one.low is not None and one.high is not None and one.low < one.high


def test_two_alike_trades_leave_no_doubt_and_no_division_by_zero() -> None:
    found = measure(given(rounds=[closed_round(-5, at_ns=START + n * DAY) for n in range(2)]))
    check(found)
    assert found.rounds_closed.expectancy == Estimate(-5.0, 2, -5.0, -5.0)


def test_a_round_that_cost_nothing_has_no_share() -> None:
    """An adoption at the cost of nothing."""
    closed = measure(given(rounds=[closed_round(7, paid=0)])).rounds_closed
    assert closed.expectancy_share.reason == "no closed round has cost anything"
    assert closed.expectancy.value == 7


def test_a_year_is_told_from_thirty_days_on() -> None:
    short = [(START + n * DAY, 100 + n % 2) for n in range(30)]
    found = measure(given(points(*short), [deposit(START, 100)])).returns
    assert found.annual.reason == found.calmar.reason == "needs 30 days, there are 29.0"
    assert found.sharpe.is_known
    long = [(START + n * DAY, 100 + n % 2 + n / 10) for n in range(366)]
    found = measure(given(points(*long), [deposit(START, 100)])).returns
    assert found.annual.value == pytest.approx(0.375, abs=0.001)
    assert found.calmar.value == pytest.approx(found.annual.value / found.drawdown.share)
    assert found.sharpe.low is not None and found.sharpe.value is not None and found.sharpe.low < found.sharpe.value


def test_a_still_account_has_no_ratio_and_says_why() -> None:
    found = measure(given(points(*((START + n * DAY, 10) for n in range(60))), [deposit(START, 10)])).returns
    assert (found.volatility.value, found.total.value, found.annual.value) == (0, 0, 0)
    assert found.sharpe.reason == "the returns do not vary"
    assert found.sortino.reason == "no period has lost"
    assert found.calmar.reason == "equity has never fallen"


def test_costs_of_what_traded_nothing_are_losses_and_capital_is_not() -> None:
    moves = [
        deposit(START, 5), deposit(START + DAY, -1), BookedMove(START + 1, "network_fee", -5_000, "failed"),
        BookedMove(START + 2, "priority_fee", -300, "failed"), BookedMove(START + 3, "network_fee", -70, "upkeep"),
        BookedMove(START + 4, "rent_returned", 2_039_280, "upkeep"), BookedMove(START + DAY, "foreign", 11),
        BookedMove(START + DAY, "wrap", -9), BookedMove(START + DAY, "wrap", 9),
        BookedMove(START + DAY, "network_fee", -2),
    ]  # fmt: skip
    found = measure(given(moves=moves, ledger_after_lamports=4 * SOL - 5_370 + 2_039_280 + 9))
    money = found.money
    assert (money.failed_lamports, money.upkeep_lamports, money.outside_lamports) == (-5_300, -70, 9)
    assert (money.capital_lamports, money.rent_lamports, money.net_lamports) == (4 * SOL, -2_039_280, -5_361)
    assert money.unexplained_lamports == 0
    assert found.costs[EntryKind.NETWORK_FEE] == 5_072
    assert [(day.start_ns, day.net_lamports, day.capital_lamports) for day in found.by_day] == [
        (START, -5_370, 5 * SOL), (START + DAY, 9, -SOL),
    ]  # fmt: skip


def test_what_the_ledger_has_beyond_all_that_is_known_is_told() -> None:
    assert measure(given(moves=[deposit(START, 5)], ledger_after_lamports=5 * SOL + 3)).money.unexplained_lamports == 3


def test_what_open_positions_are_worth() -> None:
    def held(value: int | None) -> BookedRound:
        return BookedRound(f"pool-{value}", "mint", 1, START, None, 5, 100, 100, 0, 0, 1, 0, value_lamports=value)

    money = measure(given(rounds=[held(90), held(130), held(None)], open_cost_after_lamports=300)).money
    assert (money.unrealised_lamports, money.unvalued, money.open_cost_lamports) == (20, 1, 300)
    money = measure(given(rounds=[held(None)])).money
    assert (money.unrealised_lamports, money.unvalued) == (None, 1)


def test_what_positions_were_worth_in_a_time_that_is_over_is_told_by_its_last_measurement() -> None:
    held = BookedRound("pool", "mint", 1, START, None, 5, 2 * SOL, 2 * SOL, 0, 0, 1, 0)
    equity = points((START, 9), (START + HOUR, 9), marks=3)
    money = measure(given(equity, rounds=[held], open_cost_after_lamports=2 * SOL, is_past=True)).money
    assert (money.unrealised_lamports, money.unvalued) == (SOL, 0)


def test_the_last_measurement_tells_nothing_of_what_was_traded_after_it() -> None:
    """The values of then that are known are told, and how many are not."""
    old, later = (
        BookedRound(pool, "mint", 1, at_ns, None, 5, 2 * SOL, 2 * SOL, 0, 0, 1, 0, value_lamports=value)
        for pool, at_ns, value in (("a", START, None), ("b", START + 2 * HOUR, 5 * SOL))
    )
    equity = points((START, 9), (START + HOUR, 9), marks=3)
    cost, bought = {"open_cost_after_lamports": 4 * SOL}, fill(START + 2 * HOUR, is_buy=True)
    money = measure(given(equity, rounds=[old, later], fills=[bought], is_past=True, **cost)).money
    assert (money.unrealised_lamports, money.unvalued) == (3 * SOL, 1)
    money = measure(given(equity, rounds=[later], fills=[bought], is_past=True)).money
    assert (money.unrealised_lamports, money.unvalued) == (3 * SOL, 0)


def test_a_measurement_from_before_a_time_says_nothing_of_its_end() -> None:
    """What was traded between it and the time is not given: its marks may miss a position whose cost is counted."""
    held = BookedRound("a", "mint", 1, START - HOUR, None, 5, 2 * SOL, 2 * SOL, 0, 0, 1, 0, value_lamports=None)
    before = points((START - 2 * HOUR, 9), marks=0)
    found = measure(given(before, rounds=[held], is_past=True, open_cost_after_lamports=2 * SOL, since_ns=START)).money
    assert (found.unrealised_lamports, found.unvalued) == (None, 1)


def test_tokens_that_were_bought_by_hand_and_adopted_have_earned_what_they_brought_beyond() -> None:
    """5 SOL spent by hand, adopted at 5, sold by an order for 6: one SOL was earned, by trades and by equity."""
    spent, sold = BookedMove(START + 10, "foreign", -5 * SOL, "hand"), sale(START + 40, 6 * SOL, 5 * SOL)
    equity = [
        EquityPoint(START + 5, 10 * SOL, 0, 0, 10 * SOL), EquityPoint(START + 15, 5 * SOL, 0, 0, 5 * SOL),
        EquityPoint(START + 25, 5 * SOL, 5 * SOL, 0, 10 * SOL), EquityPoint(START + 45, 11 * SOL, 0, 0, 10 * SOL),
    ]  # fmt: skip
    moves, adopted = [deposit(START, 10), spent], [(START + 20, 5 * SOL)]
    capital = [(START, 10 * SOL), (START + 10, -5 * SOL), (START + 20, 5 * SOL)]
    for points_ in (equity, [msgspec.structs.replace(one, put_in_lamports=None) for one in equity]):
        found = measure(
            given(points_, moves, capital=capital, sales=[sold], adopted=adopted, ledger_after_lamports=11 * SOL)
        )
        money = found.money
        assert (money.net_lamports, money.equity_change_lamports) == (SOL, SOL)
        assert (money.outside_lamports, money.capital_lamports, money.adopted_lamports) == (0, 5 * SOL, 5 * SOL)
        assert money.unexplained_lamports == 0
        assert (found.returns.drawdown.share, found.returns.total.value) == (0, pytest.approx(0.1))
        assert sum(day.net_lamports for day in found.by_day) == SOL


def test_a_deposit_in_kind_is_no_gain() -> None:
    """10 SOL, and tokens that were adopted at a cost of 5."""
    equity = [EquityPoint(START, 10 * SOL, 0, 0, 10 * SOL), EquityPoint(START + 9, 10 * SOL, 5 * SOL, 0, 15 * SOL)]
    capital = [(START, 10 * SOL), (START + 5, 5 * SOL)]
    adopted = [(START + 5, 5 * SOL)]
    found = measure(given(equity, [deposit(START, 10)], capital=capital, adopted=adopted))
    assert (found.returns.total.value, found.money.equity_change_lamports, found.money.net_lamports) == (0, 0, 0)


def test_each_hour_of_a_day_has_one_return_and_rest_before_it_none() -> None:
    equity = points((START - 40 * DAY, 10), *((START + n * HOUR, 10 + n % 2) for n in range(24)), marks=5)
    found = measure(given(equity, [deposit(START - 50 * DAY, 10)], begins_here=False))
    assert (found.returns.period_seconds, len(found.returns.returns)) == (3_600, 24)
    assert found.returns.annual.reason == "needs 30 days, there are 1.0"
    assert found.activity.exposure.value == pytest.approx(23 * 5 / (12 * 10 + 11 * 11))


def test_rounds_that_overlap_are_time_in_the_market_once() -> None:
    rounds = [
        closed_round(1, at_ns=START + 3 * HOUR, held_ns=2 * HOUR, pool="a"),
        closed_round(1, at_ns=START + 4 * HOUR, held_ns=2 * HOUR, pool="b"),
        BookedRound("c", "mint", 1, START + 7 * HOUR, None, 5, 100, 100, 0, 0, 1, 0),
    ]
    found = measure(given(points((START, 5), (START + 8 * HOUR, 5), marks=1), rounds=rounds))
    assert found.activity.time_in_market.value == pytest.approx(4 / 8)
    assert found.activity.exposure.value == pytest.approx(0.2)


def test_the_sale_of_a_strategy_s_round_is_its_own_whoever_sold() -> None:
    sales = [
        sale(START + 5, 30, 10, strategy="q50", exit_kind="take-profit", mint="a"),
        sale(START + 6, 5, 10, strategy="", exit_kind="outside", order_id="", mint="b"),
    ]
    found = measure(given(sales=sales, moves=[BookedMove(START + 6, "foreign", 5, "hand")]))
    assert [(one.key, one.gain_lamports) for one in found.by_strategy] == [("q50", 20), ("", -5)]
    assert [(one.key, one.gain_lamports) for one in found.by_exit] == [("take-profit", 20), ("outside", -5)]
    assert [(one.key, one.gain_lamports) for one in found.by_token] == [("a", 20), ("b", -5)]
    # The SOL of a sale by hand is in its gain: it was not put in as well.
    money = found.money
    assert (money.outside_lamports, money.capital_lamports, money.net_lamports) == (0, 0, 15)
    assert sum(day.net_lamports for day in found.by_day) == 15
