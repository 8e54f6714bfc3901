"""Reports on schedule: one for each day and week that is over, never twice, and none is lost over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from pumpswap.app.companion import RunPlace
from pumpswap.app.reporting import Reporting, reporting
from pumpswap.app.written_reports import ReportKind, written_reports
from pumpswap.clock import ManualClock, parse_utc
from pumpswap.errors import StorageError
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run

DAILY, WEEKLY = ReportKind.DAILY, ReportKind.WEEKLY
BEGUN = "2026-11-18 10:00"  # a Wednesday


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "pumpswap.sqlite") as opened:
        yield opened


@pytest.fixture
def run(database: Database) -> Run:
    return database.start_run("paper", parse_utc(BEGUN), 1, {})


def settings_of(tmp_path: Path, zone: str = "UTC", **reports: Any) -> Settings:
    return Settings.model_validate({"data_dir": tmp_path, "reports": reports, "alerts": {"timezone": zone}})


def writer(settings: Settings, database: Database, run: Run, now: str) -> Reporting:
    return Reporting(settings, database, run, ManualClock(parse_utc(now)))


def names(settings: Settings, kind: ReportKind | None = None) -> list[str]:
    return sorted(one.path.name for one in written_reports(settings, kind))


def test_a_day_is_reported_on_the_day_after_at_its_time_and_once(tmp_path: Path, database: Database, run: Run) -> None:
    settings = settings_of(tmp_path)
    assert writer(settings, database, run, "2026-11-19 00:09").due() == []
    due = writer(settings, database, run, "2026-11-19 00:10")
    assert due.due() == [(DAILY, date(2026, 11, 18))]
    (path,) = due.write_due()
    assert path == tmp_path / "reports" / "daily-2026-11-18-run-1.html"
    assert path.parent.stat().st_mode & 0o077 == 0  # nobody else's business
    assert "Nothing was traded" in path.read_text()
    assert due.due() == []
    assert due.write_due() == []
    assert writer(settings, database, run, "2026-11-19 23:00").due() == []  # another process, after a restart


def test_it_is_written_beside_the_engines_own_thread(tmp_path: Path, database: Database, run: Run) -> None:
    settings = settings_of(tmp_path, weekly=False)
    asyncio.run(writer(settings, database, run, "2026-11-20 08:00").look())
    assert names(settings) == ["daily-2026-11-18-run-1.html", "daily-2026-11-19-run-1.html"]


def test_a_week_is_reported_on_its_monday(tmp_path: Path, database: Database, run: Run) -> None:
    settings = settings_of(tmp_path, daily=False)
    assert writer(settings, database, run, "2026-11-22 23:59").due() == []
    assert writer(settings, database, run, "2026-11-23 00:09").due() == []
    monday = writer(settings, database, run, "2026-11-23 00:10")
    assert monday.due() == [(WEEKLY, date(2026, 11, 16))]
    assert [path.name for path in monday.write_due()] == ["weekly-2026-W47-run-1.html"]
    assert writer(settings, database, run, "2026-11-29 12:00").due() == []


def test_what_was_missed_is_caught_up_with_and_nothing_before_the_run(
    tmp_path: Path, database: Database, run: Run
) -> None:
    settings = settings_of(tmp_path)
    late = writer(settings, database, run, "2026-12-02 08:00")
    days = [day for kind, day in late.due() if kind is DAILY]
    assert days == [date(2026, 11, number) for number in range(18, 31)] + [date(2026, 12, 1)]
    assert [day for kind, day in late.due() if kind is WEEKLY] == [date(2026, 11, 16), date(2026, 11, 23)]
    far = writer(settings, database, run, "2027-06-01 08:00").due()
    assert len([day for kind, day in far if kind is DAILY]) == 14
    assert len([day for kind, day in far if kind is WEEKLY]) == 4


def test_an_end_in_the_middle_goes_on_where_it_was(
    tmp_path: Path, database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, weekly=False)
    broken = writer(settings, database, run, "2026-11-21 08:00")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "daily-2026-11-19-run-1.html").mkdir()  # where the second one should go
    with pytest.raises(StorageError, match=r"daily-2026-11-19-run-1.html cannot be written"):
        broken.write_due()
    (tmp_path / "reports" / "daily-2026-11-19-run-1.html").rmdir()
    again = writer(settings, database, run, "2026-11-21 08:01")
    assert [day.day for _, day in again.due()] == [19, 20]
    again.write_due()
    assert names(settings) == [f"daily-2026-11-{day}-run-1.html" for day in (18, 19, 20)]


def test_days_begin_at_midnight_of_the_zone(tmp_path: Path, database: Database, run: Run) -> None:
    berlin = settings_of(tmp_path, zone="Europe/Berlin", weekly=False)
    assert writer(berlin, database, run, "2026-11-18 23:09").due() == []
    assert writer(berlin, database, run, "2026-11-18 23:10").due() == [(DAILY, date(2026, 11, 18))]


def test_so_many_are_kept_of_each_kind_the_newest_times(tmp_path: Path, database: Database, run: Run) -> None:
    settings = settings_of(tmp_path, keep=2)
    other = tmp_path / "reports" / "mine.html"
    other.parent.mkdir()
    other.write_text("not ours")
    writer(settings, database, run, "2026-11-24 08:00").write_due()
    assert names(settings, DAILY) == ["daily-2026-11-22-run-1.html", "daily-2026-11-23-run-1.html"]
    assert names(settings, WEEKLY) == ["weekly-2026-W47-run-1.html"]
    assert other.exists()


def test_each_run_has_reports_of_its_own(tmp_path: Path, database: Database, run: Run) -> None:
    settings = settings_of(tmp_path, weekly=False)
    second = database.start_run("live", parse_utc("2026-11-20 10:00"), None, {}, wallet="W", network="n")
    for each in (run, second):
        writer(settings, database, each, "2026-11-21 00:30").write_due()
    assert names(settings)[-2:] == ["daily-2026-11-20-run-1.html", "daily-2026-11-20-run-2.html"]


def test_a_market_with_a_time_of_its_own_has_no_days(tmp_path: Path, database: Database, run: Run) -> None:
    def place(*, is_played: bool, **reports: Any) -> RunPlace:
        settings = settings_of(tmp_path, **reports)
        engine = cast("Any", None)  # nothing of it is asked
        return RunPlace(settings, database, run, engine, ManualClock(parse_utc(BEGUN)), lambda do: None, is_played)

    assert [helper.name for helper in reporting(place(is_played=False)).helpers] == ["reports"]
    assert reporting(place(is_played=True)).helpers == ()
    assert reporting(place(is_played=False, daily=False, weekly=False)).helpers == ()


def test_only_files_with_our_names_are_reports(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert written_reports(settings) == []
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in (
        "daily-2026-11-20-run-1.html", "weekly-2026-W47-run-12.html", "report-all-run-3.html",
        "report-2026-11-run-3.html",
        "demo-4.html", "index.html", "daily-2026-11-20-run-1.html.part", ".daily-2026-11-20-run-1.html.9.part",
        "daily-x-run-1.html", "<script>-1.html",
    ):  # fmt: skip
        (folder / name).write_text("page")
    (folder / "weekly-2026-W48-run-1.html").symlink_to("/etc/passwd")
    found = {(one.kind, one.of, one.run_id) for one in written_reports(settings)}
    assert found == {
        (DAILY, "2026-11-20", 1), (WEEKLY, "2026-W47", 12), (ReportKind.ASKED, "all", 3),
        (ReportKind.ASKED, "2026-11", 3), (ReportKind.RUN, "demo", 4),
    }  # fmt: skip
    assert all(one.size_bytes == 4 for one in written_reports(settings))
