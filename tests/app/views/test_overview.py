"""What the overview says of the money: of the day without what was put in or taken out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.app.books import Books
from pumpswap.app.views.overview import Money, overview
from pumpswap.app.views.sight import Sight
from pumpswap.clock import ManualClock
from pumpswap.model import SOL, EntryKind, EquityPoint, LedgerEntry
from pumpswap.settings import Settings
from pumpswap.storage import Database, open_database

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
