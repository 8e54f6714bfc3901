"""Errand: something that is done now and then beside the market: a file read again, a token looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pumpswap.engine.feed import FeedTools, Sink

__all__ = ["Errand"]


class Errand:
    """Runs like a feed that brings no news; entries do not depend on it. An error is told, and it is tried again."""

    stale_seconds = 0.0

    def __init__(
        self, name: str, every_seconds: float, work: Callable[[], Awaitable[object]], tools: FeedTools
    ) -> None:
        self.name = name
        self._every_seconds, self._work, self._tools = every_seconds, work, tools

    async def run(self, sink: Sink) -> None:
        while True:
            await self._work()
            sink.alive()
            await self._tools.sleep(self._every_seconds)
