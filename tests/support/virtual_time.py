"""An event loop whose time passes when everybody sleeps, and then at once: hours of a supervisor in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from pumpswap.clock import NS_PER_SECOND

T = TypeVar("T")


class _Skipping(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("every task waits for something that nobody will do")
        events = super().select(0)
        if not events:
            self.now += max(timeout, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """``skip`` lets time pass while somebody works, as a blocking call does."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now

    def skip(self, seconds: float) -> None:
        self._skipping.now += seconds


class LoopClock:
    """The loop's time, from ``start_ns``."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns

    def now_ns(self) -> int:
        return self._start_ns + round(asyncio.get_running_loop().time() * NS_PER_SECOND)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; no task may be left over."""
    loop = VirtualLoop()
    try:
        result = loop.run_until_complete(work)
        left = asyncio.all_tasks(loop)
        assert not left, f"tasks are left: {left}"
        return result
    finally:
        loop.close()


def skip(seconds: float) -> None:
    """Work for so long without letting anybody else run."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.skip(seconds)
