"""Outbox: sends stored messages, again and again until a service takes them or their time is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import replace

from pumpswap.alerts.delivery.channels import Channel
from pumpswap.alerts.delivery.message import Message
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.model import Alert, AlertLevel, Delivery, DeliveryStatus
from pumpswap.settings import AlertSettings
from pumpswap.storage.database import Database

__all__ = ["MessageOutbox"]

_AT_ONCE = 20
# Nobody else takes a message while its service may still be answering; after a crash it is sent again then.
_TAKEN_NS = 60 * NS_PER_SECOND
_SEND_SECONDS = 20.0  # then a service has failed, whatever it is doing
_LONGEST_PAUSE = 3_600
_FORSAKEN_NS = 600 * NS_PER_SECOND  # so often it is looked for messages that nobody sends any more


class MessageOutbox:
    """Messages may be sent twice (a process was killed between sending and storing that), never lost: a message is
    taken in the database before it is sent, so that two processes do not send it at once.
    """

    def __init__(self, database: Database, channels: Iterable[Channel], settings: AlertSettings, clock: Clock) -> None:
        self._database, self._settings, self._clock = database, settings, clock
        self._channels = {channel.name: channel for channel in channels}
        self._longest_ns = max(_LONGEST_PAUSE, settings.retry_seconds) * NS_PER_SECOND
        self._forsaken_ns = 0
        self._rests: dict[str, int] = {}  # until then a service that has failed is left alone, by channel
        self._locks = {name: threading.Lock() for name in self._channels}

    async def turn(self, seconds: float = _SEND_SECONDS) -> bool:
        """Send what is due, waiting so long for each answer; a service that is slow holds up its own channel only.

        Returns whether there is more to send now.
        """
        await asyncio.to_thread(self._forsake)
        now_ns = self._clock.now_ns()
        beyond_ns = now_ns + self._longest_ns  # a clock that was set back must not let a channel rest for ever
        ready = [
            channel for name, channel in self._channels.items() if not now_ns < self._rests.get(name, 0) <= beyond_ns
        ]
        found = await asyncio.gather(
            *(asyncio.to_thread(self._send_some, channel, seconds) for channel in ready), return_exceptions=True
        )
        for error in found:
            if isinstance(error, BaseException):
                raise error
        return any(found)

    def _send_some(self, channel: Channel, seconds: float) -> bool:
        """Whether there may be more that it would take."""
        lock = self._locks[channel.name]
        if not lock.acquire(timeout=seconds):  # a turn that was given up may still be waiting for the service
            return False
        try:
            now_ns = self._clock.now_ns()
            beyond_ns = now_ns + self._longest_ns
            waiting = self._database.deliveries.due(now_ns, _AT_ONCE, channel.name, beyond_ns=beyond_ns)
            for delivery in sorted(waiting, key=lambda each: (each.level is not AlertLevel.CRITICAL, each.number)):
                if not self._send(channel, delivery, seconds):
                    return False
            return len(waiting) == _AT_ONCE
        finally:
            lock.release()

    def _send(self, channel: Channel, delivery: Delivery, seconds: float) -> bool:
        """Whether the service is well."""
        taken = self._database.deliveries.take(delivery, self._clock.now_ns() + _TAKEN_NS)
        if taken is None:
            return True
        about = (taken.alerts, taken.first_alert, taken.last_alert)
        reason = channel.send(Message(taken.level, taken.title, taken.body, *about), seconds)
        now_ns = self._clock.now_ns()
        if not reason:
            self._rests.pop(channel.name, None)
            self._database.deliveries.change(
                replace(taken, status=DeliveryStatus.SENT, sent_ns=now_ns, due_ns=now_ns, error="")
            )
            return True
        again_ns = now_ns + self._pause_ns(taken.tries)
        self._rests[channel.name] = again_ns
        if self._is_over(taken, now_ns):
            self._give_up([replace(taken, error=reason)], now_ns)
        else:
            self._database.deliveries.change(replace(taken, due_ns=again_ns, error=reason))
        return False

    def _pause_ns(self, tries: int) -> int:
        """Doubles with every try, up to an hour."""
        doubled = (self._settings.retry_seconds << min(tries - 1, 12)) * NS_PER_SECOND
        return min(doubled, self._longest_ns)

    def _is_over(self, delivery: Delivery, now_ns: int) -> bool:
        return now_ns - delivery.created_ns >= self._settings.give_up_hours * 3_600 * NS_PER_SECOND

    def _forsake(self) -> None:
        """Messages to channels that the settings do not know (any more) are given up when their time is over: another
        engine with other settings may know them.
        """
        now_ns = self._clock.now_ns()
        if 0 <= now_ns - self._forsaken_ns < _FORSAKEN_NS:
            return
        self._forsaken_ns = now_ns
        long_ago = now_ns - self._settings.give_up_hours * 3_600 * NS_PER_SECOND
        lost = self._database.deliveries.forsaken(tuple(self._channels), long_ago, _AT_ONCE)
        if lost:
            reason = "no engine that runs has this channel in its settings"
            self._give_up([replace(each, error=each.error or reason) for each in lost], now_ns)

    def _give_up(self, deliveries: Iterable[Delivery], now_ns: int) -> None:
        """Their alerts stay in the database; that they were not delivered is an alert as well."""
        for one in deliveries:
            text = (
                f"a message about {one.alerts:,} {'alert' if one.alerts == 1 else 'alerts'} was given up after "
                f"{one.tries} {'try' if one.tries == 1 else 'tries'}: {one.error}. "
                "`pumpswap alerts deliveries` lists it; then try the channel: `pumpswap alerts test`"
            )
            with self._database.batch():
                self._database.deliveries.change(replace(one, status=DeliveryStatus.FAILED))
                self._database.alerts.add(Alert(now_ns, AlertLevel.ERROR, "delivery", one.channel, text))
