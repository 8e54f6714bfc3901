"""ChainStream: subscriptions that outlive their connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from pumpswap.chain.streams.endpoint import StreamEndpoint
from pumpswap.chain.streams.records import (
    AccountChanged,
    Connected,
    Disconnected,
    LogsSeen,
    SignatureSeen,
    SlotSeen,
    StreamRecord,
)
from pumpswap.chain.streams.socket import Socket, SocketOptions
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.chain.streams.watchdog import SlotWatchdog
from pumpswap.chain.streams.watches import SignatureWatch, SlotWatch, Watch
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import ChainError, ConfigError, EndpointDown

__all__ = ["ChainStream", "OneConnection", "StreamOptions", "StreamParts"]

Sleep = Callable[[float], Awaitable[None]]


class OneConnection(Protocol):
    """What the stream needs of a connection: see Socket."""

    malformed: int

    async def subscribe(self, watches: Sequence[Watch]) -> None: ...

    async def unsubscribe(self, watch: Watch) -> None: ...

    async def next(self) -> StreamRecord: ...

    def abort(self, reason: str) -> None: ...

    async def close(self) -> None: ...


Opener = Callable[[StreamEndpoint, SocketOptions], Awaitable[OneConnection]]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How often and where to connect again.

    The pause doubles from ``first_pause_seconds`` to ``longest_pause_seconds`` and is drawn between its half and its
    whole, so that many clients of one endpoint do not come back together. After ``failures_per_endpoint`` failures in
    a row, or as soon as it is stale, the next endpoint is taken. A connection that held ``stable_seconds`` clears the
    count: one that breaks at once must not be tried without a pause for ever.
    """

    first_pause_seconds: float = 0.25
    longest_pause_seconds: float = 30.0
    failures_per_endpoint: int = 2
    stable_seconds: float = 10.0
    check_seconds: float = 2.0
    socket: SocketOptions = field(default_factory=SocketOptions)


@dataclass(frozen=True, slots=True)
class StreamParts:
    """What a stream works with; tests give their own."""

    clock: Clock
    rng: Random
    watchdog: SlotWatchdog
    warnings: Warnings
    sleep: Sleep = asyncio.sleep
    open: Opener = Socket.open


class ChainStream:
    """Iterate ``records``: Connected, notifications, Disconnected, and again, until ``close``.

    A slot subscription is always among the watches: the watchdog needs it. Nothing is raised for a connection that
    fails; only the watchdog's ``is_stale`` and the records tell.
    """

    def __init__(
        self,
        endpoints: Sequence[StreamEndpoint],
        watches: Sequence[Watch],
        parts: StreamParts,
        options: StreamOptions | None = None,
    ) -> None:
        if not endpoints:
            raise ConfigError("no endpoint for streams", hint="set chain.endpoints in pumpswap.yaml")
        self.watchdog = parts.watchdog
        self.endpoint = endpoints[0]
        self.connections = 0
        self.malformed = 0
        self._endpoints = tuple(endpoints)
        self._watches: list[Watch] = list(dict.fromkeys([SlotWatch(), *watches]))
        self._parts = parts
        self._options = options or StreamOptions()
        self._socket: OneConnection | None = None
        self._failures = 0
        self._failures_here = 0
        self._is_closed = False
        self._is_stale_endpoint = False

    async def records(self) -> AsyncGenerator[StreamRecord, None]:
        """Everything that is told, from now on. One iteration at a time; ending it closes the connection."""
        while not self._is_closed:
            if self._failures:
                await self._parts.sleep(self._pause_seconds())
            socket = await self._connect()
            if socket is None:
                continue
            started_ns = self._parts.clock.now_ns()
            guard = asyncio.create_task(self._guard(socket))
            reason = "closed"
            try:
                yield Connected(self.endpoint.name)
                while True:
                    record = await socket.next()
                    self._note(record)
                    yield record
            except EndpointDown as down:
                reason = down.what
            finally:
                guard.cancel()
                await self._release(socket)
                await asyncio.gather(guard, return_exceptions=True)
            if self._parts.clock.now_ns() - started_ns >= self._options.stable_seconds * NS_PER_SECOND:
                self._failures = self._failures_here = 0
            name = self.endpoint.name
            if not self._is_closed:
                self._failed(reason)
            yield Disconnected(name, reason)

    async def watch(self, watch: Watch) -> None:
        """Add a subscription, now and for all later connections."""
        if watch in self._watches:
            return
        self._watches.append(watch)
        if self._socket is not None:
            try:
                await self._socket.subscribe([watch])
            except ChainError as failed:
                # A connection without all of its subscriptions would be blind in one eye.
                self._socket.abort(f"a subscription failed: {failed.what}")

    async def unwatch(self, watch: Watch) -> None:
        """End a subscription."""
        if watch not in self._watches:
            return
        self._watches.remove(watch)
        if self._socket is not None:
            try:
                await self._socket.unsubscribe(watch)
            except ChainError as failed:
                self._parts.warnings.tell("unsubscribe", f"a subscription goes on: {failed.what}")

    def reconnect(self, reason: str) -> None:
        """Give up the present connection, for example because history shows that it swallows notifications."""
        if self._socket is not None:
            self._socket.abort(reason)

    async def close(self) -> None:
        """End the stream; the iteration ends with Disconnected."""
        self._is_closed = True
        if self._socket is not None:
            self._socket.abort("closed")

    async def _connect(self) -> OneConnection | None:
        socket: OneConnection | None = None
        try:
            socket = await self._parts.open(self.endpoint, self._options.socket)
            await socket.subscribe(self._watches)
        except ChainError as failed:
            if socket is not None:
                await socket.close()
            self._failed(failed.what)
            return None
        self._socket = socket
        self.connections += 1
        self._parts.watchdog.connected()
        return socket

    async def _release(self, socket: OneConnection) -> None:
        self._socket = None
        self._parts.watchdog.disconnected()
        await socket.close()
        if socket.malformed:
            self.malformed += socket.malformed
            text = f"{self.endpoint.name} sent {socket.malformed} messages that cannot be read"
            self._parts.warnings.tell("malformed notification", text)

    def _failed(self, reason: str) -> None:
        name = self.endpoint.name
        self._parts.warnings.tell(f"stream {name}", f"stream of {name}: {reason}")
        self._failures += 1
        self._failures_here += 1
        if self._is_stale_endpoint or self._failures_here >= self._options.failures_per_endpoint:
            self.endpoint = self._endpoints[(self._endpoints.index(self.endpoint) + 1) % len(self._endpoints)]
            self._failures_here = 0
            self._is_stale_endpoint = False

    def _pause_seconds(self) -> float:
        options = self._options
        whole: float = min(
            options.first_pause_seconds * 2 ** min(self._failures - 1, 30), options.longest_pause_seconds
        )
        return whole * (1 + self._parts.rng.random()) / 2

    async def _guard(self, socket: OneConnection) -> None:
        """Give the connection up when the watchdog finds it stale."""
        while True:
            await self._parts.sleep(self._options.check_seconds)
            complaint = await self._parts.watchdog.check()
            if complaint:
                self._is_stale_endpoint = True
                socket.abort(f"stale: {complaint}")
                return

    def _note(self, record: StreamRecord) -> None:
        match record:
            case SlotSeen(slot=slot) | LogsSeen(slot=slot) | AccountChanged(slot=slot):
                self._parts.watchdog.saw(slot)
            case SignatureSeen(signature=signature):
                watch = SignatureWatch(signature)
                if watch in self._watches:
                    self._watches.remove(watch)
            case _:
                pass
