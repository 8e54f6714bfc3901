"""When a day's summary is due, and how it reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.alerts.daily import DaySummary, day_bounds, due_day, summary_text
from pumpswap.model import AlertLevel, EntryKind
from tests.support.market import SOL

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
HOUR_NS = 3_600 * 10**9
DAY = date(2026, 11, 2)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("now", "at", "zone", "day"),
    [
        ("2026-11-03 00:04:59", "00:05", UTC_ZONE, date(2026, 11, 1)),
        ("2026-11-03 00:05:00", "00:05", UTC_ZONE, date(2026, 11, 2)),
        ("2026-11-03 23:59:59", "00:05", UTC_ZONE, date(2026, 11, 2)),
        ("2026-11-03 17:59:59", "18:00", UTC_ZONE, date(2026, 11, 1)),
        ("2026-11-02 23:05:00", "00:05", BERLIN, date(2026, 11, 2)),  # there it is the third already
        ("2026-11-02 23:04:59", "00:05", BERLIN, date(2026, 11, 1)),
        ("2026-03-29 01:30:00", "02:30", BERLIN, date(2026, 3, 28)),  # a time that this day does not have
    ],
)
def test_a_summary_is_due_on_the_day_after(now: str, at: str, zone: ZoneInfo, day: date) -> None:
    assert due_day(ns(now), at, zone) == day


def test_days_are_as_long_as_they_are_where_their_owner_lives() -> None:
    lengths = {
        day: (day_bounds(day, BERLIN)[1] - day_bounds(day, BERLIN)[0]) // HOUR_NS
        for day in (date(2026, 3, 29), date(2026, 10, 25), DAY)
    }
    assert list(lengths.values()) == [23, 25, 24]
    assert day_bounds(DAY, BERLIN)[0] == ns("2026-11-01 23:00:00")


@given(
    st.integers(0, 40 * 365 * 24 * 60), st.times(), st.sampled_from([UTC_ZONE, BERLIN, ZoneInfo("Australia/Lord_Howe")])
)
def test_a_day_that_is_due_is_over(minutes: int, at: time, zone: ZoneInfo) -> None:
    now = ns("2000-01-01 00:00:00") + minutes * 60 * 10**9
    day = due_day(now, f"{at:%H:%M}", zone)
    assert day_bounds(day, zone)[1] <= now
    assert day_bounds(day + timedelta(days=2), zone)[1] > now
    assert day_bounds(day, zone)[1] == day_bounds(day + timedelta(days=1), zone)[0]


def test_a_full_day_reads_well() -> None:
    summary = DaySummary(
        day=DAY,
        buys=12,
        sales=10,
        realised_lamports=70_000_000,
        equity_before_lamports=5 * SOL,
        equity_lamports=6_080_000_000,
        put_in_lamports=SOL,
        costs={EntryKind.LP_FEE: 3_000_000, EntryKind.PROTOCOL_FEE: 4_000_000, EntryKind.TIP: 0},
        accepted=22,
        refused=1_230,
        refused_by={"signal": 1_000, "size": 100, "price": 90, "impact": 40},
        alerts={AlertLevel.INFO: 9, AlertLevel.WARNING: 3, AlertLevel.CRITICAL: 1},
        able=Fraction(992, 1000),
        positions=2,
    )
    assert summary_text(summary) == (
        "2026-11-02: +0.08 SOL (+1.6 %) after all costs; equity 6.08 SOL, +1 SOL put in. 12 buys and 10 sales (sales "
        "realised +0.07 SOL), 2 positions open. Costs 0.007 SOL: protocol fee 0.004 SOL and lp fee 0.003 SOL. 1,230 of "
        "1,252 decisions were refusals, most by signal (1,000), size (100) and price (90). Able to buy 99.2 % of the "
        "time; alerts: 1 critical, 3 warning."
    )


def test_an_empty_day_reads_well_too() -> None:
    assert summary_text(DaySummary(DAY)) == (
        "2026-11-02: Equity was not measured. No trades, 0 positions open. Nothing was decided. No alert beyond info."
    )
    quiet = DaySummary(DAY, equity_before_lamports=5 * SOL, equity_lamports=4 * SOL, put_in_lamports=-SOL)
    assert summary_text(quiet).startswith("2026-11-02: 0 SOL (0 %) after all costs; equity 4 SOL, 1 SOL taken out. ")


def test_a_loss_has_a_true_minus() -> None:
    lost = DaySummary(DAY, equity_before_lamports=5 * SOL, equity_lamports=4 * SOL)
    assert lost.result_lamports == -SOL
    assert "−1 SOL (−20 %) after all costs" in summary_text(lost)
