"""SignatureWakes: tells a sender that a transaction of its may be confirmed, without asking again and again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from pumpswap.chain.streams.records import SignatureSeen
from pumpswap.chain.streams.stream import ChainStream
from pumpswap.chain.streams.watches import SignatureWatch

__all__ = ["SignatureWakes"]


class SignatureWakes:
    """``run`` in a task of its own, and give ``wake`` to a sender. A hint only: the sender still asks for the status.

    The stream must be this object's alone. At most ``limit`` signatures are watched; the oldest is dropped for a new
    one, and its sender goes on by asking.
    """

    def __init__(self, stream: ChainStream, *, limit: int = 256) -> None:
        self._stream = stream
        self._limit = limit
        self._seen: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Until the stream is closed, or this task is cancelled."""
        async with aclosing(self._stream.records()) as records:
            async for record in records:
                if isinstance(record, SignatureSeen) and record.signature in self._seen:
                    self._seen[record.signature].set()

    async def wake(self, signature: str) -> None:
        """Return when the signature has reached the commitment of the stream; may be cancelled and called again."""
        event = self._seen.get(signature)
        if event is None:
            event = self._seen[signature] = asyncio.Event()
            for oldest in list(self._seen)[: -self._limit]:
                del self._seen[oldest]
                await self._stream.unwatch(SignatureWatch(oldest))
        if not event.is_set():
            await self._stream.watch(SignatureWatch(signature))
        await event.wait()
