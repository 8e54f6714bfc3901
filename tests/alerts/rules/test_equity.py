"""Steps of drawdown, of the day's loss, of gains; their locks; a wallet that is low. By risk's own figures."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.alerts.rules.equity import DailyLossRule, DrawdownRule, MilestoneRule, WalletLowRule
from pumpswap.alerts.rules.steps import Steps, reached_bps
from pumpswap.model import EquityPoint
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from tests.alerts.rules.heard import Heard
from tests.support.market import SOL, START_NS

HOUR = 3_600 * 10**9
LIMITS = RiskLimits(max_drawdown_fraction=Decimal("0.25"), max_daily_loss_fraction=Decimal("0.2"))


class Measured:
    """A risk tracker whose states and measurements the rules hear of, as in an engine."""

    def __init__(self, heard: Heard, kind: type[DrawdownRule] | type[DailyLossRule], before: RiskTracker | None = None):
        self.heard = heard
        self.risk = RiskTracker(LIMITS, before.state if before else None, lambda state: self.rule.on_risk(state))
        self.rule = kind(heard.context, self.risk.figures, lambda: LIMITS, self.risk.state)

    def equity(self, lamports: int, at_ns: int | None = None) -> None:
        now = self.heard.now_ns = self.heard.now_ns + 1 if at_ns is None else at_ns
        self.risk.measured(lamports, now)
        self.rule.on_equity(EquityPoint(now, lamports, 0, 0))


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 10_000))
def test_a_step_is_reached_at_its_share_and_not_a_lamport_before(part: int, whole: int, step_bps: int) -> None:
    reached = reached_bps(part, whole, step_bps)
    assert reached % step_bps == 0
    assert reached * whole <= part * 10_000 < (reached + step_bps) * whole
    assert reached_bps(-part, whole, step_bps) == 0
    assert (reached_bps(part, whole, 0), reached_bps(part, 0, step_bps)) == (0, 0)


@given(st.lists(st.integers(0, 12), max_size=40), st.lists(st.booleans(), min_size=40, max_size=40))
def test_each_step_of_an_epoch_is_told_once_over_any_restarts(reached: list[int], restarts: list[bool]) -> None:
    heard = Heard()
    steps, told = Steps(heard.context, "x"), list[int]()
    for step, is_restart in zip(reached, restarts, strict=False):
        steps = Steps(heard.context, "x") if is_restart else steps
        if steps.reach(step):
            told.append(step)
    assert told == sorted(set(told))
    assert (told[-1:] or [0])[0] == max([0, *reached])


def test_drawdown_is_told_in_steps_and_anew_after_a_new_highest() -> None:
    heard = Heard({"drawdown_bps": 500})
    risk = Measured(heard, DrawdownRule)
    for sol in (10, 9.6, 9.5, 9.51, 9.3, 8.9, 9.4, 10.1, 9.7, 9.5):
        risk.equity(int(sol * SOL))
    assert [text.split(";")[0] for *_, text in heard.alerts] == [
        "equity of 9.5 SOL is 5 % below its highest of 10 SOL",
        "equity of 8.9 SOL is 11 % below its highest of 10 SOL",
        "equity of 9.5 SOL is 5.94 % below its highest of 10.1 SOL",
    ]
    assert heard.alerts[0][3].endswith("at 25 % entries are locked, exits go on")
    assert set(heard.told) == {("warning", "drawdown", "")}


def test_a_restart_in_a_drawdown_repeats_nothing() -> None:
    heard = Heard({"drawdown_bps": 500})
    first = Measured(heard, DrawdownRule)
    for sol in (10, 9.4):
        first.equity(int(sol * SOL))
    second = Measured(heard, DrawdownRule, first.risk)
    for sol in (9.3, 9.4, 8.9):
        second.equity(int(sol * SOL))
    assert len(heard.alerts) == 2
    assert "11 %" in heard.alerts[1][3]


def test_the_lock_of_a_drawdown_is_critical_and_takes_the_place_of_its_step() -> None:
    heard = Heard({"drawdown_bps": 500})
    risk = Measured(heard, DrawdownRule)
    for sol in (10, 7.5, 7.4, 6.9):
        risk.equity(int(sol * SOL))
    assert heard.told == [("critical", "drawdown", "lock"), ("warning", "drawdown", "")]
    assert heard.alerts[0][3] == (
        "entries are locked: equity of 7.5 SOL is 25 % below its highest of 10 SOL, limit 25 %. Exits go on. It lasts "
        "until a person resumes: `pumpswap resume` lifts it, and measures from what equity is then"
    )
    assert "entries are locked, exits go on" in heard.alerts[1][3]
    again = Measured(heard, DrawdownRule, risk.risk)
    again.equity(6_900_000_000)
    assert len(heard.alerts) == 2  # it is locked still, and was told


def test_money_that_is_taken_out_is_no_drawdown() -> None:
    heard = Heard({"drawdown_bps": 500})
    risk = Measured(heard, DrawdownRule)
    risk.equity(10 * SOL)
    risk.risk.moved(-5 * SOL, 10 * SOL)
    risk.equity(5 * SOL)
    assert heard.alerts == []


def test_the_days_loss_is_told_in_steps_until_it_locks_and_anew_on_the_next_day() -> None:
    heard = Heard({"daily_loss_bps": 500})
    risk = Measured(heard, DailyLossRule)
    for hours, sol in ((0, 10), (1, 9.6), (2, 9.4), (3, 9.45), (4, 8), (5, 7.9), (30, 7.9), (31, 7.4)):
        risk.equity(int(sol * SOL), START_NS + hours * HOUR)
    assert heard.told == [
        ("warning", "daily loss", ""),
        ("critical", "daily loss", "lock"),
        ("warning", "daily loss", ""),
    ]
    assert heard.alerts[0][3] == (
        "the day has lost 0.6 SOL, 6 % of the 10 SOL at its start; at 20 % entries stop for the day, exits go on"
    )
    assert heard.alerts[1][3] == (
        "entries are locked until 2026-11-03 00:00:00 UTC: the day has lost 2 SOL, 20 % of the 10 SOL at its start, "
        "limit 20 %. Exits go on; `pumpswap resume` lifts it before"
    )
    assert "0.5 SOL, 6.32 % of the 7.9 SOL" in heard.alerts[2][3]


def test_a_milestone_is_told_once_even_over_a_fall_and_a_restart() -> None:
    heard = Heard({"milestone_bps": 5_000})
    rule = MilestoneRule(heard.context)
    for sol in (10, 14.9, 15, 15.1, 12, 15.5):
        rule.measured(int(sol * SOL), 10 * SOL)
    assert heard.told == [("info", "milestone", "")]
    assert heard.text() == (
        "equity is 15 SOL, 50 % above the 10 SOL that were put in (+5 SOL); the next one is told at +100 %"
    )
    MilestoneRule(heard.context).measured(19 * SOL, 10 * SOL)
    assert len(heard.alerts) == 1
    MilestoneRule(heard.context).measured(40 * SOL, 10 * SOL)  # several at once are one
    assert "+350 %" in heard.alerts[1][3]


@pytest.mark.parametrize(("equity", "put_in"), [(0, 0), (5, 0), (5, -3), (0, 5)])
def test_without_money_of_the_owners_there_is_no_milestone(equity: int, put_in: int) -> None:
    heard = Heard()
    MilestoneRule(heard.context).measured(equity, put_in)
    assert heard.alerts == []


def test_other_steps_in_the_settings_do_not_make_an_old_milestone_new() -> None:
    heard = Heard({"milestone_bps": 1_000})
    MilestoneRule(heard.context).measured(25 * SOL, 10 * SOL)
    heard.rules = {"milestone_bps": 5_000}
    for sol in (25, 29, 30):
        MilestoneRule(heard.context).measured(sol * SOL, 10 * SOL)
    assert [text.split(" above")[0] for *_, text in heard.alerts] == [
        "equity is 25 SOL, 150 %",
        "equity is 30 SOL, 200 %",
    ]


def test_a_low_wallet_is_told_once_until_there_was_clearly_enough() -> None:
    heard = Heard({"wallet_low_sol": "0.2"})
    rule = WalletLowRule(heard.context, lambda: LIMITS)
    for milli in (400, 200, 199, 100, 205, 199, 220, 199):
        rule.on_equity(EquityPoint(1, milli * 10**6, 3 * SOL, 0))
    assert heard.told == [("warning", "wallet low", "")] * 2
    assert heard.alerts[0][3] == (
        "0.199 SOL are free, less than 0.2 SOL: buys will be refused; 3 SOL are in positions. Put in SOL, or let "
        "positions be sold"
    )


def test_a_reserve_that_is_not_covered_is_told_even_when_the_rule_is_off() -> None:
    heard = Heard({"wallet_low_sol": "0"})
    rule = WalletLowRule(heard.context, lambda: LIMITS)
    for milli in (50, 49, 10, 54, 49, 55, 49):
        rule.on_equity(EquityPoint(1, milli * 10**6, 0, 0))
    assert heard.told == [("warning", "wallet low", "reserve")] * 2
    assert heard.alerts[0][3].startswith(
        "the reserve of 0.05 SOL for fees, rent and exits is not covered: 0.049 SOL are free. "
    )
