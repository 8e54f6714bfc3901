"""Confirmations: the subscription that wakes a sender as soon as a transaction of its is confirmed."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

from pumpswap.chain.streams import ChainStream, SignatureWakes, SlotWatchdog, StreamParts, stream_endpoints
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.sdk.connection import ChainConnection

__all__ = ["Confirmations"]


class Confirmations:
    """A stream of its own, for signatures only. Without it, or while it is down, the sender finds out by polling."""

    def __init__(self, connection: ChainConnection, rng: Random) -> None:
        chain, clock = connection.settings.chain, connection.clock
        warnings = Warnings(clock)
        watchdog = SlotWatchdog(connection.node, clock, warnings, stale_after_slots=chain.stale_after_slots)
        self._stream = ChainStream(stream_endpoints(chain.endpoints), [], StreamParts(clock, rng, watchdog, warnings))
        self._wakes = SignatureWakes(self._stream)
        self._task: asyncio.Task[None] | None = None

    async def wake(self, signature: str) -> None:
        """Return when the signature is confirmed, as far as one endpoint says. The first call opens the stream."""
        if self._task is None:
            self._task = asyncio.create_task(self._wakes.run())
        await self._wakes.wake(signature)

    async def aclose(self) -> None:
        """Close the stream. Raises what has stopped it, if that was not a connection."""
        await self._stream.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
