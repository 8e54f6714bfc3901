"""A clock that only sleeping moves: waits are asserted, not lived through."""

from __future__ import annotations

import asyncio

from pumpswap.clock import NS_PER_SECOND, ManualClock


class PatientClock(ManualClock):
    """``sleep`` is what is handed to code that waits; ``slept`` are the waits so far, in seconds."""

    def __init__(self, start_ns: int = 1_791_400_000 * NS_PER_SECOND) -> None:
        super().__init__(start_ns)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance_to(self.now_ns() + round(seconds * NS_PER_SECOND))
        await asyncio.sleep(0)
