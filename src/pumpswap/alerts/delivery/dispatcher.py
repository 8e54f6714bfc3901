"""Dispatcher: what brings alerts from the database to people, beside a running engine."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from pumpswap.alerts.delivery.channels import Channel, open_channels
from pumpswap.alerts.delivery.gatherer import Gatherer
from pumpswap.alerts.delivery.mirrors import AlertFile, Mirrors
from pumpswap.alerts.delivery.outbox import MessageOutbox
from pumpswap.clock import Clock
from pumpswap.settings import AlertSettings, Settings
from pumpswap.storage.database import Database

__all__ = ["TURN_SECONDS", "Dispatcher", "open_dispatcher"]

TURN_SECONDS = 1.0  # between two looks at the database
_LAST_SECONDS = 10.0  # so long the end of an engine waits for services; the rest is sent at its next start


class Dispatcher:
    """Any number of processes may have one on the same database: each alert is told once.

    ``turn`` is called again and again, ``finish`` once at the end. ``begin`` says from where on.
    """

    def __init__(self, gatherer: Gatherer, outbox: MessageOutbox, mirrors: Mirrors) -> None:
        self._gatherer, self._outbox, self._mirrors = gatherer, outbox, mirrors

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

    def begin(self) -> None:
        """Alerts that are stored from now on are told; and those that an earlier process has left untold."""
        self._gatherer.begin()
        self._mirrors.begin()

    async def turn(self) -> None:
        """Tell what is new, and try again what has failed. Raises StorageError when the database refuses."""
        await asyncio.to_thread(self._look, at_end=False)
        await self._outbox.turn()

    async def finish(self) -> None:
        """What can be told now is told, since nobody may look again for long; services are waited for ten seconds."""
        with suppress(TimeoutError):  # what was not sent is stored, and is sent at the next start
            async with asyncio.timeout(_LAST_SECONDS):
                await asyncio.to_thread(self._look, at_end=True)
                while await self._outbox.turn(_LAST_SECONDS):
                    pass

    def _look(self, *, at_end: bool) -> None:
        self._mirrors.turn()
        self._gatherer.turn(at_end=at_end)


def open_dispatcher(settings: Settings, database: Database, clock: Clock) -> Dispatcher:
    """By the settings; it has begun. Raises ConfigError for a channel or a file that cannot be used."""
    alerts = settings.alerts
    file = None if alerts.file is None else settings.data_dir / alerts.file.expanduser()
    dispatcher = Dispatcher.of(database, list(open_channels(alerts)), alerts, clock, file)
    dispatcher.begin()
    return dispatcher
