"""Reports of stored books: their figures are the ledger's, their times are the calendar's, their dollars the rows'."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pumpswap.analytics.tear_sheet import TearSheet, sheet_json
from pumpswap.app.books import Books, chosen_books
from pumpswap.app.report_tables import report_tables
from pumpswap.app.report_time import Period, period_of, period_time
from pumpswap.app.reports import report_of
from pumpswap.app.sol_price import SolPrice, sol_price
from pumpswap.clock import parse_utc
from pumpswap.errors import UsageError
from pumpswap.model import SOL, EntryKind
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from tests.cli.books_of import demo_in
from tests.support.snapshot_rows import CollectorFile

DAY_NS = 86_400 * 10**9
NOW = parse_utc("2026-11-25 14:00")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo_in(folder)
    return folder


@pytest.fixture
def books(folder: Path) -> Iterator[Books]:
    with open_database(folder / "pumpswap.sqlite") as database:
        found = chosen_books(database)
        assert found is not None
        yield found


def whole(books: Books, **reports: Any) -> TearSheet:
    settings = Settings.model_validate({"reports": reports})
    last = books.run.books.last()
    assert last is not None
    return report_of(books, settings, period_time(books, Period.ALL, "UTC", last.at_ns))


def test_the_figures_are_the_ledgers_to_the_lamport(books: Books) -> None:
    figures = sheet_json(whole(books))
    totals = books.run.books.totals()
    for kind in (EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.CREATOR_FEE, EntryKind.NETWORK_FEE):
        assert figures["costs_lamports"][kind.value] == str(-totals.get((SOL, kind), 0)), kind
    assert figures["money"]["unexplained_lamports"] == "0"
    realised = sum(position.realised_lamports for position in books.run.positions())
    assert int(figures["money"]["realised_lamports"]) == realised
    for parts in ("by_strategy", "by_exit", "by_token"):
        assert sum(int(one["gain_lamports"]) for one in figures[parts]) == realised, parts
    assert sum(int(day["net_lamports"]) for day in figures["by_day"]) == int(figures["money"]["net_lamports"])
    put_in = totals[SOL, EntryKind.DEPOSIT]
    assert int(figures["money"]["equity_change_lamports"]) == int(figures["money"]["equity_lamports"]) - put_in


def test_execution_and_scores_are_those_of_the_orders(books: Books) -> None:
    sheet = whole(books)
    orders, trades = list(books.run.orders()), list(books.run.trades())
    assert sheet.execution.fills == len(trades)
    assert sheet.execution.failed == len(orders) - len(trades)
    closed = [position for position in books.run.positions() if not position.is_open]
    assert sum(band.rounds for band in sheet.bands) == len(closed) > 0
    assert sum(band.gain_lamports for band in sheet.bands) == sum(one.realised_lamports for one in closed)


def test_prices_are_drawn_around_our_trades_and_open_positions_have_their_marks(books: Books) -> None:
    sheet = whole(books)
    assert 1 <= len(sheet.prices) <= 6
    gains = [abs(path.gain_lamports) for path in sheet.prices]
    assert gains == sorted(gains, reverse=True)
    for path in sheet.prices:
        assert path.fills
        assert path.points
    held = [(position.pool, position.round) for position in books.run.open_positions()]
    assert set(sheet.marks) <= set(held)


def test_a_report_of_a_part_has_only_what_happened_in_it(books: Books) -> None:
    last = books.run.books.last()
    assert last is not None
    whole_time = period_time(books, Period.ALL, "UTC", last.at_ns)
    middle = (whole_time.since_ns + whole_time.until_ns) // 2
    halves = [
        report_of(books, Settings(), type(whole_time)(since, until, "all", "half", "UTC", True, "all"))
        for since, until in ((whole_time.since_ns, middle), (middle, whole_time.until_ns))
    ]
    together = whole(books)
    assert sum(half.execution.fills for half in halves) == together.execution.fills
    nets = [half.performance.money.net_lamports for half in halves]
    assert sum(nets) == together.performance.money.net_lamports
    assert all(half.performance.money.unexplained_lamports == 0 for half in halves)


def test_tables_have_every_row(books: Books) -> None:
    sheet = whole(books)
    tables = {table.name: list(table.rows) for table in report_tables(books, sheet)}
    assert set(tables) == {"figures", "rounds", "trades", "days", "strategies", "exits", "tokens", "scores", "equity"}
    assert len(tables["rounds"]) == len(list(books.run.positions()))
    assert len(tables["trades"]) == len(list(books.run.trades()))
    figures = {row["figure"]: row["value"] for row in tables["figures"]}
    assert figures["money.net_lamports"] == sheet.performance.money.net_lamports
    assert sum(int(str(row["gain_lamports"])) for row in tables["exits"]) == int(
        str(figures["money.realised_lamports"])
    )


# ---------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("period", "day", "expected"),
    [
        (Period.DAY, date(2026, 11, 25), ("2026-11-25", "2026-11-26", "2026-11-25")),
        (Period.WEEK, date(2026, 11, 25), ("2026-11-23", "2026-11-30", "2026-W48")),
        (Period.WEEK, date(2026, 11, 23), ("2026-11-23", "2026-11-30", "2026-W48")),
        (Period.WEEK, date(2027, 1, 2), ("2026-12-28", "2027-01-04", "2026-W53")),
        (Period.MONTH, date(2026, 2, 28), ("2026-02-01", "2026-03-01", "2026-02")),
        (Period.MONTH, date(2026, 12, 31), ("2026-12-01", "2027-01-01", "2026-12")),
    ],
)
def test_periods_are_those_of_the_calendar(period: Period, day: date, expected: tuple[str, str, str]) -> None:
    first, beyond, of, name = period_of(period, day)
    assert (first.isoformat(), beyond.isoformat(), of) == expected
    assert name


@pytest.mark.parametrize(
    ("zone", "on", "since", "hours"),
    [
        ("UTC", date(2026, 11, 2), "2026-11-02 00:00", 24),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24 22:00", 25),  # clocks go back
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28 23:00", 23),  # and forward
        ("Asia/Kolkata", date(2026, 11, 2), "2026-11-01 18:30", 24),
    ],
)
def test_days_are_those_of_the_zone(books: Books, zone: str, on: date, since: str, hours: int) -> None:
    time = period_time(books, Period.DAY, zone, NOW, on)
    assert time.since_ns == parse_utc(since)
    assert time.until_ns - time.since_ns == hours * 3_600 * 10**9
    assert (time.of, time.is_over) == (on.isoformat(), True)


@pytest.mark.parametrize("period", [Period.DAY, Period.WEEK, Period.MONTH])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_ends_of_the_calendar_are_refused(books: Books, period: Period, zone: str) -> None:
    for day in (date.min, date(1969, 12, 31), date.max):
        with pytest.raises(UsageError, match=f"no reports of the year {day.year}"):
            period_time(books, period, zone, NOW, day)
    with pytest.raises(UsageError, match="has not begun"):
        period_time(books, period, zone, NOW, date(9998, 12, 31))
    assert period_time(books, period, zone, NOW, date(1970, 1, 1)).since_ns < 40 * DAY_NS


def test_a_time_that_goes_on_ends_now_and_one_that_has_not_begun_is_refused(books: Books) -> None:
    time = period_time(books, Period.WEEK, "UTC", NOW)
    assert (time.since_ns, time.until_ns) == (parse_utc("2026-11-23"), NOW + 1)
    with pytest.raises(UsageError, match="2026-11-26 has not begun"):
        period_time(books, Period.DAY, "UTC", NOW, date(2026, 11, 26))


# ---------------------------------------------------------------------------------------------- dollars


@pytest.fixture
def collected(tmp_path: Path) -> CollectorFile:
    return CollectorFile.made(tmp_path / "gecko.db")


def prices(file: CollectorFile, *of: tuple[str, str], at_ns: int = NOW) -> None:
    for number, (usd, native) in enumerate(of):
        file.add(
            f"Pool{number}", f"Mint{number}", at_ns, base_token_price_usd=usd, base_token_price_native_currency=native
        )


def told(file: CollectorFile | None, at_ns: int = NOW, database: Database | None = None, **reports: Any) -> SolPrice:
    run = {} if file is None else {"collector": str(file.path)}
    return sol_price(Settings.model_validate({"reports": reports, "run": run}), database, at_ns)


def test_the_settings_come_first(collected: CollectorFile) -> None:
    prices(collected, ("0.001", "0.00001"))
    assert told(collected, sol_usd="123.45") == SolPrice(Decimal("123.45"), "reports.sol_usd of the settings")


def test_a_price_in_dollars_over_one_in_sol_is_a_sol_and_outliers_move_nothing(collected: CollectorFile) -> None:
    prices(collected, ("0.0015", "0.00001"), ("3", "0.02"), ("0.000155", "0.000001"), ("9999", "0.0001"), ("1", "0"))
    found = told(collected)
    assert found.usd is not None
    assert Decimal(150) <= found.usd <= Decimal(155)
    assert (found.source, found.at_ns) == ("the collector's rows", NOW)


def test_rows_of_another_day_tell_nothing(collected: CollectorFile) -> None:
    prices(collected, ("0.0015", "0.00001"))
    assert told(collected, NOW + DAY_NS).usd == 150
    late = told(collected, NOW + DAY_NS + 10**9)
    assert late.usd is None
    assert "set reports.sol_usd" in late.source


@pytest.mark.parametrize("zone", ["", "+00:00", "-07:00"])
def test_the_rows_of_that_time_are_asked_and_not_the_newest_of_all(collected: CollectorFile, zone: str) -> None:
    then_ns = NOW - 7 * DAY_NS
    prices(collected, ("0.0012", "0.00001"), at_ns=then_ns)
    with sqlite3.connect(collected.path) as connection:
        connection.execute("UPDATE new_pools_history SET collected_at = replace(collected_at, ' ', 'T') || ?", [zone])
    connection.close()
    prices(collected, *[("0.0015", "0.00001")] * 300)
    assert told(collected, then_ns).usd == 120
    assert told(collected, NOW).usd == 150
    assert told(collected, NOW - 3 * DAY_NS).usd is None
    prices(collected, *[("0.0018", "0.00001")] * 300, at_ns=then_ns + 2 * DAY_NS)  # near, and not of that day
    assert told(collected, then_ns).usd == 120


def test_a_collector_that_cannot_be_read_is_said_and_no_reason_for_no_report(tmp_path: Path) -> None:
    missing = told(CollectorFile(tmp_path / "none.db"))
    assert missing.usd is None
    assert "none.db" in missing.source
    assert told(None).usd is None


def test_the_collector_may_share_the_database_of_the_books(collected: CollectorFile) -> None:
    prices(collected, ("0.0015", "0.00001"))
    with open_database(collected.path) as database:
        assert told(None, database=database).usd == 150


def test_books_without_a_collector_have_no_dollars(books: Books) -> None:
    sheet = whole(books)
    assert sheet.sol.usd is None
    assert "no price of SOL is known" in sheet.sol.source
    assert whole(books, sol_usd="150").sol.of(10**9) == Decimal("150.00")


def test_what_was_held_at_the_end_of_a_time_has_the_value_that_it_had_then(books: Books) -> None:
    last = books.run.books.last()
    assert last is not None
    whole_time = period_time(books, Period.ALL, "UTC", last.at_ns)
    held_then = 0
    for tenth in range(3, 10):
        until_ns = whole_time.since_ns + (whole_time.until_ns - whole_time.since_ns) * tenth // 10
        time = type(whole_time)(whole_time.since_ns, until_ns, "all", "part", "UTC", True, "all")
        found = report_of(books, Settings(), time).performance
        marks = [mark for mark in books.run.marks() if mark.at_ns < until_ns]
        for one in (each.round for each in found.by_position if each.round.is_open):
            newest = next(mark for mark in reversed(marks) if mark.pool == one.pool)
            assert newest.base_units == one.base_units
            assert one.value_lamports == (None if newest.obstacle else newest.value_lamports)
            held_then += 1
    assert held_then > 5
