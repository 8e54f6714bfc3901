"""Alerts, settings and channels for the tests of delivery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.delivery.policy import ChannelPolicy
from pumpswap.alerts.delivery.state import ChannelState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Alert, AlertLevel, Mute
from pumpswap.settings import AlertSettings, ChannelSettings

SECOND = NS_PER_SECOND
START = 1_790_000_000 * NS_PER_SECOND
INFO, WARNING, ERROR, CRITICAL = AlertLevel.INFO, AlertLevel.WARNING, AlertLevel.ERROR, AlertLevel.CRITICAL


def alert(number: int, level: AlertLevel = INFO, topic: str = "entry", subject: str = "", text: str = "") -> Alert:
    """Each with a text of its own, unless it is given."""
    return Alert(START + number, level, topic, subject or f"pool {number}", text or f"text of {number}", number)


def settings_of(**changes: Any) -> AlertSettings:
    """With one channel."""
    channel = {"name": "phone", "url": "json://127.0.0.1:9/x"} | changes.pop("channel", {})
    return AlertSettings(**({"channels": (ChannelSettings(**channel),)} | changes))


class Desk:
    """A channel's policy with its state, and what it has sent."""

    def __init__(self, **changes: Any) -> None:
        settings = settings_of(**changes)
        self.policy = ChannelPolicy.of(settings.channels[0], settings)
        self.state = ChannelState()
        self.sent: list[Message] = []
        self.now_ns = START

    def at(self, now_ns: int, alerts: Iterable[Alert] = (), mutes: Sequence[Mute] = ()) -> list[Message]:
        """What is sent at that moment."""
        self.now_ns = now_ns
        messages = self.policy.take(self.state, alerts, mutes, now_ns) + self.policy.settle(self.state, now_ns)
        self.sent += messages
        return messages

    def after(self, seconds: float, alerts: Iterable[Alert] = (), mutes: Sequence[Mute] = ()) -> list[Message]:
        """So long after the last look."""
        return self.at(self.now_ns + int(seconds * SECOND), alerts, mutes)

    def until_quiet(self) -> None:
        """Look whenever something is due, until nothing is left to tell."""
        for _ in range(1_000):
            due = [bag.due_ns for bag in (self.state.urgent, self.state.calm) if bag is not None]
            due += [line.until_ns for line in self.state.told.values() if line.count]
            self.at(max(self.now_ns + 10 * SECOND, min(due, default=0)))
            if not self.waiting:
                return
        raise AssertionError("it never ends")

    @property
    def waiting(self) -> int:
        """Alerts that are in no message yet."""
        bags = [bag for bag in (self.state.urgent, self.state.calm) if bag is not None]
        return sum(bag.count for bag in bags) + sum(line.count for line in self.state.told.values())

    @property
    def told(self) -> int:
        """Alerts that messages tell of."""
        return sum(message.alerts for message in self.sent)
