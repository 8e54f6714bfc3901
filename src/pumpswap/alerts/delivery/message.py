"""Message: what is sent about one alert, or about many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pumpswap.alerts.delivery.harmless import harmless, short_addresses
from pumpswap.alerts.delivery.state import LEVELS, Bag, Line, Place, places_of
from pumpswap.clock import format_utc
from pumpswap.model import Alert, AlertLevel

__all__ = ["Message", "line_of", "message_of_alert", "message_of_bag", "message_of_line"]

# The smallest limit of the services that people use is Discord's: 2,000 characters with the title.
_LONGEST_BODY, _LONGEST_TITLE, _LONGEST_LINE = 1_700, 200, 280
_LONGEST_TEXT = 2_000  # that is remembered
_LIVE = "live"
_LOOK = "`pumpswap alerts list` has them all"


@dataclass(frozen=True, slots=True)
class Message:
    """``alerts`` is how many alerts it tells of, ``first`` and ``last`` the smallest and largest of their numbers."""

    level: AlertLevel
    title: str
    body: str
    alerts: int
    first: int
    last: int


def line_of(alert: Alert) -> Line:
    """What is remembered of an alert until it is told."""
    text = alert.text if len(alert.text) <= _LONGEST_TEXT else alert.text[: _LONGEST_TEXT - 1] + "…"
    about = (alert.level.value, alert.topic, alert.subject[:200], text, alert.at_ns)
    return Line(*about, alert.number, alert.number, run_id=alert.run_id, kind=alert.run_kind)


def message_of_alert(alert: Alert) -> Message:
    """About an alert by itself."""
    return message_of_line(line_of(alert))


def message_of_line(line: Line, repeats: Line | None = None) -> Message:
    """About one alert. ``repeats``: how often what was told before came again until then, of which only the number is
    told.
    """
    # What an alert is about is mostly named in its text; an address is for whoever looks it up.
    is_address = bool(line.subject) and short_addresses(line.subject) != line.subject
    about = [f"alert {line.last}"] if line.last else []
    about += [f"after {repeats.count:,} more like the one before"] if repeats is not None else []
    about += [] if line.run_id is None else [f"{line.kind} run {line.run_id}"]
    about += [short_addresses(line.subject)] if is_address else []
    foot = "\n" + _clean(", ".join((*about, _time(line.at_ns))))
    text = _clean(line.text) if is_address else _said(line)
    body = _cut(text, _LONGEST_BODY - len(foot)) + foot
    title = _cut(f"[{line.level}] {_clean(line.topic)}{_practice([line])}", _LONGEST_TITLE)
    first, count = (line.first, 0) if repeats is None else (min(line.first, repeats.first), repeats.count)
    return Message(AlertLevel(line.level), title, body, line.count + count, first, line.last)


def message_of_bag(bag: Bag) -> tuple[Message, Sequence[Line]]:
    """About all that was gathered, and what of it holds now and is told in words. What is loudest comes first, what
    holds now before what held earlier; what finds no place is counted.
    """
    places = sorted(
        places_of(bag.lines.values()),
        key=lambda each: (-each.rank, not each.is_newest, -each.line.rank, each.line.first),
    )
    lines = [place.line for place in places]
    if len(lines) == bag.count == 1:
        return message_of_line(lines[0]), lines
    while_quiet = "while it was quiet: " if bag.is_quiet else ""
    left = _Rest(bag.more, bag.loudest)
    counts = left.with_lines(lines).counts()
    title = f"[{bag.level}] {while_quiet}{bag.count:,} alerts{_practice(lines)}: {counts}"
    body, shown = _body(places, left, f"since {_time(bag.since_ns)}")
    message = Message(AlertLevel(bag.level), _cut(title, _LONGEST_TITLE), body, bag.count, bag.first, bag.last)
    return message, [place.line for place in places[:shown] if place.is_newest]


class _Rest:
    """What is only counted, by topic: the loudest first."""

    def __init__(self, more: Mapping[str, int], loudest: Mapping[str, str]) -> None:
        self._more, self._ranks = Counter(more), {topic: LEVELS.index(level) for topic, level in loudest.items()}

    def with_lines(self, lines: Iterable[Line]) -> _Rest:
        """And these."""
        rest = _Rest(self._more, {})
        rest._ranks = dict(self._ranks)
        for line in lines:
            rest._more[line.topic] += line.count
            rest._ranks[line.topic] = max(line.rank, rest._ranks.get(line.topic, 0))
        return rest

    def total(self) -> int:
        """Of all topics."""
        return self._more.total()

    def counts(self) -> str:
        """``1 reconcile, 120 entry``."""
        ordered = sorted(self._more.items(), key=lambda each: (-self._ranks.get(each[0], 0), -each[1], each[0]))
        return ", ".join(f"{count:,} {_clean(topic)}" for topic, count in ordered)


def _body(places: Sequence[Place], left: _Rest, foot: str) -> tuple[str, int]:
    """And how many lines have found room. In their order: a short line does not overtake a loud one."""
    texts, room = [], _LONGEST_BODY - len(foot) - 200  # for the line about the rest
    is_mixed = len({place.line.kind for place in places}) > 1
    for place in places:
        text = _digest_line(place, is_mixed=is_mixed)
        if len(text) >= room:
            break
        texts.append(text)
        room -= len(text) + 1
    shown = len(texts)
    rest = left.with_lines(place.line for place in places[shown:])
    if rest.total():
        texts.append(_cut(f"… and {rest.total():,} more ({rest.counts()})", 150) + f": {_LOOK}")
    return "\n".join((*texts, foot)), shown


def _digest_line(place: Place, *, is_mixed: bool) -> str:
    line = place.line
    times = f" (×{line.count:,}, the last {_time(line.at_ns)})" if line.count > 1 else ""
    marks = [] if place.is_newest else ["earlier"]
    marks += [line.level] if line.level in ("error", "critical") else []
    marks += [line.kind] if is_mixed and _practice([line]) else []
    start = "".join(f"{mark}, " for mark in marks)
    return f"• {start}{_cut(f'{_clean(line.topic)}: {_said(line)}', _LONGEST_LINE)}{times}"


def _practice(lines: Sequence[Line]) -> str:
    """`` (paper)`` where no money is at stake in any of it: whoever is woken by it sees that first."""
    (kind, *others) = {line.kind for line in lines} or {""}
    return "" if others or kind in ("", _LIVE) else f" ({kind})"


def _said(line: Line) -> str:
    """Its text, and what it is about where the text does not say so."""
    about = "" if not line.subject or line.subject in line.text else f"{line.subject}: "
    return _clean(about + line.text)


def _clean(text: str) -> str:
    """On one line: whatever a stranger has put into his name begins none of its own."""
    return " ".join(harmless(short_addresses(text)).split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _time(at_ns: int) -> str:
    try:
        return f"{format_utc(at_ns)} UTC"
    except (ValueError, OverflowError, OSError):  # the clock of a played market may show anything
        return f"{at_ns} ns"
