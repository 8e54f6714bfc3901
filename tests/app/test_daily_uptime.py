"""The uptime in the summary of a day: a day in which the engine was dead is none in which it was able."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from pumpswap.alerts.daily import day_bounds
from pumpswap.app.daily_summary import day_summary
from pumpswap.model import Spell
from pumpswap.storage.database import open_database
from tests.support.market import START_NS, at

HOUR = 3_600


def test_what_was_missing_over_midnight_counts_on_both_days(tmp_path: Path) -> None:
    with open_database(tmp_path / "x.sqlite") as database:
        run = database.start_run("paper", START_NS)
        run.spells.save(Spell(1, at(0), at(6 * HOUR), is_able=True))  # killed then, and back on the next day
        run.spells.save(Spell(2, at(30 * HOUR), at(48 * HOUR), is_able=True))
        days = [date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 5)]
        able = [day_summary(database, run, day, day_bounds(day, ZoneInfo("UTC"))).able for day in days]
    assert able == [Fraction(6, 24), Fraction(18, 24), None]
