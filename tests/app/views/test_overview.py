"""What the overview says of the money: of the day without what was put in or taken out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.app.books import Books
from pumpswap.app.views.overview import Money, frame_view, overview
from pumpswap.app.views.sight import Sight
from pumpswap.clock import ManualClock
from pumpswap.model import SOL, Alert, AlertLevel, EntryKind, EquityPoint, LedgerEntry, Position
from pumpswap.settings import Settings
from pumpswap.storage import Database, open_database
from tests.support.statements import statements_of

ONE = 10**9
HOUR_NS = 3_600 * ONE
DAY_NS = 24 * HOUR_NS
MIDNIGHT = 20_000 * DAY_NS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "books.sqlite") as opened:
        yield opened


def money(database: Database, deposits: list[tuple[int, int]], equity: list[tuple[int, int]]) -> Money:
    """Of a run with these deposits and measurements: hours after midnight, and SOL."""
    run = database.start_run("simulated", MIDNIGHT, 7, {})
    entries = [
        LedgerEntry(number, MIDNIGHT + hour * HOUR_NS, SOL, sol * ONE, EntryKind.DEPOSIT, 1)
        for number, (hour, sol) in enumerate(deposits, 1)
    ]
    run.append_entries(entries)
    for hour, sol in equity:
        run.equity.add(EquityPoint(MIDNIGHT + hour * HOUR_NS, sol * ONE, 0, 0))
    sight = Sight(Books(database, run, run.header()), Settings(), ManualClock())
    return overview(sight).money


def test_what_was_put_in_at_midnight_counts_once(database: Database) -> None:
    seen = money(database, [(0, 50)], [(0, 50), (3, 49)])
    assert (seen.capital_lamports, seen.pnl_lamports, seen.day_pnl_lamports) == (50 * ONE, -ONE, -ONE)


def test_the_day_begins_with_the_equity_of_midnight_and_leaves_deposits_out(database: Database) -> None:
    seen = money(database, [(-30, 50), (2, 10)], [(-30, 50), (-1, 45), (1, 44), (3, 56)])
    assert seen.equity_lamports == 56 * ONE
    assert seen.pnl_lamports == -4 * ONE
    assert seen.day_pnl_lamports == 1 * ONE  # 45 at midnight, 10 put in, 56 now


def test_books_that_began_today_began_with_what_was_put_in(database: Database) -> None:
    seen = money(database, [(1, 50)], [(1, 50), (3, 53)])
    assert (seen.pnl_lamports, seen.day_pnl_lamports) == (3 * ONE, 3 * ONE)


def test_without_a_measurement_nothing_is_claimed(database: Database) -> None:
    seen = money(database, [(1, 50)], [])
    assert (seen.equity_lamports, seen.pnl_lamports, seen.day_pnl_lamports) == (None, None, None)


def test_what_was_put_in_is_what_was_known_when_equity_was_measured(database: Database) -> None:
    """A deposit is in the ledger already, and not in the measurement of before: it is no loss until the next one."""
    run = database.start_run("simulated", MIDNIGHT, 7, {})
    run.append_entries(
        [LedgerEntry(number, MIDNIGHT + number * HOUR_NS, SOL, 50 * ONE, EntryKind.DEPOSIT, 1) for number in (1, 2)]
    )
    for hour, sol, put_in in ((-30, 50, 50), (-1, 45, 50), (1, 44, 50), (2, 46, 50)):
        run.equity.add(EquityPoint(MIDNIGHT + hour * HOUR_NS, sol * ONE, 0, 0, put_in * ONE))
    sight = Sight(Books(database, run, run.header()), Settings(), ManualClock())
    seen = overview(sight).money
    assert (seen.capital_lamports, seen.pnl_lamports, seen.day_pnl_lamports) == (50 * ONE, -4 * ONE, ONE)
    run.equity.add(EquityPoint(MIDNIGHT + 3 * HOUR_NS, 97 * ONE, 0, 0, 100 * ONE))
    seen = overview(Sight(sight.books, Settings(), ManualClock())).money
    assert (seen.pnl_lamports, seen.day_pnl_lamports) == (-3 * ONE, 2 * ONE)


def test_books_that_began_today_have_earned_today_what_they_have_earned(database: Database) -> None:
    run = database.start_run("simulated", MIDNIGHT, 7, {})
    run.equity.add(EquityPoint(MIDNIGHT + HOUR_NS, 53 * ONE, 0, 0, 50 * ONE))
    seen = overview(Sight(Books(database, run, run.header()), Settings(), ManualClock())).money
    assert seen.pnl_lamports == seen.day_pnl_lamports == 3 * ONE


def test_the_frame_says_what_the_overview_says(database: Database) -> None:
    money(database, [(-30, 50), (2, 10)], [(-30, 50), (-1, 45), (1, 44), (3, 56)])
    (header,) = database.runs()
    run = database.run(header.run_id)
    database.alerts.add(Alert(5, AlertLevel.ERROR, "order", "C", "no"), run.run_id)
    run.save_position(Position("Pool", "Mint", 1, 5, 7, 8, 8, last_trade_ns=5))
    sight = Sight(Books(database, run, header), Settings(), ManualClock())
    frame, whole = frame_view(sight), overview(sight)
    assert (frame.run, frame.others, frame.as_of_ns) == (whole.run, whole.others, whole.as_of_ns)
    assert (frame.trading, frame.positions) == (whole.trading, whole.positions)
    assert frame.positions.open == 1
    assert frame.money.equity_lamports == whole.money.equity_lamports == 56 * ONE
    assert frame.money.day_pnl_lamports == whole.money.day_pnl_lamports == ONE
    assert (frame.proposals, frame.unseen_alerts) == (whole.proposals, whole.unseen_alerts) == (0, {"error": 1})


def test_a_frame_asks_neither_for_a_curve_nor_for_what_a_day_has_moved(database: Database) -> None:
    money(database, [(-30, 50)], [(-30, 50), (1, 44)])
    (header,) = database.runs()
    sight = Sight(Books(database, database.run(header.run_id), header), Settings(), ManualClock())
    with statements_of(database) as seen:
        frame_view(sight)
    asked = " ".join(one.sql for one in seen)
    assert "ticks" not in asked and "pumpswap_decisions" not in asked
    assert not [one for one in seen if "pumpswap_ledger" in one.sql and "GROUP BY" in one.sql]
