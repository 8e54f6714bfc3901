"""Dispatcher: what brings alerts from the database to people, beside a running engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pumpswap.alerts.delivery.alert_file import AlertFile
from pumpswap.alerts.delivery.channels import Channel, open_channels
from pumpswap.alerts.delivery.gatherer import Gatherer
from pumpswap.alerts.delivery.message import message_of_alert
from pumpswap.alerts.delivery.mirrors import Mirrors
from pumpswap.alerts.delivery.outbox import MessageOutbox
from pumpswap.alerts.delivery.worker import Worker, until_idle
from pumpswap.clock import Clock
from pumpswap.model import Alert
from pumpswap.settings import AlertSettings, Settings
from pumpswap.storage.database import Database

__all__ = ["TURN_SECONDS", "Dispatcher", "open_dispatcher"]

TURN_SECONDS = 1.0  # between two looks at the database
_LAST_SECONDS = 10.0  # so long the end of an engine waits for services; the rest is sent at its next start
_DIRECT_SECONDS = 25.0  # for one message that may wait until a service has answered to the one before


class Dispatcher:
    """Any number of processes may have one on the same database: each alert is told once.

    ``turn`` is called again and again, ``finish`` once at the end. ``begin`` says from where on. Each channel is served
    by a thread of its own, and so are the file and the host's table: none of them can hold up another.
    """

    def __init__(self, gatherer: Gatherer, outbox: MessageOutbox, mirrors: Mirrors) -> None:
        self._gatherer, self._outbox, self._mirrors = gatherer, outbox, mirrors
        self._mirroring = Worker("alert mirrors", mirrors.turn)

    def __bool__(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._gatherer) or bool(self._mirrors)

    @classmethod
    def of(
        cls, database: Database, channels: list[Channel], settings: AlertSettings, clock: Clock, file: Path | None
    ) -> Dispatcher:
        """With these channels. Raises ConfigError when the file cannot be written."""
        mirrors = Mirrors(database, clock, None if file is None else AlertFile(file))
        return cls(Gatherer(database, settings, clock), MessageOutbox(database, channels, settings, clock), mirrors)

    def begin(self, before: int | None = None) -> None:
        """Alerts that are stored from now on are told, or those after number ``before``; and those that an earlier
        process has left untold.
        """
        self._gatherer.begin(before)
        self._mirrors.begin(before)

    async def turn(self) -> None:
        """Begin to tell what is new, and to try again what has failed, without waiting for anybody. Raises StorageError
        when the database refuses, or has refused since the last turn.
        """
        await self._look(at_end=False)
        for worker in self._workers:
            worker.check()

    async def settled(self) -> None:
        """Wait until everything is sent and written that can be now."""
        await until_idle(self._workers)

    async def tell_directly(self, alert: Alert) -> None:
        """Send it past the database, once, to every channel that takes its topic; for what the database does not take.
        Waits for the services for a while.
        """
        self._outbox.tell(message_of_alert(alert), alert.topic)
        with suppress(TimeoutError):
            async with asyncio.timeout(_DIRECT_SECONDS):
                await until_idle(self._outbox.workers)

    async def finish(self) -> None:
        """What can be told now is told, since nobody may look again for long; services are waited for ten seconds.
        Nothing is begun after that.
        """
        self._outbox.hurry(_LAST_SECONDS)
        try:
            with suppress(TimeoutError):  # what was not sent is stored, and is sent at the next start
                async with asyncio.timeout(_LAST_SECONDS):
                    await self._look(at_end=True)
                    await self.settled()
        finally:
            for worker in self._workers:
                worker.stop()
        for worker in self._workers:
            worker.check()

    @property
    def _workers(self) -> Sequence[Worker]:
        return (*self._outbox.workers, self._mirroring)

    async def _look(self, *, at_end: bool) -> None:
        try:
            await asyncio.to_thread(self._gather, at_end=at_end)
        finally:  # whatever keeps new messages from being made, those that wait are sent
            for worker in self._workers:
                worker.start()

    def _gather(self, *, at_end: bool) -> None:
        self._gatherer.turn(at_end=at_end)
        self._outbox.tidy()


def open_dispatcher(settings: Settings, database: Database, clock: Clock, before: int | None = None) -> Dispatcher:
    """By the settings; it has begun, with the alert after number ``before``, by default with the next one. Raises
    ConfigError for a channel or a file that cannot be used.
    """
    alerts = settings.alerts
    file = None if alerts.file is None else settings.data_dir / alerts.file.expanduser()
    dispatcher = Dispatcher.of(database, list(open_channels(alerts)), alerts, clock, file)
    dispatcher.begin(before)
    return dispatcher
