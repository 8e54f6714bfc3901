"""From which alert on a channel is served: what a process tells while it opens is told, what was long ago is not."""

from __future__ import annotations

from pathlib import Path

from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.clock import ManualClock
from tests.alerts.delivery.desk import Desk
from tests.alerts.delivery.samples import CRITICAL, SECOND, START, settings_of

HOUR = 3_600 * SECOND


def opened(desk: Desk, file: Path | None = None) -> Dispatcher:
    """As a live run begins: its opening tells something before anybody is there to send it."""
    before = desk.database.alerts.newest_number()
    desk.tell("the wallet has less than the books", CRITICAL, "reconcile", "SOL")
    dispatcher = Dispatcher.of(desk.database, [desk.phone], settings_of(), desk.clock, file)
    dispatcher.begin(before)
    return dispatcher


def test_a_new_channel_hears_what_the_opening_has_told(desk: Desk, tmp_path: Path) -> None:
    desk.tell("of last week")
    file = tmp_path / "alerts.jsonl"
    desk.turn(opened(desk, file))
    assert desk.texts == ["SOL: the wallet has less than the books"]
    assert len(file.read_text().splitlines()) == 1


def test_a_channel_that_nobody_has_served_for_long_hears_what_the_opening_has_told(desk: Desk) -> None:
    desk.turn(desk.dispatcher())
    desk.tell("of last week")
    desk.clock.advance_to(START + 25 * HOUR)
    desk.turn(opened(desk))
    assert desk.texts == ["SOL: the wallet has less than the books"]


def test_a_channel_that_another_process_serves_is_told_nothing_twice(desk: Desk) -> None:
    first = desk.dispatcher()
    before = desk.database.alerts.newest_number()
    desk.tell("one")
    desk.turn(first)
    second = Dispatcher.of(desk.database, [desk.phone], settings_of(), desk.clock, None)
    second.begin(before)
    desk.turn(second)
    assert desk.texts == ["one"]


def test_a_clock_that_was_ahead_before_makes_nothing_be_skipped(desk: Desk) -> None:
    desk.turn(desk.dispatcher())
    desk.tell("in between")
    desk.clock = ManualClock(START - 48 * HOUR)
    desk.turn(desk.dispatcher())
    assert desk.texts == ["in between"]
