"""What delivery remembers of each channel, from one look to the next and over restarts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pumpswap.alerts.topics import is_exact, matter_of
from pumpswap.errors import StorageError
from pumpswap.model import AlertLevel

__all__ = ["LEVELS", "MOST_LINES", "Bag", "ChannelState", "DeliveryState", "Line", "Place", "places_of"]

LEVELS = tuple(level.value for level in AlertLevel)  # from quiet to loud
MOST_LINES = 100  # of one bag; what is more is counted by its topic
# Of these the numbers may differ: "silent for 61 s" and "silent for 75 s" say the same. The others do word for word.
_BLURRED = frozenset((AlertLevel.WARNING.value, AlertLevel.ERROR.value))
_DIGITS = re.compile(r"\d+")


class Line(msgspec.Struct):
    """Alerts that say the same: the newest of them, and how many there were.

    ``said`` is equal for lines that say the same about the same, ``matter`` for those about the same, whatever they
    say of it.
    """

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
    said: str = ""
    matter: str = ""

    def __post_init__(self) -> None:
        if self.said:
            return
        is_blurred = self.level in _BLURRED and not is_exact(self.topic)
        text = _DIGITS.sub("0", self.text) if is_blurred else self.text
        self.said = _short(str(self.run_id), self.level, self.topic, self.subject, text)
        self.matter = _short(str(self.run_id), *matter_of(self.topic, self.subject))

    @property
    def rank(self) -> int:
        """How loud it is."""
        return LEVELS.index(self.level)

    def merge(self, other: Line) -> None:
        """Take in what came later."""
        if not self.count:
            self.first = other.first
        self.text, self.at_ns, self.last = other.text, other.at_ns, other.last
        self.count += other.count


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands among others. ``is_newest``: nothing newer is there about its matter; that one counts as loud
    as the loudest about the matter, so that what holds is never left out where what held before is told.
    """

    line: Line
    rank: int
    is_newest: bool


def places_of(lines: Iterable[Line]) -> Sequence[Place]:
    """Of all these lines, in their order."""
    loudest: dict[str, int] = {}
    newest: dict[str, Line] = {}
    lines = tuple(lines)
    for line in lines:
        loudest[line.matter] = max(line.rank, loudest.get(line.matter, 0))
        if line.last >= newest.setdefault(line.matter, line).last:
            newest[line.matter] = line
    return [
        Place(line, loudest[line.matter] if is_newest else line.rank, is_newest)
        for line, is_newest in ((line, newest[line.matter] is line) for line in lines)
    ]


class Bag(msgspec.Struct):
    """What waits for the next digest, by what it says. ``more`` counts, by topic, what has no line of its own, and
    ``loudest`` is the loudest level of that.
    """

    due_ns: int
    since_ns: int
    first: int
    last: int
    is_quiet: bool = False
    level: str = "info"
    count: int = 0
    lines: dict[str, Line] = {}
    more: dict[str, int] = {}
    loudest: dict[str, str] = {}

    def __post_init__(self) -> None:
        self.lines = {line.said: line for line in self.lines.values()}  # what counts as the same may have changed

    def has(self, matter: str) -> bool:
        """Whether a line about this waits."""
        return any(line.matter == matter for line in self.lines.values())

    def add(self, line: Line) -> None:
        """As a line, in the place of a quieter one where there is no other; else it is counted."""
        known = self.lines.get(line.said)
        if known is not None:
            known.merge(line)
        elif len(self.lines) < MOST_LINES or self._makes_room(line):
            self.lines[line.said] = line
        else:
            self._count_only(line)
        self._widen(line)

    def add_count(self, line: Line) -> None:
        """It was told; only how often it came again is new."""
        self._count_only(line)
        self._widen(line)

    def move(self, matter: str, into: Bag) -> None:
        """The lines about this, and what is only counted where no line is left."""
        for line in [line for line in self.lines.values() if line.matter == matter]:
            del self.lines[line.said]
            self.count -= line.count
            into.add(line)
        if self.lines:
            left = self.lines.values()
            self.level = max(*(line.level for line in left), *self.loudest.values(), "info", key=LEVELS.index)
            if not self.more:
                self.first, self.last = min(line.first for line in left), max(line.last for line in left)
            return
        for topic, count in self.more.items():
            into.more[topic] = into.more.get(topic, 0) + count
            levels = [self.loudest.get(topic, self.level), into.loudest.get(topic, "info")]
            into.loudest[topic] = max(levels, key=LEVELS.index)
        into.count += self.count
        into.first, into.last = min(into.first, self.first), max(into.last, self.last)
        self.more, self.count = {}, 0

    def _widen(self, line: Line) -> None:
        self.count += line.count
        self.first, self.last = min(self.first, line.first), max(self.last, line.last)
        self.level = max(self.level, line.level, key=LEVELS.index)

    def _count_only(self, line: Line) -> None:
        self.more[line.topic] = self.more.get(line.topic, 0) + line.count
        self.loudest[line.topic] = max(line.level, self.loudest.get(line.topic, line.level), key=LEVELS.index)

    def _makes_room(self, line: Line) -> bool:
        """The quietest line gives way to a louder one, and what held before to what holds; it is counted then."""
        rank = line.rank
        if not self.has(line.matter) and all(each.rank >= rank for each in self.lines.values()):
            return False  # asked first, and quickly: in a storm it is asked for each alert
        *places, new = places_of((*self.lines.values(), line))
        less = [place for place in places if place.rank < new.rank or place.line.matter == line.matter]
        if not less:
            return False
        gone = min(less, key=lambda place: (place.rank, place.is_newest, place.line.first)).line
        del self.lines[gone.said]
        self._count_only(gone)
        return True


class Pace(msgspec.Struct):
    """How long a digest gathers: longer from one to the next, as long as they follow each other."""

    pause_ns: int = 0
    flushed_ns: int = 0


class ChannelState(msgspec.Struct):
    """``cursor`` is the last alert that was looked at; ``told`` what was told last about a matter, lately; ``sent``
    when messages were sent at once, by topic, and by what they said.
    """

    cursor: int = 0
    seen_ns: int = 0
    told: dict[str, Line] = {}
    sent: dict[str, list[int]] = {}
    urgent: Bag | None = None
    calm: Bag | None = None
    urgent_pace: Pace = msgspec.field(default_factory=Pace)
    calm_pace: Pace = msgspec.field(default_factory=Pace)

    def move(self, matter: str, into: Bag) -> None:
        """What waits about this, for another message."""
        if self.urgent is not None and self.urgent is not into:
            self.urgent.move(matter, into)
            self.urgent = self.urgent if self.urgent.count else None
        if self.calm is not None and self.calm is not into:
            self.calm.move(matter, into)
            self.calm = self.calm if self.calm.count else None


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


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:16]
