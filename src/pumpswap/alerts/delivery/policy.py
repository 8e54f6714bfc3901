"""Policy: what is sent of the alerts of one channel, when, and together with what. A pure state machine.

Every alert that a channel wants is counted in exactly one message. What is critical is neither muted nor held back at
night, and waits for the shortest digest at most; the rest may be gathered. What is told last about a matter is what
was said last about it: only what says the same as that is withheld, and what waits goes with what is newer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from pumpswap.alerts.delivery.message import Message, line_of, message_of_bag, message_of_line
from pumpswap.alerts.delivery.quiet import QuietHours
from pumpswap.alerts.delivery.state import LEVELS, Bag, ChannelState, Line
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert, AlertLevel, Mute
from pumpswap.settings import AlertSettings, ChannelSettings

__all__ = ["ChannelPolicy", "is_muted"]

_CRITICAL = AlertLevel.CRITICAL.value
_URGENT_LONGEST = 5  # digests of what is critical: at most so many times `digest_seconds`
# Something that comes and goes again and again: the same words are sent at once so often in `repeat_seconds`, then they
# wait for digests.
_SAME_AT_ONCE = 3
_DELIVERY = "delivery"  # that a channel does not work is not told through it


def is_muted(alert: Alert, mutes: Iterable[Mute]) -> bool:
    """Whether nobody wants to hear of it. Critical alerts are heard all the same."""
    if alert.level is AlertLevel.CRITICAL:
        return False
    return any(mute.topic == alert.topic and mute.subject in ("", alert.subject) for mute in mutes)


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
            line = line_of(alert)
            repeats = self._outdated(state, line)
            if self._wants(alert) and not is_muted(alert, mutes):
                message = self._take(state, line, repeats, (now_ns, over_ns))
                if message is not None:
                    messages.append(message)
            elif repeats is not None:
                self._gather(state, repeats, now_ns, over_ns)
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

    def _outdated(self, state: ChannelState, line: Line) -> Line | None:
        """What was told last about a matter does not hold any more: it is told again when it comes again. Returns what
        was only counted of it, if anything.
        """
        told = state.told.get(line.matter)
        if told is None or told.said == line.said:
            return None
        del state.told[line.matter]
        return told if told.count else None

    def _take(
        self, state: ChannelState, line: Line, repeats: Line | None, times: tuple[int, int | None]
    ) -> Message | None:
        now_ns, over_ns = times
        told = state.told.get(line.matter)
        if told is not None:  # what is over was forgotten before, what says something else just now
            told.merge(line)
            return None
        waiting = [bag for bag in (state.urgent, state.calm) if bag is not None]
        must_wait = (over_ns is not None and line.level != _CRITICAL) or any(line.said in bag.lines for bag in waiting)
        if must_wait or not self._may_send(state, line, now_ns):
            bag = self._gather(state, line, now_ns, over_ns)
            if repeats is not None:
                bag.add_count(repeats)
            return None
        since_ns = min((bag.since_ns for bag in waiting if bag.has(line.matter)), default=None)
        if since_ns is None:
            self._remember(state, line, now_ns)
            return message_of_line(line, repeats)
        # What waits about the same matter goes with it: told later, it would seem to hold still.
        together = Bag(now_ns, since_ns, line.first, line.last)
        state.move(line.matter, together)
        together.add(line)
        if repeats is not None:
            together.add_count(repeats)
        return self._told(state, together, now_ns)

    def _may_send(self, state: ChannelState, line: Line, now_ns: int) -> bool:
        """One of ``burst`` messages about the topic in ``burst_seconds``, and not the same over and over. Critical ones
        are counted by themselves.
        """
        settings = self.settings
        topic = f"{line.topic}!" if line.level == _CRITICAL else line.topic
        limits = ((topic, settings.burst, settings.burst_seconds), (line.said, _SAME_AT_ONCE, settings.repeat_seconds))
        free = True
        for key, most, seconds in limits:
            sent = [at for at in state.sent.get(key, ()) if now_ns - seconds * NS_PER_SECOND < at <= now_ns]
            state.sent[key] = sent
            free = free and len(sent) < most
        if free:
            for key, _, _ in limits:
                state.sent[key].append(now_ns)
        return free

    def _remember(self, state: ChannelState, line: Line, now_ns: int) -> None:
        """It is told; what says the same is counted for a while, from none on."""
        until_ns = now_ns + int(self.settings.repeat_seconds * NS_PER_SECOND)
        if until_ns > now_ns:
            state.told[line.matter] = replace(line, first=0, count=0, until_ns=until_ns)

    def _forget(self, state: ChannelState, now_ns: int, over_ns: int | None) -> None:
        """What was told long ago may be told again; what was only counted since then goes into the next digest."""
        longest = int(self.settings.repeat_seconds * NS_PER_SECOND)
        # A clock that was set back must not keep anything from being told until it has caught up.
        over = [key for key, one in state.told.items() if not now_ns < one.until_ns <= now_ns + longest]
        for key in over:
            line = state.told.pop(key)
            if line.count:
                self._gather(state, line, now_ns, over_ns)
        since = now_ns - max(self.settings.burst_seconds, self.settings.repeat_seconds) * NS_PER_SECOND
        state.sent = {key: ats for key, ats in state.sent.items() if ats and ats[-1] > since}

    # ------------------------------------------------------------------------------------------ digests

    def _gather(self, state: ChannelState, line: Line, now_ns: int, over_ns: int | None) -> Bag:
        """For a digest, which is returned. What is about one matter waits in one of them: in that of what is critical
        when any of it is.
        """
        is_urgent = line.level == _CRITICAL or (state.urgent is not None and state.urgent.has(line.matter))
        bag = state.urgent if is_urgent else state.calm
        if bag is None:
            is_quiet = over_ns is not None and not is_urgent
            due_ns = over_ns if is_quiet and over_ns is not None else now_ns + self._pause_ns(state, now_ns, is_urgent)
            bag = Bag(due_ns, now_ns, line.first, line.last, is_quiet)
            if is_urgent:
                state.urgent = bag
            else:
                state.calm = bag
        if is_urgent:
            state.move(line.matter, bag)
        bag.add(line)
        return bag

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
            state.urgent_pace.flushed_ns = now_ns
            yield self._told(state, bag, now_ns)
        calm = state.calm
        if calm is None:
            return
        if over_ns is not None:  # a digest that has begun before the quiet hours waits for their end as well
            calm.due_ns, calm.is_quiet = over_ns, True
        elif self._is_due(calm, now_ns, at_end=at_end):
            state.calm = None
            state.calm_pace.flushed_ns = now_ns
            yield self._told(state, calm, now_ns)

    def _is_due(self, bag: Bag, now_ns: int, *, at_end: bool) -> bool:
        """Its time has come, or the clock was set back, which must not hold it up."""
        return at_end or bag.due_ns <= now_ns or bag.since_ns > now_ns

    def _told(self, state: ChannelState, bag: Bag, now_ns: int) -> Message:
        message, told = message_of_bag(bag)
        for line in told:
            self._remember(state, line, now_ns)
        return message
