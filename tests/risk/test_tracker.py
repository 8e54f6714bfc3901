"""What risk remembers: each transition of the breaker, the day, the drawdown, streaks, rates, faults, a restart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import BreakerState, RiskState, TradeSide, TradingState
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from tests.risk.happenings import Told, order, outcome, round_of
from tests.support.market import SOL, START_NS, at

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
    here.tracker.set_trading(TradingState.HALTED, "by hand")
    after = here.restart(LIMITS)
    assert after.tracker.state == here.tracker.state
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


# ----------------------------------------------------------------------------------------------- day and drawdown


def test_a_day_that_has_lost_its_limit_stays_lost_until_the_next() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(0))
    tracker.measured(45 * SOL + 1, at(10))
    assert not tracker.figures(at(10)).day_is_lost
    tracker.measured(45 * SOL, at(20))
    tracker.measured(60 * SOL, at(30))
    figures = tracker.figures(at(30))
    assert (figures.day_is_lost, figures.day_loss_lamports, figures.day_until_ns) == (True, 0, at(DAY))
    assert tracker.figures(at(DAY) - 1).day_is_lost
    assert not tracker.figures(at(DAY)).day_is_lost


def test_a_new_day_begins_with_its_first_measurement() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(0))
    tracker.measured(46 * SOL, at(DAY - 1))
    tracker.measured(44 * SOL, at(DAY))
    figures = tracker.figures(at(DAY))
    assert (figures.day_start_lamports, figures.day_loss_lamports, figures.day_is_lost) == (44 * SOL, 0, False)
    assert figures.day_until_ns == at(2 * DAY)


def test_before_the_first_measurement_of_a_day_nothing_of_it_is_lost() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(0))
    tracker.measured(46 * SOL, at(1))
    assert tracker.figures(at(DAY)).day_loss_lamports == 0


def test_a_clock_that_goes_back_lifts_no_lock() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(DAY))
    tracker.measured(40 * SOL, at(DAY + 1))
    tracker.measured(40 * SOL, at(DAY - 1))
    assert tracker.figures(at(DAY + 2)).day_is_lost


def test_a_drawdown_is_from_the_highest_and_stays_until_a_person_resumes() -> None:
    tracker = told().tracker
    for seconds, equity in enumerate((40, 80, 61)):
        tracker.measured(equity * SOL, at(seconds * DAY))
    assert not tracker.figures(at(3 * DAY)).is_drawn_down
    tracker.measured(60 * SOL, at(3 * DAY))
    tracker.measured(79 * SOL, at(4 * DAY))
    figures = tracker.figures(at(4 * DAY))
    assert (figures.is_drawn_down, figures.peak_lamports, figures.drawdown_lamports) == (True, 80 * SOL, SOL)
    tracker.resume("seen")
    figures = tracker.figures(at(4 * DAY))
    assert (figures.is_drawn_down, figures.peak_lamports) == (False, 79 * SOL)


@pytest.mark.parametrize("lamports", [50 * SOL, -20 * SOL, -47 * SOL])
def test_money_of_the_owner_changes_neither_share(lamports: int) -> None:
    """A tenth of what is left could be more than the limit of what was there: a withdrawal would lock the day."""
    tracker = told(max_drawdown_fraction=Decimal("0.05")).tracker
    tracker.measured(50 * SOL, at(0))
    tracker.measured(48 * SOL, at(1))
    tracker.moved(lamports)
    figures = tracker.figures(at(1))
    after = 48 * SOL + lamports
    assert figures.day_loss_lamports == pytest.approx(after * 2 / 48, abs=2)
    assert figures.drawdown_lamports == figures.day_loss_lamports
    tracker.measured(after, at(2))
    figures = tracker.figures(at(2))
    assert (figures.day_is_lost, figures.is_drawn_down) == (False, False)


def test_money_that_comes_before_anything_was_measured_is_no_gain() -> None:
    tracker = RiskTracker(LIMITS, RiskState(day=at(0) // (DAY * 10**9), day_start_lamports=SOL, peak_lamports=SOL))
    tracker.moved(SOL)
    tracker.measured(2 * SOL, at(0))
    assert tracker.figures(at(0)).day_loss_lamports == 0
    assert tracker.state.peak_lamports == 2 * SOL


def test_taking_everything_out_locks_nothing() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(0))
    tracker.moved(-50 * SOL)
    tracker.measured(0, at(1))
    figures = tracker.figures(at(1))
    assert (figures.day_is_lost, figures.is_drawn_down, figures.peak_lamports) == (False, False, 0)


# ----------------------------------------------------------------------------------------------- streaks and rates


def test_losses_in_a_row_pause_entries_and_then_count_anew() -> None:
    here = told(losses_pause_seconds=60)
    for seconds in range(2):
        here.sale("filled", seconds, realised=-1)
    assert here.tracker.figures(at(2)).losses_until_ns == 0
    here.sale("filled", 2, realised=-1)
    figures = here.tracker.figures(at(2))
    assert (figures.losses_until_ns, figures.losses_in_a_row) == (at(62), 0)
    here.sale("filled", 63, realised=-1)
    figures = here.tracker.figures(at(63))
    assert (figures.losses_until_ns, figures.losses_in_a_row) == (at(62), 1)


def test_a_round_that_lost_nothing_ends_the_row() -> None:
    here = told()
    for realised in (-1, -1, 0, -1, -1, 5, -1, -1):
        here.sale("filled", realised=realised)
    assert here.tracker.figures(at(0)).losses_until_ns == 0
    assert here.tracker.figures(at(0)).losses_in_a_row == 2


@pytest.mark.parametrize("how", ["rejected", "denied", "unknown"])
def test_a_sale_that_did_not_happen_closes_no_round(how: str) -> None:
    """Live books tell the latest round of the pool beside whatever has happened, one that was closed before too."""
    here = told(breaker_failures=1_000)
    for _ in range(5):
        here.sale(how, realised=-1)
    assert here.tracker.figures(at(0)).losses_in_a_row == 0


def test_a_sale_of_a_part_and_a_buy_close_no_round() -> None:
    tracker = told().tracker
    left = round_of(-1, START_NS)
    buying, selling = order(1), order(2, TradeSide.SELL)
    tracker.ended(buying, outcome(buying, "filled", START_NS), left)
    tracker.ended(selling, outcome(selling, "filled", START_NS), None)
    assert tracker.figures(START_NS).losses_in_a_row == 0


def test_entries_are_counted_in_windows_that_move() -> None:
    here = told(max_trades_per_minute=2, max_trades_per_hour=3, max_trades_per_day=4)
    tracker = here.tracker
    for seconds in (0, 10, 60, 3_599):
        here.enter(seconds)
    assert tracker.figures(at(3_599)).entries == (1, 4, 4)
    assert tracker.figures(at(3_600)).entries == (1, 3, 4)
    assert tracker.figures(at(3_600)).entries_until_ns == (0, at(3_610), at(DAY))
    assert tracker.figures(at(DAY)).entries == (0, 0, 3)
    assert tracker.figures(at(DAY)).entries_until_ns == (0, 0, 0)


def test_a_limit_that_was_lowered_since_waits_until_there_is_room() -> None:
    here = told()
    for seconds in (0, 10, 20):
        here.enter(seconds)
    lowered = RiskTracker(RiskLimits(max_trades_per_minute=1), here.tracker.state)
    figures = lowered.figures(at(21))
    assert (figures.entries[0], figures.entries_until_ns[0]) == (3, at(80))


def test_entries_of_more_than_a_day_ago_are_forgotten() -> None:
    here = told()
    here.enter(0)
    here.enter(DAY)
    assert here.tracker.state.entries_ns == (at(DAY),)


def test_an_entry_that_is_stamped_before_the_last_one_keeps_the_times_in_order() -> None:
    here = told()
    here.enter(10)
    here.enter(9)
    assert here.tracker.state.entries_ns == (at(10), at(10))


# ----------------------------------------------------------------------------------------------- who may change it


def test_faults_lower_the_state_and_never_raise_it() -> None:
    tracker = told().tracker
    assert tracker.fault("endpoint", "it is away")
    assert not tracker.fault("endpoint", "it is still away")
    assert tracker.fault("database", "the disk is full")
    assert tracker.trading == (TradingState.EXITS_ONLY, "database: the disk is full; endpoint: it is still away")
    tracker.set_trading(TradingState.HALTED, "by hand")
    assert tracker.trading == (TradingState.HALTED, "by hand")
    tracker.resume("seen")
    assert tracker.trading[0] is TradingState.EXITS_ONLY
    assert tracker.lift("endpoint")
    assert not tracker.lift("endpoint")
    assert tracker.lift("database")
    assert tracker.trading == (TradingState.ACTIVE, "seen")


def test_resuming_lifts_every_lock() -> None:
    here = opened()
    here.tracker.measured(50 * SOL, at(0))
    here.tracker.measured(30 * SOL, at(1))
    for _ in range(3):
        here.sale("filled", 1, realised=-1)
    here.tracker.resume("seen")
    figures = here.tracker.figures(at(2))
    assert figures.breaker is CLOSED
    assert (figures.failures_in_a_row, figures.losses_in_a_row, figures.losses_until_ns) == (0, 0, 0)
    assert (figures.day_is_lost, figures.is_drawn_down) == (False, False)
    assert (figures.day_start_lamports, figures.peak_lamports) == (30 * SOL, 30 * SOL)
    here.tracker.measured(27 * SOL, at(3))
    assert here.tracker.figures(at(3)).day_is_lost


def test_a_day_that_was_not_lost_goes_on_after_resuming() -> None:
    tracker = told().tracker
    tracker.measured(50 * SOL, at(0))
    tracker.measured(47 * SOL, at(1))
    tracker.resume("seen")
    assert tracker.figures(at(1)).day_loss_lamports == 3 * SOL


def test_resuming_right_after_a_restart_measures_from_the_next_look() -> None:
    here = told()
    here.tracker.measured(50 * SOL, at(0))
    here.tracker.measured(30 * SOL, at(1))
    after = here.restart(LIMITS).tracker
    after.resume("seen")
    after.measured(30 * SOL, at(2))
    figures = after.figures(at(2))
    assert (figures.day_is_lost, figures.is_drawn_down, figures.peak_lamports) == (False, False, 30 * SOL)
    assert figures.day_start_lamports == 30 * SOL


def test_a_pause_of_no_time_is_half_open_at_once() -> None:
    here = opened(breaker_seconds=0)
    assert breaker(here) is HALF_OPEN
    assert here.tracker.state.opened_ns == START_NS
    assert NS_PER_SECOND == 10**9
