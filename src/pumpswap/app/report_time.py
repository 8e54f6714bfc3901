"""The times that reports are about: a day, a week, a month of somebody's calendar, or all of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pumpswap.analytics.tear_sheet import Time
from pumpswap.app.books import Books
from pumpswap.clock import NS_PER_SECOND, datetime_ns, format_utc
from pumpswap.errors import UsageError

__all__ = ["Period", "period_of", "period_time"]


_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # where every day has one before and one after it, in every zone


class Period(StrEnum):
    """How long; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


def period_time(books: Books, period: Period, zone: str, as_of_ns: int, on: date | None = None) -> Time:
    """The period with that date, or with ``as_of_ns``, which is where it ends at the latest.

    Days begin at midnight of the zone. All of a run begins with its first entry: a run that was played has a time of
    its own. Raises UsageError for a time that has not begun, and for a year that no run can be of.
    """
    if period is Period.ALL:
        first = next(books.run.ledger(), None)
        since_ns = min(books.header.started_ns if first is None else first.at_ns, as_of_ns)
        over = books.header.finished_ns is not None
        return Time(since_ns, as_of_ns + 1, period.value, "from its beginning", zone, over, "all")
    place = ZoneInfo(zone)
    if on is not None and not _FIRST_YEAR <= on.year <= _LAST_YEAR:
        raise UsageError(
            f"there are no reports of the year {on.year}", hint=f"a day between {_FIRST_YEAR} and {_LAST_YEAR}"
        )
    day = on or datetime.fromtimestamp(as_of_ns // NS_PER_SECOND, place).date()
    first_day, beyond, of, name = period_of(period, day)
    since_ns, end_ns = _midnight(first_day, place), _midnight(beyond, place)
    is_over = end_ns <= as_of_ns or books.header.finished_ns is not None
    if since_ns > as_of_ns:
        raise UsageError(f"{name} has not begun", hint=f"the books end at {format_utc(as_of_ns)} UTC")
    return Time(since_ns, min(end_ns, as_of_ns + 1), period.value, name, zone, is_over, of)


def period_of(period: Period, day: date) -> tuple[date, date, str, str]:
    """(first day, the day after the last, ``2026-W48``, the same for people) of the period with a day."""
    match period:
        case Period.WEEK:
            first = day - timedelta(days=day.weekday())
            year, week, _ = day.isocalendar()
            return first, first + timedelta(days=7), f"{year}-W{week:02d}", f"the week from {first.isoformat()}"
        case Period.MONTH:
            first = day.replace(day=1)
            beyond = (first + timedelta(days=32)).replace(day=1)
            return first, beyond, f"{first:%Y-%m}", f"{first:%B %Y}"
        case _:
            return day, day + timedelta(days=1), day.isoformat(), day.isoformat()


def _midnight(day: date, place: ZoneInfo) -> int:
    """When a day begins there: where clocks jump over midnight, the first moment after it."""
    return datetime_ns(datetime.combine(day, time(), place).astimezone(UTC))
