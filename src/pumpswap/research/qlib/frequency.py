"""Frequency: the bars of a QLib calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.errors import UsageError

__all__ = ["FREQUENCIES", "Frequency", "frequency_named"]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A length of bars. A bar is a number: how many bars fit between 1970 (UTC) and its start.

    A bar is named by its start and holds what happened until its end, which belongs to the next one: what is stamped
    10:00 in a 60-minute dataset was known at 11:00.
    """

    name: str  # QLib's
    seconds: int

    def bar_of(self, at_ns: int) -> int:
        """The bar in which a moment lies."""
        return at_ns // (self.seconds * NS_PER_SECOND)

    def start_ns(self, bar: int) -> int:
        """When a bar begins."""
        return bar * self.seconds * NS_PER_SECOND

    def end_ns(self, bar: int) -> int:
        """When all of a bar is known."""
        return self.start_ns(bar + 1)

    def bars_until(self, at_ns: int) -> int:
        """The first bar that is not over at a moment."""
        return self.bar_of(at_ns)

    def text(self, bar: int) -> str:
        """A bar as QLib's calendars write it."""
        moment = datetime.fromtimestamp(bar * self.seconds, UTC)
        return moment.strftime("%Y-%m-%d" if self.name == "day" else "%Y-%m-%d %H:%M:%S")

    def parse(self, text: str) -> int:
        """The bar that begins at this time. Raises ValueError for text that is no time, or not the start of a bar."""
        at_ns = parse_utc(text)
        bar = self.bar_of(at_ns)
        if self.start_ns(bar) != at_ns:
            raise ValueError(f"{text} is not the start of a bar of {self.name}")
        return bar


FREQUENCIES = {
    name: Frequency(name, seconds)
    for name, seconds in (("1min", 60), ("5min", 300), ("15min", 900), ("60min", 3_600), ("day", 86_400))
}


def frequency_named(name: str) -> Frequency:
    """One of FREQUENCIES. Raises UsageError."""
    if name not in FREQUENCIES:
        raise UsageError(f"{name!r} is no frequency of an export", hint=f"one of {', '.join(FREQUENCIES)}")
    return FREQUENCIES[name]
