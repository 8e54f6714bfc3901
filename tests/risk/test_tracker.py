"""What risk remembers: each transition of the breaker, the day, the drawdown, streaks, rates, faults, a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpswap.model import BreakerState, RiskState, TradingState
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from tests.risk.happenings import Told, order
from tests.support.market import SOL, START_NS, at
from tests.support.switching import switched

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
LIMITS = RiskLimits(breaker_failures=3, breaker_seconds=300, breaker_successes=2, max_losses_in_a_row=3)
DAY = 86_400


def told(**limits: Any) -> Told:
    return Told(RiskTracker(RiskLimits(**{**LIMITS.model_dump(), **limits})))


def breaker(here: Told, seconds: float = 0) -> BreakerState:
    return here.tracker.figures(at(seconds)).breaker


def opened(**limits: Any) -> Told:
    """A breaker that three failures at the start have opened."""
    here = told(**limits)
    for _ in range(3):
        here.entry("rejected")
    return here


# ----------------------------------------------------------------------------------------------- the circuit breaker


@pytest.mark.parametrize("how", ["rejected", "denied", "unknown"])
def test_failures_in_a_row_open_it(how: str) -> None:
    here = told()
    for _ in range(2):
        here.entry(how)
    assert breaker(here) is CLOSED
    here.entry(how)
    assert breaker(here) is OPEN
    assert here.tracker.figures(at(0)).breaker_until_ns == at(300)


def test_failures_that_are_not_in_a_row_do_not() -> None:
    here = told()
    for how in ("rejected", "rejected", "filled") * 5:
        here.entry(how)
    assert breaker(here) is CLOSED
    here.sale("filled")  # a sale that goes through ends a row as well
    assert here.tracker.figures(at(0)).failures_in_a_row == 0


def test_sales_count_in_the_row() -> None:
    here = told()
    here.entry("rejected")
    here.sale("rejected")
    here.sale("denied")
    assert breaker(here) is OPEN


@pytest.mark.parametrize(("seconds", "state"), [(299.999, OPEN), (300, HALF_OPEN), (9_999, HALF_OPEN)])
def test_after_its_pause_it_lets_a_trial_through(seconds: float, state: BreakerState) -> None:
    assert breaker(opened(), seconds) is state


def test_failures_while_it_is_open_do_not_prolong_it() -> None:
    here = opened()
    here.sale("rejected", 200)
    assert here.tracker.figures(at(200)).breaker_until_ns == at(300)
    assert here.tracker.figures(at(200)).failures_in_a_row == 4


def test_a_fill_while_it_is_open_does_not_close_it() -> None:
    here = opened()
    here.sale("filled", 200)
    assert breaker(here, 200) is OPEN


def test_trials_in_a_row_close_it() -> None:
    here = opened()
    here.entry("filled", 300)
    assert breaker(here, 300) is HALF_OPEN
    here.entry("filled", 301)
    assert breaker(here, 301) is CLOSED
    assert here.tracker.figures(at(301)).failures_in_a_row == 0


def test_one_trial_at_a_time() -> None:
    here = opened()
    assert not here.tracker.figures(at(300)).trial_is_out
    trial = here.enter(300)
    assert here.tracker.figures(at(300)).trial_is_out
    here.end(trial, "filled", 301)
    assert not here.tracker.figures(at(301)).trial_is_out


@pytest.mark.parametrize("side", ["entry", "sale"])
def test_a_failure_while_half_open_opens_it_for_another_pause(side: str) -> None:
    here = opened()
    here.entry("filled", 300)
    getattr(here, side)("rejected", 310)
    assert breaker(here, 310) is OPEN
    assert here.tracker.figures(at(310)).breaker_until_ns == at(610)
    assert here.tracker.state.trial_successes == 0
    here.entry("filled", 610)
    assert breaker(here, 610) is HALF_OPEN  # the successes of before count no more


def test_a_failure_after_the_pause_opens_it_anew_though_nobody_has_looked_in_between() -> None:
    here = opened()
    here.sale("rejected", 400)
    assert here.tracker.figures(at(400)).breaker_until_ns == at(700)


def test_a_sale_that_goes_through_is_no_trial() -> None:
    here = opened()
    for _ in range(5):
        here.sale("filled", 300)
    assert breaker(here, 300) is HALF_OPEN


def test_an_entry_of_before_is_no_trial() -> None:
    here = told()
    early = here.enter()
    for _ in range(3):
        here.entry("rejected")
    assert breaker(here, 300) is HALF_OPEN
    assert not here.tracker.figures(at(300)).trial_is_out
    here.end(early, "filled", 301)
    assert here.tracker.state.trial_successes == 0


def test_after_it_has_closed_a_row_begins_anew() -> None:
    here = opened()
    here.entry("filled", 300)
    here.entry("filled", 300)
    here.entry("rejected", 301)
    here.entry("rejected", 301)
    assert breaker(here, 301) is CLOSED
    here.entry("rejected", 301)
    assert breaker(here, 301) is OPEN


# ----------------------------------------------------------------------------------------------- unknown outcomes


@pytest.mark.parametrize("how", ["rejected", "denied"])
def test_what_becomes_of_an_unknown_order_is_no_second_failure(how: str) -> None:
    here = told()
    for _ in range(2):
        number = here.enter()
        here.end(number, "unknown")
        here.end(number, "unknown")
        here.end(number, how)
    assert here.tracker.figures(at(0)).failures_in_a_row == 2
    assert breaker(here) is CLOSED


def test_an_unknown_order_that_was_filled_ends_a_row() -> None:
    here = told()
    here.entry("rejected")
    number = here.enter()
    here.end(number, "unknown")
    here.end(number, "filled", 60)
    assert here.tracker.figures(at(60)).failures_in_a_row == 0


def test_an_unknown_trial_has_failed_and_keeps_others_back_until_its_fate_is_known() -> None:
    here = opened()
    trial = here.enter(300)
    here.end(trial, "unknown", 310)
    assert breaker(here, 310) is OPEN
    assert breaker(here, 610) is HALF_OPEN
    assert here.tracker.figures(at(610)).trial_is_out
    here.end(trial, "filled", 620)
    figures = here.tracker.figures(at(620))
    assert (figures.breaker, figures.trial_is_out) == (HALF_OPEN, False)
    assert here.tracker.state.trial_successes == 0


def test_an_unknown_trial_that_has_failed_in_the_end_opens_nothing_again() -> None:
    here = opened()
    trial = here.enter(300)
    here.end(trial, "unknown", 310)
    here.end(trial, "denied", 620)
    assert breaker(here, 620) is HALF_OPEN


# ----------------------------------------------------------------------------------------------- a restart


def test_a_trial_survives_a_restart_with_its_order() -> None:
    here = opened()
    trial = here.enter(300)
    after = here.restart(LIMITS)
    assert after.tracker.figures(at(301)).trial_is_out
    after.end(trial, "filled", 302)
    assert after.tracker.state.trial_successes == 1


def test_a_trial_whose_order_is_lost_keeps_nobody_back() -> None:
    here = opened()
    trial = here.enter(300)
    assert not here.restart(LIMITS, lost=(trial,)).tracker.figures(at(301)).trial_is_out


def test_an_unknown_order_is_no_second_failure_after_a_restart() -> None:
    here = told()
    number = here.enter()
    here.end(number, "unknown")
    after = here.restart(LIMITS)
    after.end(number, "denied", 60)
    assert after.tracker.figures(at(60)).failures_in_a_row == 1


def test_everything_survives_a_restart() -> None:
    here = opened()
    here.enter(300)
    here.tracker.measured(50 * SOL, at(300))
    here.tracker.measured(40 * SOL, at(310))
    here.sale("filled", 320, realised=-1)
    here.tracker.fault("endpoint", "it is away")
    switched(here.tracker, TradingState.HALTED, "by hand")
    after = here.restart(LIMITS)
    assert after.tracker.state == replace(here.tracker.state, faults=()), "a fault is that of its process"
    after.tracker.measured(40 * SOL, at(310))
    assert after.tracker.figures(at(330)) == here.tracker.figures(at(330))


def test_every_change_is_told_and_nothing_else() -> None:
    heard: list[RiskState] = []
    tracker = RiskTracker(LIMITS, told=heard.append)
    tracker.measured(50 * SOL, START_NS)
    tracker.measured(50 * SOL, START_NS + 1)
    tracker.figures(START_NS)
    tracker.entered(order(1))
    assert len(heard) == 2
    assert heard[-1] == tracker.state
