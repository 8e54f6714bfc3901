"""Alerts and the person who reads them: seen, muted, and whether they reach him."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpswap.alerts.delivery.channels import AppriseChannel
from pumpswap.alerts.delivery.message import Message, message_of_alert
from pumpswap.alerts.topics import topic_called
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import ConfigError, NotFound
from pumpswap.model import Alert, AlertLevel, Mute
from pumpswap.settings import AlertSettings
from pumpswap.storage.database import Database

__all__ = ["Tried", "acknowledge", "acknowledge_all", "example_of", "mute_topic", "try_channels"]

_TEST = "test"
_TEST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that was sent to a channel at once. ``reason`` is why that failed, without any secret; empty: it was
    taken.
    """

    channel: str
    reason: str


def acknowledge(database: Database, numbers: Sequence[int], clock: Clock, origin: str) -> None:
    """Somebody has seen these alerts, with us and where the host shows them. Raises NotFound, and then none is seen."""
    now_ns, host = clock.now_ns(), database.host_alerts
    has_host = host.is_there()
    with database.batch():
        for number in numbers:
            database.alerts.acknowledge(number, now_ns, origin)
            if has_host:
                host.acknowledge(number, now_ns)


def acknowledge_all(database: Database, clock: Clock, origin: str, last: int | None = None) -> int:
    """As ``acknowledge``, of all that are there, or of those up to number ``last``: who was shown these has not seen
    what came since. Returns how many nobody had seen before.
    """
    newest = next(iter(database.alerts.newest(1)), None)
    if newest is None:
        return 0
    number = newest.number if last is None else min(last, newest.number)
    now_ns, host = clock.now_ns(), database.host_alerts
    has_host = host.is_there()
    with database.batch():
        if has_host:
            host.acknowledge_all(number, now_ns)
        return database.alerts.acknowledge_all(number, now_ns, origin)


def mute_topic(database: Database, wanted: Mute, seconds: int) -> Mute:
    """Mute ``wanted`` from its ``at_ns`` for so long, instead of how it is muted now. Raises NotFound for a topic that
    there is not.
    """
    topic_called(wanted.topic)
    with database.batch():
        database.mutes.end(wanted.topic, wanted.subject, wanted.at_ns)
        return database.mutes.add(replace(wanted, until_ns=wanted.at_ns + seconds * NS_PER_SECOND))


def example_of(topic: str, database: Database | None, clock: Clock) -> Message:
    """What is sent about the newest alert of a topic, as it was sent or would be; where there is none yet, what the
    topic is about. Raises NotFound for a topic that there is not.
    """
    known = topic_called(topic)
    newest = () if database is None or topic == _TEST else database.alerts.newest(1, topic=topic)
    if newest:
        return message_of_alert(newest[0])
    text = f"an example; there was no such alert yet. It is told when {known.about}"
    if topic == _TEST:
        text = "this channel works: alerts that are sent to it get here"
    return message_of_alert(Alert(clock.now_ns(), AlertLevel(known.level), topic, "", text))


def try_channels(settings: AlertSettings, names: Sequence[str], message: Message) -> Sequence[Tried]:
    """Send ``message`` at once to these channels, or to all, whatever they usually take. Raises ConfigError when there
    are none, or one cannot be used; NotFound for a name that is none.
    """
    if not settings.channels:
        raise ConfigError(
            "no channel is configured: alerts are stored, and nobody is told",
            hint="alerts.channels takes a name and a URL, for example {name: phone, url: 'tgram://TOKEN/CHAT'}",
        )
    known = {channel.name: channel for channel in settings.channels}
    missing = [name for name in names if name not in known]
    if missing:
        raise NotFound(f"there is no channel {missing[0]}", hint=f"one of: {', '.join(known)}")
    chosen = [AppriseChannel(known[name]) for name in dict.fromkeys(names or known)]
    return [Tried(channel.name, channel.send(message, _TEST_SECONDS)) for channel in chosen]
