"""Outbox: sends stored messages, again and again until a service takes them or their time is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pumpswap.alerts.delivery.channels import Channel
from pumpswap.alerts.delivery.lane import Lane, give_up
from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.delivery.worker import Worker
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.settings import AlertSettings
from pumpswap.storage.database import Database

__all__ = ["MessageOutbox"]

_AT_ONCE = 20
_TIDY_NS = 600 * NS_PER_SECOND  # so often it is looked for messages that nobody sends or asks for any more
# So long it can be looked up what became of a message: a month, since then the alert itself is what anybody asks for.
_KEPT_NS = 30 * 86_400 * NS_PER_SECOND
_REMOVED_AT_ONCE = 500  # in one transaction, which holds up others who write


class MessageOutbox:
    """Messages may be sent twice (a process was killed between sending and storing that), never lost. Each channel has
    its own thread: a service that is slow holds up its own messages only.
    """

    def __init__(self, database: Database, channels: Iterable[Channel], settings: AlertSettings, clock: Clock) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._lanes = [Lane(database, channel, settings, clock) for channel in channels]
        self._tidied_ns = 0

    @property
    def workers(self) -> Sequence[Worker]:
        """Who sends."""
        return [lane.worker for lane in self._lanes]

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for an answer from now on."""
        for lane in self._lanes:
            lane.hurry(seconds)

    def tell(self, message: Message, topic: str) -> None:
        """Begin to send this past the database, once, to every channel that takes ``topic``."""
        takers = {channel.name for channel in self._settings.channels if not channel.topics or topic in channel.topics}
        for lane in self._lanes:
            if lane.name in takers:
                lane.tell(message)

    def tidy(self) -> None:
        """Now and then: messages to channels that the settings do not know (any more) are given up when their time is
        over, since another engine with other settings may know them; and what was sent or given up long ago is removed.
        """
        now_ns = self._clock.now_ns()
        if 0 <= now_ns - self._tidied_ns < _TIDY_NS:
            return
        self._tidied_ns = now_ns
        long_ago = now_ns - self._settings.give_up_hours * 3_600 * NS_PER_SECOND
        reason = "no engine that runs has this channel in its settings"
        for lost in self._database.deliveries.forsaken([lane.name for lane in self._lanes], long_ago, _AT_ONCE):
            give_up(self._database, replace(lost, error=lost.error or reason), now_ns)
        self._database.deliveries.remove(now_ns - _KEPT_NS, _REMOVED_AT_ONCE)
