"""Daily and weekly reports, written beside a running engine: one for each day and week that is over.

What was written is remembered in the database, so a restart repeats nothing and catches up with what it has missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pumpswap.alerts.daily import due_day
from pumpswap.app.books import Books
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.app.report_time import Period, period_of, period_time
from pumpswap.app.reports import report_of, write_report_page
from pumpswap.app.written_reports import ReportKind, report_path, written_reports
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.errand import Errand
from pumpswap.errors import StorageError
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["Reporting", "reporting"]

_LOOK_SECONDS = 60.0
_MOST_DAYS, _MOST_WEEKS = 14, 4  # that are caught up with after a long rest
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


class Reporting:
    """Of one run. ``clock`` is the machine's time. ``write_due`` may take seconds: not for the engine's own thread."""

    def __init__(self, settings: Settings, database: Database, run: Run, clock: Clock) -> None:
        self._settings, self._database, self._run, self._clock = settings, database, run, clock
        self._zone = ZoneInfo(settings.alerts.timezone)
        self._name = f"reports of run {run.run_id}"

    async def look(self) -> None:
        """Write what is due, beside the engine's own thread."""
        await asyncio.to_thread(self.write_due)

    def due(self) -> list[tuple[ReportKind, date]]:
        """What is to be written: a kind and the first day of its time, the oldest first."""
        wished = self._settings.reports
        over = due_day(self._clock.now_ns(), wished.write_at, self._zone)
        begun = self._begun()
        found: list[tuple[ReportKind, date]] = []
        if wished.daily:
            first = max(begun, over - (_MOST_DAYS - 1) * _DAY, self._after(ReportKind.DAILY, _DAY))
            found += [(ReportKind.DAILY, day) for day in _each(first, over, _DAY)]
        if wished.weekly:
            last = _monday(over + _DAY) - _WEEK  # of the newest week that is over
            first = max(_monday(begun), last - (_MOST_WEEKS - 1) * _WEEK, self._after(ReportKind.WEEKLY, _WEEK))
            found += [(ReportKind.WEEKLY, day) for day in _each(first, last, _WEEK)]
        return found

    def write_due(self) -> list[Path]:
        """Write them, remember each, and remove what is too old; the files that were written.

        Raises StorageError where a file cannot be written: what is written by then is remembered.
        """
        written = []
        for kind, day in self.due():
            written.append(self._write(kind, day))
            self._remember(kind, day)
            self._remove_old(kind)
        return written

    def _write(self, kind: ReportKind, day: date) -> Path:
        books = Books(self._database, self._run, self._run.header())
        period = Period.WEEK if kind is ReportKind.WEEKLY else Period.DAY
        time = period_time(books, period, self._settings.alerts.timezone, self._clock.now_ns(), day)
        sheet = report_of(books, self._settings, time)
        path = report_path(self._settings, kind, time.of, self._run.run_id)
        try:
            # As the database: what somebody owns is nobody else's business.
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return write_report_page(path, sheet)
        except OSError as error:
            raise StorageError(
                f"the report {path.name} cannot be written: {error.strerror}",
                hint=f"check the disk and the rights of {path.parent}",
            ) from None

    def _remember(self, kind: ReportKind, day: date) -> None:
        known = self._database.memory.load(self._name) or {}
        self._database.memory.save(self._name, known | {kind.value: day.isoformat()}, self._clock.now_ns())

    def _remove_old(self, kind: ReportKind) -> None:
        """Those of the oldest times go first, whenever they were written."""
        there = sorted(written_reports(self._settings, kind), key=lambda one: (one.of, one.run_id), reverse=True)
        for one in there[self._settings.reports.keep :]:
            one.path.unlink(missing_ok=True)

    def _after(self, kind: ReportKind, step: timedelta) -> date:
        """The first day of what comes after the last one that was written."""
        last = (self._database.memory.load(self._name) or {}).get(kind.value)
        return date.min if last is None else date.fromisoformat(str(last)) + step

    def _begun(self) -> date:
        started = datetime.fromtimestamp(self._run.header().started_ns // NS_PER_SECOND, UTC)
        return started.astimezone(self._zone).date()


def reporting(place: RunPlace) -> Companions:
    """Daily and weekly reports; none of a market with a time of its own, whose days are not ours."""
    wished = place.settings.reports
    if place.is_played or not (wished.daily or wished.weekly):
        return Companions()
    writer = Reporting(place.settings, place.database, place.run, place.wall)
    return Companions(helpers=[Errand("reports", _LOOK_SECONDS, writer.look, FeedTools(clock=place.wall))])


def _each(first: date, last: date, step: timedelta) -> Iterator[date]:
    while first <= last:
        yield first
        first += step


def _monday(day: date) -> date:
    return period_of(Period.WEEK, day)[0]
