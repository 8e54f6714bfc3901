"""A database, a clock, dispatchers and services that can be out of order, for the tests of delivery."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.alerts.delivery.message import Message
from pumpswap.clock import ManualClock
from pumpswap.model import Alert, AlertLevel
from pumpswap.storage import Database, open_database
from tests.alerts.delivery.samples import INFO, SECOND, START, settings_of


class Phone:
    """A service that can be out of order, or refuse messages that contain a word."""

    def __init__(self, name: str = "phone", refuses: str = "") -> None:
        self.name, self.reason, self.refuses = name, "", refuses
        self.got: list[Message] = []
        self.asked = 0

    def send(self, message: Message, seconds: float) -> str:
        self.asked += 1
        if self.refuses and self.refuses in message.body:
            return "it does not like this one"
        if not self.reason:
            self.got.append(message)
        return self.reason


class SlowPhone(Phone):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def send(self, message: Message, seconds: float) -> str:
        self.is_asked.set()
        assert self.may_answer.wait(10)
        return super().send(message, seconds)


class Desk:
    """A database, a clock, and dispatchers on it."""

    def __init__(self, target: str | Path) -> None:
        self.target, self.clock, self.phone = target, ManualClock(START), Phone()
        self.database: Database = open_database(target)

    def tell(self, text: str, level: AlertLevel = INFO, topic: str = "entry", subject: str = "") -> int:
        return self.database.alerts.add(Alert(self.clock.now_ns(), level, topic, subject, text))

    def dispatcher(self, *channels: Phone, file: Path | None = None, **changes: Any) -> Dispatcher:
        settings = settings_of(**changes)
        found = Dispatcher.of(self.database, list(channels) or [self.phone], settings, self.clock, file)
        found.begin()
        return found

    def turn(self, dispatcher: Dispatcher, seconds: float = 1.0) -> None:
        self.clock.advance_to(self.clock.now_ns() + int(seconds * SECOND))
        asyncio.run(turned(dispatcher))

    @property
    def texts(self) -> list[str]:
        return [message.body.partition("\n")[0] for message in self.phone.got]


async def turned(dispatcher: Dispatcher) -> None:
    """A turn, and everything that it has begun."""
    await dispatcher.turn()
    await dispatcher.settled()
