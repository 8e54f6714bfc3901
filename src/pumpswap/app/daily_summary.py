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
from pumpswap.execution.monitor import OWN_MONEY
from pumpswap.model import SOL, AlertLevel, EntryKind, EquityPoint, Spell, TradeSide
from pumpswap.sdk.realised import realised_since
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["DailySummaries", "day_summary"]

_KEPT = "alerts/daily summary"
_MOST_READ = 20_000  # decisions and alerts of a day
_COSTS = frozenset(
    {
        EntryKind.LP_FEE,
        EntryKind.PROTOCOL_FEE,
        EntryKind.CREATOR_FEE,
        EntryKind.CASHBACK,
        EntryKind.NETWORK_FEE,
        EntryKind.PRIORITY_FEE,
        EntryKind.TIP,
    }
)


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
    """Of the stored books; ``bounds`` are the day's beginning and end. Raises StorageError."""
    since_ns, until_ns = bounds
    trades = run.listings.trades(since_ns, until_ns)
    entries = [entry for entry in run.books.between(since_ns, until_ns) if entry.asset == SOL]
    costs: Counter[EntryKind] = Counter()
    for entry in entries:
        if entry.kind in _COSTS:
            costs[entry.kind] -= entry.units
    accepted, refused, refused_by = _decisions(run, since_ns, until_ns)
    before, after = _equity(run, since_ns, until_ns)
    # Money that was there before the first measurement is what the day began with, not what it was given.
    put_in = sum(e.units for e in entries if e.kind in OWN_MONEY and before is not None and e.at_ns > before.at_ns)
    return DaySummary(
        day=day,
        buys=sum(trade.side is TradeSide.BUY for trade in trades),
        sales=sum(trade.side is TradeSide.SELL for trade in trades),
        realised_lamports=realised_since(run, since_ns) - realised_since(run, until_ns),
        equity_before_lamports=None if before is None else before.equity_lamports,
        equity_lamports=None if after is None else after.equity_lamports,
        put_in_lamports=put_in,
        costs=dict(costs),
        accepted=accepted,
        refused=refused,
        refused_by=refused_by,
        alerts=_alerts(database, since_ns, until_ns),
        able=_able(run, since_ns, until_ns),
        positions=sum(1 for _ in run.open_positions()),
    )


def _decisions(run: Run, since_ns: int, until_ns: int) -> tuple[int, int, dict[str, int]]:
    """Accepted, refused, and refusals by policy. A refusal that was repeated over midnight counts where it began."""
    accepted = refused = 0
    by: Counter[str] = Counter()
    for stored in run.decided.since(since_ns, _MOST_READ):
        if not since_ns <= stored.decision.intent.at_ns < until_ns:
            continue
        if stored.decision.accepted:
            accepted += 1
            continue
        refused += 1 + stored.repeats
        for verdict in stored.decision.refusals:
            by[verdict.policy] += 1 + stored.repeats
    return accepted, refused, dict(by)


def _equity(run: Run, since_ns: int, until_ns: int) -> tuple[EquityPoint | None, EquityPoint | None]:
    """The first point of the day and the last one; nothing is measured while nothing runs."""
    first = last = None
    for point in run.equity.points(since_ns):
        if point.at_ns >= until_ns:
            break
        first, last = first or point, point
    return first, last


def _alerts(database: Database, since_ns: int, until_ns: int) -> dict[AlertLevel, int]:
    """Of the whole database: the day is its owner's, not that of one run."""
    counted: Counter[AlertLevel] = Counter()
    for alert in database.alerts.newest(_MOST_READ):
        if since_ns <= alert.at_ns < until_ns:
            counted[alert.level] += 1
    return dict(counted)


def _able(run: Run, since_ns: int, until_ns: int) -> Fraction | None:
    """The share of the time that its owner wished it to trade in which it could buy; in the machine's time."""
    clipped = [
        Spell(one.started_ns, max(one.began_ns, since_ns), min(one.ended_ns, until_ns), one.is_able, one.reason)
        for one in run.spells.since(since_ns)
        if one.began_ns < until_ns
    ]
    uptime = uptime_of(clipped)
    return Fraction(uptime.able_ns, uptime.wanted_ns) if uptime.wanted_ns else None
