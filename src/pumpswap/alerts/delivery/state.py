"""What delivery remembers of each channel, from one look to the next and over restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pumpswap.errors import StorageError

__all__ = ["MOST_LINES", "Bag", "ChannelState", "DeliveryState", "Line"]

MOST_LINES = 100  # of one bag; what is more is counted by its topic


class Line(msgspec.Struct):
    """Alerts that say the same: the newest of them, and how many there were."""

    level: str
    topic: str
    subject: str
    text: str
    at_ns: int
    first: int
    last: int
    count: int = 1
    run_id: int | None = None
    kind: str = ""  # of that run
    until_ns: int = 0  # so long what says the same is only counted, where this was told

    def merge(self, other: Line) -> None:
        """Take in what came later."""
        if not self.count:
            self.first = other.first
        self.text, self.at_ns, self.last = other.text, other.at_ns, other.last
        self.count += other.count


class Bag(msgspec.Struct):
    """What waits for the next digest. ``more`` counts, by topic, what has no line of its own."""

    due_ns: int
    since_ns: int
    first: int
    last: int
    is_quiet: bool = False
    level: str = "info"
    count: int = 0
    lines: dict[str, Line] = {}
    more: dict[str, int] = {}


class Pace(msgspec.Struct):
    """How long a digest gathers: longer from one to the next, as long as they follow each other."""

    pause_ns: int = 0
    flushed_ns: int = 0


class ChannelState(msgspec.Struct):
    """``cursor`` is the last alert that was looked at; ``told`` what was told lately, ``sent`` when, by topic."""

    cursor: int = 0
    seen_ns: int = 0
    told: dict[str, Line] = {}
    sent: dict[str, list[int]] = {}
    urgent: Bag | None = None
    calm: Bag | None = None
    urgent_pace: Pace = msgspec.field(default_factory=Pace)
    calm_pace: Pace = msgspec.field(default_factory=Pace)


class DeliveryState(msgspec.Struct):
    """Of all channels, by name."""

    channels: dict[str, ChannelState] = {}

    @classmethod
    def of(cls, document: Mapping[str, object] | None) -> DeliveryState:
        """As it was stored. Raises StorageError for what is no such document."""
        try:
            return msgspec.convert(document or {}, cls)
        except msgspec.ValidationError as error:
            raise StorageError(
                f"what is remembered of the delivery of alerts cannot be read: {error}",
                hint="a newer version has written it: upgrade, or restore a backup",
            ) from None

    def document(self) -> dict[str, Any]:
        """To be stored."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found
