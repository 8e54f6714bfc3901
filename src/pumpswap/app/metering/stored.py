"""StoredFigures: reads now and then what only the database knows, in a thread, so that the engine does not wait."""

from __future__ import annotations

import asyncio

from pumpswap.app.metering.meters import Meters
from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.storage.database import Database
from pumpswap.storage.run import Run

__all__ = ["StoredFigures"]

_EVERY_SECONDS = 10.0  # Prometheus asks every 15 to 60


class StoredFigures:
    """A helper of a run; implements ``Feed``."""

    name = "metrics from the books"
    stale_seconds = 0.0

    def __init__(self, database: Database, run: Run, meters: Meters, tools: FeedTools | None = None) -> None:
        self._database, self._run, self._meters = database, run, meters
        self._tools = tools or FeedTools()

    async def run(self, sink: Sink) -> None:
        while True:
            found = await asyncio.gather(
                self._tools.in_thread(self._run.books.totals),
                self._tools.in_thread(self._database.deliveries.counts),
                self._tools.in_thread(self._run.reconciliations.latest),
            )
            self._meters.stored(*found)
            sink.alive()
            await self._tools.sleep(_EVERY_SECONDS)
