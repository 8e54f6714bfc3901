"""Policy: what is sent of the alerts of one channel, when, and together with what. A pure state machine.

Every alert that a channel wants is counted in exactly one message. What is critical is neither muted nor held back at
night, and waits for the shortest digest at most; the rest may be gathered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from pumpswap.alerts.delivery.message import LEVELS, Message, line_of, message_of_bag, message_of_line
from pumpswap.alerts.delivery.quiet import QuietHours
from pumpswap.alerts.delivery.state import MOST_LINES, Bag, ChannelState, Line, Pace
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert, AlertLevel, Mute
from pumpswap.settings import AlertSettings, ChannelSettings

__all__ = ["ChannelPolicy", "is_muted", "same_as"]

_CRITICAL = AlertLevel.CRITICAL.value
# Of these the numbers may differ: "silent for 61 s" and "silent for 75 s" say the same. The others do word for word.
_BLURRED = frozenset((AlertLevel.WARNING, AlertLevel.ERROR))
_DIGITS = re.compile(r"\d+")
_URGENT_LONGEST = 5  # digests of what is critical: at most so many times `digest_seconds`
_DELIVERY = "delivery"  # that a channel does not work is not told through it


def is_muted(alert: Alert, mutes: Iterable[Mute]) -> bool:
    """Whether nobody wants to hear of it. Critical alerts are heard all the same."""
    if alert.level is AlertLevel.CRITICAL:
        return False
    return any(mute.topic == alert.topic and mute.subject in ("", alert.subject) for mute in mutes)


def same_as(alert: Alert) -> str:
    """Equal for alerts that say the same about the same."""
    text = _DIGITS.sub("0", alert.text) if alert.level in _BLURRED else alert.text
    said = "\0".join((str(alert.run_id), alert.level.value, alert.topic, alert.subject, text))
    return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """Of one channel. All times are those of the machine: how old an alert is by its market's clock does not matter."""

    channel: ChannelSettings
    settings: AlertSettings
    quiet: QuietHours | None

    @classmethod
    def of(cls, channel: ChannelSettings, settings: AlertSettings) -> ChannelPolicy:
        """By the settings."""
        return cls(channel, settings, QuietHours.of(settings) if channel.obeys_quiet_hours else None)

    def take(self, state: ChannelState, alerts: Iterable[Alert], mutes: Collection[Mute], now_ns: int) -> list[Message]:
        """Take in new alerts; returns what is sent of them at once. ``state`` changes."""
        over_ns = None if self.quiet is None else self.quiet.over_ns(now_ns)
        self._forget(state, now_ns, over_ns)
        messages = []
        for alert in alerts:
            state.cursor = max(state.cursor, alert.number)
            if self._wants(alert) and not is_muted(alert, mutes):
                message = self._take(state, alert, now_ns, over_ns)
                if message is not None:
                    messages.append(message)
        return messages

    def settle(self, state: ChannelState, now_ns: int, *, at_end: bool = False) -> list[Message]:
        """What was gathered and is due now. ``at_end``: nobody may look again for long, so what needs not wait for the
        end of the quiet hours is sent too.
        """
        over_ns = None if self.quiet is None else self.quiet.over_ns(now_ns)
        self._forget(state, now_ns, over_ns)
        return list(self._flushed(state, now_ns, over_ns, at_end=at_end))

    # ------------------------------------------------------------------------------------------ one alert

    def _wants(self, alert: Alert) -> bool:
        channel = self.channel
        if alert.topic == _DELIVERY and alert.subject == channel.name:
            return False
        is_loud = LEVELS.index(alert.level.value) >= LEVELS.index(channel.least)
        return is_loud and (not channel.topics or alert.topic in channel.topics)

    def _take(self, state: ChannelState, alert: Alert, now_ns: int, over_ns: int | None) -> Message | None:
        key, line = same_as(alert), line_of(alert)
        told = state.told.get(key)
        if told is not None:  # what is over was forgotten before
            told.merge(line)
            return None
        is_urgent = line.level == _CRITICAL
        bag = state.urgent if is_urgent else state.calm
        must_wait = (over_ns is not None and not is_urgent) or (bag is not None and key in bag.lines)
        if must_wait or not self._may_send(state, line, now_ns):
            self._gather(state, key, line, now_ns, over_ns)
            return None
        self._remember(state, key, line, now_ns)
        return message_of_line(line)

    def _may_send(self, state: ChannelState, line: Line, now_ns: int) -> bool:
        """One of ``burst`` messages about the topic in ``burst_seconds``. Critical ones are counted by themselves."""
        key = f"{line.topic}!" if line.level == _CRITICAL else line.topic
        since = now_ns - self.settings.burst_seconds * NS_PER_SECOND
        sent = [at for at in state.sent.get(key, ()) if since < at <= now_ns]
        is_free = len(sent) < self.settings.burst
        state.sent[key] = [*sent, now_ns] if is_free else sent
        return is_free

    def _remember(self, state: ChannelState, key: str, line: Line, now_ns: int) -> None:
        """It is told; what says the same is counted for a while, from none on."""
        until_ns = now_ns + int(self.settings.repeat_seconds * NS_PER_SECOND)
        if until_ns > now_ns:
            state.told[key] = replace(line, first=0, count=0, until_ns=until_ns)

    def _forget(self, state: ChannelState, now_ns: int, over_ns: int | None) -> None:
        """What was told long ago may be told again; what was only counted since then goes into the next digest."""
        longest = int(self.settings.repeat_seconds * NS_PER_SECOND)
        # A clock that was set back must not keep anything from being told until it has caught up.
        over = [key for key, one in state.told.items() if not now_ns < one.until_ns <= now_ns + longest]
        for key in over:
            line = state.told.pop(key)
            if line.count:
                self._gather(state, key, line, now_ns, over_ns)
        since = now_ns - self.settings.burst_seconds * NS_PER_SECOND
        state.sent = {topic: ats for topic, ats in state.sent.items() if ats and ats[-1] > since}

    # ------------------------------------------------------------------------------------------ digests

    def _gather(self, state: ChannelState, key: str, line: Line, now_ns: int, over_ns: int | None) -> None:
        is_urgent = line.level == _CRITICAL
        bag = state.urgent if is_urgent else state.calm
        if bag is None:
            is_quiet = over_ns is not None and not is_urgent
            due_ns = over_ns if is_quiet and over_ns is not None else now_ns + self._pause_ns(state, now_ns, is_urgent)
            bag = Bag(due_ns, now_ns, line.first, line.last, is_quiet)
            if is_urgent:
                state.urgent = bag
            else:
                state.calm = bag
        bag.count += line.count
        bag.first, bag.last = min(bag.first, line.first), max(bag.last, line.last)
        bag.level = max(bag.level, line.level, key=LEVELS.index)
        known = bag.lines.get(key)
        if known is not None:
            known.merge(line)
        elif len(bag.lines) < MOST_LINES or _makes_room(bag, line):
            bag.lines[key] = line
        else:
            bag.more[line.topic] = bag.more.get(line.topic, 0) + line.count

    def _pause_ns(self, state: ChannelState, now_ns: int, is_urgent: bool) -> int:
        """How long the digest that begins now gathers: twice as long as the one before, when it follows at once."""
        shortest = self.settings.digest_seconds * NS_PER_SECOND
        most = max(shortest, int(self.settings.repeat_seconds * NS_PER_SECOND))
        pace = state.urgent_pace if is_urgent else state.calm_pace
        longest = min(shortest * _URGENT_LONGEST, most) if is_urgent else most
        follows = 0 <= now_ns - pace.flushed_ns <= max(pace.pause_ns, shortest) and pace.flushed_ns > 0
        pace.pause_ns = min(2 * pace.pause_ns, longest) if follows and pace.pause_ns else shortest
        return pace.pause_ns

    def _flushed(self, state: ChannelState, now_ns: int, over_ns: int | None, *, at_end: bool) -> Iterator[Message]:
        if state.urgent is not None and self._is_due(state.urgent, now_ns, at_end=at_end):
            bag, state.urgent = state.urgent, None
            yield self._told(state, bag, state.urgent_pace, now_ns)
        calm = state.calm
        if calm is None:
            return
        if over_ns is not None:  # a digest that has begun before the quiet hours waits for their end as well
            calm.due_ns, calm.is_quiet = over_ns, True
        elif self._is_due(calm, now_ns, at_end=at_end):
            state.calm = None
            yield self._told(state, calm, state.calm_pace, now_ns)

    def _is_due(self, bag: Bag, now_ns: int, *, at_end: bool) -> bool:
        """Its time has come, or the clock was set back, which must not hold it up."""
        return at_end or bag.due_ns <= now_ns or bag.since_ns > now_ns

    def _told(self, state: ChannelState, bag: Bag, pace: Pace, now_ns: int) -> Message:
        pace.flushed_ns = now_ns
        for key, line in bag.lines.items():
            self._remember(state, key, line, now_ns)
        return message_of_bag(bag)


def _makes_room(bag: Bag, line: Line) -> bool:
    """A loud alert takes the line of a quiet one, which is counted then."""
    rank = LEVELS.index(line.level)
    if rank < LEVELS.index("error"):
        return False
    key = next((key for key, one in bag.lines.items() if LEVELS.index(one.level) < rank), None)
    if key is None:
        return False
    gone = bag.lines.pop(key)
    bag.more[gone.topic] = bag.more.get(gone.topic, 0) + gone.count
    return True
