"""Reconciler: compares books and wallet while a trader runs, on a schedule."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pumpswap.clock import Clock
from pumpswap.errors import PumpSwapError, StorageError
from pumpswap.model import Alert, AlertLevel
from pumpswap.storage.run import Run

__all__ = ["Reconciler"]


class Reconciler:
    """Runs ``compare`` every so many seconds. One that cannot be made becomes an alert, told once."""

    def __init__(self, compare: Callable[[], Awaitable[object]], run: Run, clock: Clock, seconds: float) -> None:
        self._compare = compare
        self._run_of_books = run
        self._clock = clock
        self._seconds = seconds
        self._failure = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; 0 seconds: never."""
        if self._seconds:
            self._task = asyncio.create_task(self._run())

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
                await self._compare()
            except PumpSwapError as error:
                self._tell_once(error.what)
            except Exception as error:
                self._tell(AlertLevel.CRITICAL, f"books and wallet are not compared any more: {error!r}")
                raise
            else:
                self._failure = ""

    def _tell_once(self, failure: str) -> None:
        if failure != self._failure:
            # Told at the next one otherwise: the database may be what has failed.
            with contextlib.suppress(StorageError):
                self._tell(AlertLevel.WARNING, f"books and wallet could not be compared: {failure}")
                self._failure = failure

    def _tell(self, level: AlertLevel, text: str) -> None:
        self._run_of_books.alert(Alert(self._clock.now_ns(), level, "reconcile", "", text))
