"""Delivers alerts until it is killed: ``python -m tests.alerts.delivery.delivering_process DATABASE PORT SINCE_NS``.

Its clock goes a hundred times as fast as the machine's, since ``SINCE_NS``: what waits for a minute need not be waited
for by a test.
"""

from __future__ import annotations

import asyncio
import sys
import time

from pumpswap.alerts.delivery.channels import open_channels
from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.storage import open_database
from tests.alerts.delivery.samples import START, settings_of

SPEED = 100


class FastClock:
    """The same for all processes that are given the same ``since_ns``."""

    def __init__(self, since_ns: int) -> None:
        self._since_ns = since_ns

    def now_ns(self) -> int:
        return START + (time.time_ns() - self._since_ns) * SPEED


async def deliver(target: str, port: int, since_ns: int) -> None:
    settings = settings_of(channel={"url": f"json://127.0.0.1:{port}/hook"}, retry_seconds=1)
    with open_database(target) as database:
        dispatcher = Dispatcher.of(database, list(open_channels(settings)), settings, FastClock(since_ns), None)
        dispatcher.begin()
        print("ready", flush=True)
        while True:
            await dispatcher.turn()
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(deliver(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
