"""Hub: tells all viewers that something was stored, after one look at the database for all of them.

The less there is to do the better for the engine beside us: nobody watches, nobody looks; a viewer that cannot follow
hears of the newest change only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from pumpswap.errors import PumpSwapError
from pumpswap.storage.change_watch import ChangeWatch
from pumpswap.web.store import Store

__all__ = ["MOST_VIEWERS", "Hub"]

MOST_VIEWERS = 200
KEEP_ALIVE_SECONDS = 15.0
_LONGEST_STREAM_SECONDS = 3_600.0  # then a browser connects anew, and passes the gate again
_TICK_CHANGES = 5.0  # ages and locks move on by themselves: so often a page is new although nothing was stored
_log = logging.getLogger(__name__)


class Hub:
    """``generation`` rises with every change that was seen; renderings of an older one are not shown any more."""

    def __init__(self, store: Store, refresh_seconds: float) -> None:
        self.generation = 0
        self._store, self._refresh = store, refresh_seconds
        self._viewers: set[asyncio.Event] = set()
        self._watch: ChangeWatch | None = None
        self._awake = asyncio.Event()
        self._is_closed = False

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @property
    def is_full(self) -> bool:
        """Whether nobody more can watch."""
        return len(self._viewers) >= MOST_VIEWERS

    async def run(self) -> None:
        """Look, tell, wait; for ever."""
        since_change = 0.0
        try:
            while True:
                await self._awake.wait()
                since_change += self._refresh
                if await asyncio.to_thread(self._has_changed) or since_change >= _TICK_CHANGES:
                    since_change = 0.0
                    self.tell()
                await asyncio.sleep(self._refresh)
        finally:
            self._forget()

    def tell(self) -> None:
        """Something has changed: also called at once after an action of somebody here."""
        self.generation += 1
        for viewer in self._viewers:
            viewer.set()

    def close(self) -> None:
        """End all streams: the server goes."""
        self._is_closed = True
        self.tell()

    async def stream(self) -> AsyncIterator[bytes]:
        """Server-sent events for one viewer: ``changed``, with the generation, at once and after every change."""
        heard, loop = asyncio.Event(), asyncio.get_running_loop()
        until = loop.time() + _LONGEST_STREAM_SECONDS
        if not self._viewers:
            self.generation += 1  # nobody has looked since the last one left: nothing that is kept is known to hold
        self._viewers.add(heard)
        self._awake.set()
        try:
            yield b"retry: 2000\n\n"
            yield self._message()
            while loop.time() < until and not self._is_closed:
                try:
                    await asyncio.wait_for(heard.wait(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                heard.clear()
                if not self._is_closed:
                    yield self._message()
        finally:
            self._viewers.discard(heard)
            if not self._viewers:
                self._awake.clear()

    def _message(self) -> bytes:
        return f"event: changed\nid: {self.generation}\ndata: {self.generation}\n\n".encode()

    def _has_changed(self) -> bool:
        """A database that cannot be read is looked at again; whoever asks for a page is told what is wrong."""
        try:
            if self._watch is None:
                self._watch = self._store.database().change_watch()
            return self._watch.has_changed()
        except PumpSwapError as error:
            _log.warning("the database cannot be watched: %s", error.what)
            self._forget()
            return False

    def _forget(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            with suppress(PumpSwapError):
                watch.close()
