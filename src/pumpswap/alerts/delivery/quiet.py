"""Quiet hours: when nobody wants to be woken, in the time of where he lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pumpswap.clock import NS_PER_SECOND, datetime_ns
from pumpswap.settings import AlertSettings

__all__ = ["QuietHours"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``begins`` until the next ``ends`` on the clock of ``zone``, every day. The two differ."""

    begins: time
    ends: time
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: AlertSettings) -> QuietHours | None:
        """None where there are none."""
        if settings.quiet_from is None or settings.quiet_until is None:
            return None
        begins, ends = (time.fromisoformat(text) for text in (settings.quiet_from, settings.quiet_until))
        return cls(begins, ends, ZoneInfo(settings.timezone))

    def over_ns(self, now_ns: int) -> int | None:
        """When the quiet hours are over in which ``now_ns`` is; None when it is in none.

        Compared are moments, not what a clock shows: in the hour that a clock shows twice, or not at all, hours begin
        and end once.
        """
        today = datetime.fromtimestamp(now_ns // NS_PER_SECOND, self.zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.ends > self.begins else day + timedelta(days=1)
            over = self._moment_ns(last, self.ends)
            if self._moment_ns(day, self.begins) <= now_ns < over:
                return over
        return None

    def _moment_ns(self, day: date, at: time) -> int:
        return datetime_ns(datetime.combine(day, at, self.zone).astimezone(UTC))
