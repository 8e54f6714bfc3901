"""The summary of a day: what it is made of, when it is due, and how it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from pumpswap.alerts.texts import counted, joined, one_line, share_text, signed_sol, sol_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import AlertLevel, EntryKind

__all__ = ["DaySummary", "day_bounds", "due_day", "summary_text"]

_MOST_POLICIES = 3


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of one run. Lamports; ``costs`` by kind are positive. ``equity_before_lamports`` is that of the beginning
    of the day, or of the run; both are None where equity was not measured. ``put_in_lamports``: by the owner, on this
    day, less what he has taken out. ``able`` is the share of the day in which it could buy, None where nobody knows.
    """

    day: date
    buys: int = 0
    sales: int = 0
    realised_lamports: int = 0
    equity_before_lamports: int | None = None
    equity_lamports: int | None = None
    put_in_lamports: int = 0
    costs: Mapping[EntryKind, int] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    refused_by: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[AlertLevel, int] = field(default_factory=dict)
    able: Fraction | None = None
    positions: int = 0

    @property
    def result_lamports(self) -> int | None:
        """What equity has changed by, without what the owner has put in or taken out."""
        if self.equity_lamports is None or self.equity_before_lamports is None:
            return None
        return self.equity_lamports - self.equity_before_lamports - self.put_in_lamports


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Nanoseconds of the beginning of a day in a time zone, and of its end: a day of 23 or 25 hours now and then."""
    midnight = time(0)
    return _at(day, midnight, zone), _at(day + timedelta(days=1), midnight, zone)


def due_day(now_ns: int, at: str, zone: ZoneInfo) -> date:
    """The newest day whose summary is due: it is told on the day after, at ``at`` (``HH:MM``) or later."""
    moment = time.fromisoformat(at)
    today = datetime.fromtimestamp(now_ns / NS_PER_SECOND, zone).date()
    return today - timedelta(days=1 if now_ns >= _at(today, moment, zone) else 2)


def _at(day: date, moment: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, moment, zone).timestamp()) * NS_PER_SECOND


# ---------------------------------------------------------------------------------------------- how it reads


def summary_text(summary: DaySummary) -> str:
    """A few sentences: result, trades, costs, refusals, health."""
    sentences = [_result(summary), _trades(summary), _costs(summary), _refusals(summary), _health(summary)]
    return f"{summary.day.isoformat()}: " + " ".join(f"{one[0].upper()}{one[1:]}." for one in sentences if one)


def _result(summary: DaySummary) -> str:
    result, before, equity = summary.result_lamports, summary.equity_before_lamports, summary.equity_lamports
    if result is None or equity is None or before is None:
        return "equity was not measured"
    share = share_text(result, before, signed=True)
    put_in = f", {signed_sol(summary.put_in_lamports)} put in" if summary.put_in_lamports > 0 else ""
    put_in = f", {sol_text(-summary.put_in_lamports)} taken out" if summary.put_in_lamports < 0 else put_in
    return f"{signed_sol(result)} ({share}) after all costs; equity {sol_text(equity)}{put_in}"


def _trades(summary: DaySummary) -> str:
    open_now = f"{counted(summary.positions, 'position')} open"
    if not summary.buys and not summary.sales:
        return f"no trades, {open_now}"
    trades = joined([counted(summary.buys, "buy"), counted(summary.sales, "sale")])
    return f"{trades} (sales realised {signed_sol(summary.realised_lamports)}), {open_now}"


def _costs(summary: DaySummary) -> str:
    costs = {kind: lamports for kind, lamports in summary.costs.items() if lamports}
    if not costs:
        return ""
    largest = sorted(costs.items(), key=lambda each: (-each[1], each[0].value))
    named = joined([f"{kind.value.replace('_', ' ')} {sol_text(lamports)}" for kind, lamports in largest])
    return f"costs {sol_text(sum(costs.values()))}: {named}"


def _refusals(summary: DaySummary) -> str:
    decided = summary.accepted + summary.refused
    if not decided:
        return "nothing was decided"
    most = sorted(summary.refused_by.items(), key=lambda each: (-each[1], each[0]))[:_MOST_POLICIES]
    by = f", most by {joined([f'{one_line(policy, 60)} ({count:,})' for policy, count in most])}" if most else ""
    return f"{summary.refused:,} of {counted(decided, 'decision')} were refusals{by}"


def _health(summary: DaySummary) -> str:
    able = "" if summary.able is None else f"able to buy {share_text(*summary.able.as_integer_ratio())} of the time"
    loud = (AlertLevel.CRITICAL, AlertLevel.ERROR, AlertLevel.WARNING)
    told = [f"{count:,} {level.value}" for level in loud if (count := summary.alerts.get(level, 0))]
    alerts = f"alerts: {', '.join(told)}" if told else "no alert beyond info"
    return "; ".join(filter(None, (able, alerts)))
