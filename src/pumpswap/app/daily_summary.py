"""The summary of each day that is over, told once: gathered from the stored books, beside the running engine."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

from pumpswap.alerts.daily import DaySummary, day_bounds, due_day, summary_text
from pumpswap.alerts.rules.rule import RuleContext
from pumpswap.analytics.uptime import uptime_of
from pumpswap.clock import Clock
from pumpswap.model import AlertLevel
from pumpswap.sdk.performance import performance_of_run
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["DailySummaries", "day_summary"]

_KEPT = "alerts/daily summary"


class DailySummaries:
    """``look`` is called now and then, in the engine's loop. ``clock`` is the market's time: days of a played market
    are its own.
    """

    def __init__(self, context: RuleContext, database: Database, run: Run, settings: Settings, clock: Clock) -> None:
        self._context, self._database, self._run, self._clock = context, database, run, clock
        self._at = settings.alert_rules.daily_summary_at
        self._zone = ZoneInfo(settings.alerts.timezone)
        kept = context.recall(_KEPT)
        self._told = None if kept is None else date.fromisoformat(str(kept["day"]))
        self._started_ns = run.header().started_ns

    async def look(self) -> None:
        """Tell of the newest day that is over, if nobody has. Of days in which nothing ran only that one."""
        if self._at is None:
            return
        day = due_day(self._clock.now_ns(), self._at, self._zone)
        since_ns, until_ns = day_bounds(day, self._zone)
        if (self._told is not None and day <= self._told) or self._started_ns >= until_ns:
            return
        summary = await asyncio.to_thread(day_summary, self._database, self._run, day, (since_ns, until_ns))
        self._told = day
        self._context.tell(AlertLevel.INFO, "daily summary", "", summary_text(summary))
        self._context.keep(_KEPT, {"day": day.isoformat()})


def day_summary(database: Database, run: Run, day: date, bounds: tuple[int, int]) -> DaySummary:
    """Of the stored books, the figures that a report of the same day has; ``bounds`` are its beginning and end. Alerts
    are of the whole database: the day is its owner's, not that of one run. Raises StorageError, LedgerMismatch.
    """
    since_ns, until_ns = bounds
    found = performance_of_run(run, since_ns, until_ns)
    accepted, refused, refused_by = _decisions(run, since_ns, until_ns)
    # One measurement alone, of this day or of before, says nothing of what the day has changed.
    before, after = (found.curve[0], found.curve[-1]) if len(found.curve) > 1 else (None, None)
    put_in = 0
    if before is not None and after is not None:
        change = found.money.equity_change_lamports or 0
        put_in = after.equity_lamports - before.equity_lamports - change
    return DaySummary(
        day=day,
        buys=found.activity.buys,
        sales=found.activity.sells,
        realised_lamports=found.money.realised_lamports,
        equity_before_lamports=None if before is None else before.equity_lamports,
        equity_lamports=None if after is None else after.equity_lamports,
        put_in_lamports=put_in,
        costs={kind: lamports for kind, lamports in found.costs.items() if lamports},
        accepted=accepted,
        refused=refused,
        refused_by=refused_by,
        alerts=database.alerts.counted(since_ns, until_ns),
        able=_able(run, since_ns, until_ns),
        positions=sum(1 for _ in run.open_positions()),
    )


def _decisions(run: Run, since_ns: int, until_ns: int) -> tuple[int, int, dict[str, int]]:
    """Accepted, refused, and refusals by policy. A refusal that was repeated over midnight counts where it began."""
    refused, by = 0, Counter[str]()
    for policies, times in run.decided.refusing(since_ns, until_ns):
        refused += times
        for policy in policies:
            by[policy] += times
    return run.decided.accepted(since_ns, until_ns), refused, dict(by)


def _able(run: Run, since_ns: int, until_ns: int) -> Fraction | None:
    """The share of the time that its owner wished it to trade in which it could buy; in the machine's time."""
    # All spells, not the day's: a process that died the day before was missing until the next one began.
    uptime = uptime_of(run.spells.since(0), within=(since_ns, until_ns))
    return Fraction(uptime.able_ns, uptime.wanted_ns) if uptime.wanted_ns else None
