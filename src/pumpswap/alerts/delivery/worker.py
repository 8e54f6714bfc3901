"""Worker: a thread of its own for something that may take long, and that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable

__all__ = ["Worker", "until_idle"]

_LOOK_SECONDS = 0.01


class Worker:
    """Does ``work`` as often as it is asked to, once at a time. Its thread keeps no process from ending."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name, self._work = name, work
        self._lock = threading.Lock()
        self._is_wanted = self._is_busy = False
        self._failure: Exception | None = None
        self._stopped = threading.Event()

    @property
    def is_busy(self) -> bool:
        """Whether it has not come to an end yet."""
        return self._is_busy

    @property
    def is_stopped(self) -> bool:
        """Whether ``work`` is to end soon."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Do it; when it is being done, do it once more afterwards."""
        with self._lock:
            self._is_wanted = not self.is_stopped
            if self._is_busy or not self._is_wanted:
                return
            self._is_busy = True
        try:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        except RuntimeError:  # this process may have no more threads at the moment: the next turn tries again
            with self._lock:
                self._is_busy = False
            raise

    def stop(self) -> None:
        """Nothing more is begun."""
        self._stopped.set()

    def check(self) -> None:
        """Raises what has broken ``work`` since the last time."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _run(self) -> None:
        while self._goes_on():
            try:
                self._work()
            except Exception as failed:  # raised where somebody listens: see ``check``
                self._failure = failed

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_busy = self._is_wanted and not self.is_stopped
            self._is_wanted = False
            return self._is_busy


async def until_idle(workers: Iterable[Worker]) -> None:
    """Until all of them have come to an end."""
    for worker in workers:
        while worker.is_busy:
            await asyncio.sleep(_LOOK_SECONDS)
