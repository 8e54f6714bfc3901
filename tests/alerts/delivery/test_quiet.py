"""Quiet hours: over midnight, where clocks are changed, and in any zone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from pumpswap.alerts.delivery.quiet import QuietHours
from pumpswap.clock import NS_PER_SECOND, parse_utc
from tests.alerts.delivery.samples import settings_of

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)


def over(hours: QuietHours, utc: str) -> str | None:
    found = hours.over_ns(parse_utc(utc))
    return None if found is None else datetime.fromtimestamp(found // NS_PER_SECOND, UTC).strftime("%m-%d %H:%M")


def test_a_night_goes_over_midnight() -> None:
    assert over(NIGHT, "2026-06-10T19:59:59") is None  # 21:59:59 in Berlin
    assert over(NIGHT, "2026-06-10T20:00") == "06-11 05:00"
    assert over(NIGHT, "2026-06-11T04:59:59") == "06-11 05:00"
    assert over(NIGHT, "2026-06-11T05:00") is None


def test_hours_of_one_day() -> None:
    noon = QuietHours(time(12), time(13, 30), ZoneInfo("UTC"))
    assert over(noon, "2026-06-10T11:59") is None
    assert over(noon, "2026-06-10T12:00") == "06-10 13:30"
    assert over(noon, "2026-06-10T13:30") is None


def test_the_night_in_which_clocks_go_forward_is_an_hour_shorter() -> None:
    # 2026-03-29: 02:00 becomes 03:00 in Berlin; the night ends at 07:00 there, which is 05:00 UTC.
    assert over(NIGHT, "2026-03-28T21:00") == "03-29 05:00"
    assert over(NIGHT, "2026-03-29T05:00") is None


def test_the_night_in_which_clocks_go_back_is_an_hour_longer() -> None:
    # 2026-10-25: 03:00 becomes 02:00 in Berlin; 07:00 there is 06:00 UTC.
    assert over(NIGHT, "2026-10-24T20:00") == "10-25 06:00"
    assert over(NIGHT, "2026-10-25T05:59") == "10-25 06:00"
    assert over(NIGHT, "2026-10-25T06:00") is None


def test_an_hour_that_the_clock_shows_twice_is_quiet_once() -> None:
    short = QuietHours(time(22), time(2, 30), BERLIN)
    assert over(short, "2026-10-25T00:29") == "10-25 00:30"  # 02:29, the first time
    assert over(short, "2026-10-25T00:30") is None
    assert over(short, "2026-10-25T01:15") is None  # 02:15, the second time: the night is over


def test_hours_that_the_clock_does_not_show_are_none() -> None:
    skipped = QuietHours(time(2, 15), time(2, 45), BERLIN)
    assert over(skipped, "2026-03-28T01:20") == "03-28 01:45"
    assert over(skipped, "2026-03-29T01:20") == "03-29 01:45"  # as if the clock had not been changed yet


def test_equal_times_are_refused_since_somebody_means_none_by_them() -> None:
    with pytest.raises(ValidationError, match="both 00:00, and it would be quiet for ever: leave both out"):
        settings_of(quiet_from="00:00", quiet_until="00:00")


def test_no_hours_where_none_are_set() -> None:
    assert QuietHours.of(settings_of()) is None
    hours = QuietHours.of(settings_of(quiet_from="23:15", quiet_until="06:00", timezone="Asia/Tokyo"))
    assert hours == QuietHours(time(23, 15), time(6), ZoneInfo("Asia/Tokyo"))


@given(
    begins=st.times(timezones=st.none()),
    ends=st.times(timezones=st.none()),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    now_ns=st.integers(parse_utc("2024-01-01"), parse_utc("2030-01-01")),
)
def test_quiet_hours_end_within_a_day_and_are_over_then(begins: time, ends: time, zone: str, now_ns: int) -> None:
    begins, ends = (each.replace(second=0, microsecond=0) for each in (begins, ends))
    assume(begins != ends)
    hours = QuietHours(begins, ends, ZoneInfo(zone))
    found = hours.over_ns(now_ns)
    if found is not None:
        assert 0 < found - now_ns <= timedelta(hours=25) // timedelta(microseconds=1) * 1_000
        assert hours.over_ns(found) is None
