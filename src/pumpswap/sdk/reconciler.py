"""Reconciler: compares books and wallet while a trader runs, on a schedule."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pumpswap.clock import Clock
from pumpswap.errors import PumpSwapError, StorageError
from pumpswap.model import Alert, AlertLevel
from pumpswap.storage.run import Run

__all__ = ["MOST_PUT_OFF", "Reconciler"]

MOST_PUT_OFF = 10


class Reconciler:
    """Runs ``compare`` every so many seconds. One that cannot be made becomes an alert, told once.

    ``compare`` returns False when nothing could be compared, since something is on its way: that is usual, and told
    when it goes on for ``MOST_PUT_OFF`` times.
    """

    def __init__(self, compare: Callable[[], Awaitable[object]], run: Run, clock: Clock, seconds: float) -> None:
        self._compare = compare
        self._run_of_books = run
        self._clock = clock
        self._seconds = seconds
        self._failure = ""
        self._put_off = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; 0 seconds: never."""
        if self._seconds:
            self._task = asyncio.create_task(self._run())

    def obstacle(self) -> str:
        """Why books and wallet are not compared any more; empty while they are, or where nobody wants it."""
        if self._task is None or not self._task.done():
            return ""
        failed = None if self._task.cancelled() else self._task.exception()
        return f"books and wallet are not compared any more: {failed!r}. Exits go on; start again"

    async def aclose(self) -> None:
        """Stop. Raises what has ended it, if anything did."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                self._count(await self._compare() is not False)
            except PumpSwapError as error:
                self._tell_once(error.what)
            except Exception as error:
                self._tell(AlertLevel.CRITICAL, f"books and wallet are not compared any more: {error!r}")
                raise
            else:
                self._failure = ""

    def _count(self, is_compared: bool) -> None:
        self._put_off = 0 if is_compared else self._put_off + 1
        if self._put_off == MOST_PUT_OFF:
            text = "an order or a chore is on its way, or its fate is not known: see the alerts about it"
            with contextlib.suppress(StorageError):
                self._tell(
                    AlertLevel.WARNING, f"books and wallet were not compared {self._put_off} times in a row: {text}"
                )

    def _tell_once(self, failure: str) -> None:
        if failure != self._failure:
            # Told at the next one otherwise: the database may be what has failed.
            with contextlib.suppress(StorageError):
                self._tell(AlertLevel.WARNING, f"books and wallet could not be compared: {failure}")
                self._failure = failure

    def _tell(self, level: AlertLevel, text: str) -> None:
        self._run_of_books.alert(Alert(self._clock.now_ns(), level, "reconcile", "", text))
