"""The circuit breaker, a losing streak, and what a person has set."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.alerts.rules.locks import BreakerRule, StateRule, StreakRule
from pumpswap.model import Alert, AlertLevel, BreakerState, RiskState, TradingState
from pumpswap.settings import RiskLimits
from tests.alerts.rules.heard import Heard, beat
from tests.support.market import at

LIMITS = RiskLimits()
CLOSED = RiskState()
OPEN = RiskState(breaker=BreakerState.OPEN, failures_in_a_row=5, opened_ns=1)
HALF = replace(OPEN, breaker=BreakerState.HALF_OPEN)


def test_the_breaker_is_told_when_it_opens_opens_again_and_closes() -> None:
    heard = Heard()
    rule = BreakerRule(heard.context, lambda: LIMITS, CLOSED)
    for state in (CLOSED, OPEN, OPEN, HALF, OPEN, HALF, CLOSED, CLOSED):
        rule.on_risk(state)
    assert [level for level, _, _ in heard.told] == ["critical", "error", "info"]
    opened, again, closed = (text for *_, text in heard.alerts)
    assert opened == (
        "5 orders failed in a row: no entries for 5 min, then 2 trials must get through. Exits go on. "
        "`pumpswap doctor` looks at endpoints and wallet, `pumpswap resume` closes it"
    )
    assert again == "an order failed again while it was tried: no entries for 5 min more"
    assert closed == "closed: orders get through again, entries go on"
    assert {topic for _, topic, _ in heard.told} == {"circuit breaker"}


def test_a_breaker_that_was_open_before_a_restart_is_not_told_again_but_its_end_is() -> None:
    heard = Heard()
    rule = BreakerRule(heard.context, lambda: LIMITS, OPEN)
    for state in (OPEN, HALF, CLOSED):
        rule.on_risk(state)
    assert [level for level, _, _ in heard.told] == ["info"]


def test_a_losing_streak_says_until_when() -> None:
    heard = Heard()
    rule = StreakRule(heard.context, lambda: LIMITS, CLOSED)
    paused = RiskState(losses_until_ns=at(3_600))
    for state in (CLOSED, paused, paused, replace(paused, losses_until_ns=0), paused):
        rule.on_risk(state)
    assert heard.told == [("warning", "losing streak", "")] * 2
    assert heard.alerts[0][3] == (
        "5 rounds in a row have lost: no entries until 2026-11-02 01:00:00 UTC. Exits go on; `pumpswap resume` lifts "
        "it before"
    )


def test_a_state_that_a_command_has_answered_for_is_not_told_twice() -> None:
    heard = Heard()
    rule = StateRule(heard.context, CLOSED)
    rule.on_risk(RiskState(trading=TradingState.EXITS_ONLY, trading_reason="paused by me"))
    rule.on_alert(Alert(1, AlertLevel.INFO, "control", "pause", "me: no entries"))
    rule.on_beat(beat(at(1)))
    assert heard.alerts == []
    rule.on_risk(RiskState(trading=TradingState.HALTED, trading_reason="halted\nby <b>her</b>"))
    rule.on_alert(Alert(1, AlertLevel.INFO, "entry", "pool", "something else"))
    rule.on_beat(beat(at(2)))
    rule.on_beat(beat(at(3)))
    assert heard.told == [("warning", "state", "halted")]
    assert heard.text() == "trading is halted: halted by <b>her</b>; nothing is ordered, exits wait too"


def test_faults_are_no_change_of_what_a_person_has_set() -> None:
    heard = Heard()
    rule = StateRule(heard.context, CLOSED)
    rule.on_risk(RiskState(faults=(("feed states", "silent"),)))
    rule.on_beat(beat(at(1)))
    assert heard.alerts == []
