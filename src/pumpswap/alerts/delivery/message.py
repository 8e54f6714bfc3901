"""Message: what is sent about one alert, or about many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pumpswap.alerts.delivery.harmless import harmless, short_addresses
from pumpswap.alerts.delivery.state import Bag, Line
from pumpswap.clock import format_utc
from pumpswap.model import Alert, AlertLevel

__all__ = ["LEVELS", "Message", "line_of", "message_of_alert", "message_of_bag", "message_of_line"]

# The smallest limit of the services that people use is Discord's: 2,000 characters with the title.
_LONGEST_BODY, _LONGEST_TITLE, _LONGEST_LINE = 1_700, 200, 280
_LONGEST_TEXT = 2_000  # that is remembered
_LIVE = "live"
_LOOK = "`pumpswap alerts list` has them all"
LEVELS = tuple(level.value for level in AlertLevel)  # from quiet to loud


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


def message_of_line(line: Line) -> Message:
    """About one alert."""
    # What an alert is about is mostly named in its text; an address is for whoever looks it up.
    is_address = bool(line.subject) and short_addresses(line.subject) != line.subject
    about = [f"alert {line.last}"] if line.last else []
    about += [] if line.run_id is None else [f"{line.kind} run {line.run_id}"]
    about += [short_addresses(line.subject)] if is_address else []
    foot = "\n" + _clean(", ".join((*about, _time(line.at_ns))))
    text = _clean(line.text) if is_address else _said(line)
    body = _cut(text, _LONGEST_BODY - len(foot)) + foot
    title = _cut(f"[{line.level}] {_clean(line.topic)}{_practice([line])}", _LONGEST_TITLE)
    return Message(AlertLevel(line.level), title, body, line.count, line.first, line.last)


def message_of_bag(bag: Bag) -> Message:
    """About all that was gathered: what is loudest comes first, and what finds no place is counted."""
    lines = sorted(bag.lines.values(), key=lambda line: (-LEVELS.index(line.level), line.first))
    if len(lines) == bag.count == 1:
        return message_of_line(lines[0])
    topics = Counter(bag.more)
    for line in lines:
        topics[line.topic] += line.count
    while_quiet = "while it was quiet: " if bag.is_quiet else ""
    practice = _practice(lines)
    title = f"[{bag.level}] {while_quiet}{bag.count:,} alerts{practice}: {_counts(topics)}"
    body = _body(lines, bag.more, f"since {_time(bag.since_ns)}")
    return Message(AlertLevel(bag.level), _cut(title, _LONGEST_TITLE), body, bag.count, bag.first, bag.last)


def _body(lines: Sequence[Line], more: Mapping[str, int], foot: str) -> str:
    shown, left, room = [], Counter(more), _LONGEST_BODY - len(foot) - 200  # for the line about the rest
    is_mixed = len({line.kind for line in lines}) > 1
    for line in lines:
        times = f" (×{line.count:,}, the last {_time(line.at_ns)})" if line.count > 1 else ""
        marks = [line.level] if line.level in ("error", "critical") else []
        marks += [line.kind] if is_mixed and _practice([line]) else []
        start = "".join(f"{mark}, " for mark in marks)
        text = f"• {start}{_cut(f'{_clean(line.topic)}: {_said(line)}', _LONGEST_LINE)}{times}"
        if len(text) < room:
            shown.append(text)
            room -= len(text) + 1
        else:
            left[line.topic] += line.count
            room = 0  # in their order: a short line does not overtake a loud one
    if left:
        shown.append(_cut(f"… and {left.total():,} more ({_counts(left)})", 150) + f": {_LOOK}")
    return "\n".join((*shown, foot))


def _practice(lines: Sequence[Line]) -> str:
    """`` (paper)`` where no money is at stake in any of it: whoever is woken by it sees that first."""
    kinds = {line.kind for line in lines}
    (kind, *others) = kinds
    return "" if others or kind in ("", _LIVE) else f" ({kind})"


def _said(line: Line) -> str:
    """Its text, and what it is about where the text does not say so."""
    about = "" if not line.subject or line.subject in line.text else f"{line.subject}: "
    return _clean(about + line.text)


def _clean(text: str) -> str:
    return harmless(short_addresses(text)).strip()


def _counts(topics: Mapping[str, int]) -> str:
    ordered = sorted(topics.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count:,} {_clean(topic)}" for topic, count in ordered)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _time(at_ns: int) -> str:
    try:
        return f"{format_utc(at_ns)} UTC"
    except (ValueError, OverflowError, OSError):  # the clock of a played market may show anything
        return f"{at_ns} ns"
