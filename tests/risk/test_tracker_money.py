"""What money and people do to what risk remembers: the day, the drawdown, streaks, rates, faults, resuming."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pumpswap.model import RiskState, TradeSide, TradingState
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from tests.risk.happenings import order, outcome, round_of
from tests.risk.test_tracker import CLOSED, DAY, HALF_OPEN, LIMITS, breaker, opened, told
from tests.support.market import SOL, START_NS, at
from tests.support.switching import switched

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


def test_a_withdrawal_is_judged_by_the_equity_just_before_it() -> None:
    """What was lost since the last measurement is a tenth of all, not half of the little that is left."""
    tracker = told(max_drawdown_fraction=Decimal("0.2"), max_daily_loss_fraction=Decimal("0.2")).tracker
    tracker.measured(100 * SOL, at(0))
    tracker.moved(-80 * SOL, 90 * SOL)
    tracker.measured(10 * SOL, at(1))
    figures = tracker.figures(at(1))
    assert (figures.day_is_lost, figures.is_drawn_down) == (False, False)
    assert figures.drawdown_lamports == pytest.approx(10 * SOL / 9, abs=2)


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
    switched(tracker, TradingState.HALTED, "by hand")
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
