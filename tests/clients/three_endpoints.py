"""One practice chain behind three servers, each of which can be killed, stalled, put behind, and brought back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from pydantic import SecretStr

from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import SEND, Fault, FaultKind, FaultPlan
from pumpswap.localnet.server import LocalServer, LocalUrls, ServerOptions
from pumpswap.settings import EndpointSettings

__all__ = ["LAG_SLOTS", "SLOT_SECONDS", "ThreeEndpoints", "three_endpoints"]

SLOT_SECONDS = 0.03
LAG_SLOTS = 60
TIMEOUT_MS = 250
STALL_MS = 4 * TIMEOUT_MS


@dataclass
class OneServer:
    """A server that listens on the same two ports whenever it runs."""

    chain: LocalChain
    name: str
    faults: FaultPlan = field(default_factory=FaultPlan)
    server: LocalServer | None = None
    urls: LocalUrls | None = None
    stack: AsyncExitStack | None = None

    async def start(self) -> None:
        port = 0 if self.urls is None else int(self.urls.http.rpartition(":")[2])
        self.server = LocalServer(self.chain, ServerOptions(port=port, slot_ms=0, name=self.name), faults=self.faults)
        self.stack = AsyncExitStack()
        self.urls = await self.stack.enter_async_context(self.server.serve())

    async def kill(self) -> None:
        """Nobody listens any more; open sockets are closed."""
        if self.stack is not None:
            await self.stack.aclose()
        self.stack = self.server = None

    def stall(self) -> None:
        """It takes connections and says nothing: answers come too late, notifications never, sends are lost."""
        self.faults.add(
            Fault(FaultKind.DROP_BEFORE, methods=frozenset({SEND})),
            Fault(FaultKind.DROP_NOTIFICATION),
            Fault(FaultKind.SLOW, amount=STALL_MS),
        )

    def put_behind(self) -> None:
        """It shows the chain as it was."""
        assert self.server is not None
        self.server.node.lag_slots = LAG_SLOTS

    @property
    def stalls(self) -> int:
        """How many requests it has kept waiting."""
        return sum(one.kind is FaultKind.SLOW for one in self.faults.fired)

    async def recover(self) -> None:
        self.faults.clear()
        if self.server is None:
            await self.start()
        assert self.server is not None
        self.server.node.lag_slots = 0


@dataclass
class ThreeEndpoints:
    """The servers in order of preference."""

    servers: tuple[OneServer, ...]

    def settings(self) -> tuple[EndpointSettings, ...]:
        urls = [one.urls for one in self.servers if one.urls is not None]
        return tuple(
            EndpointSettings(
                url=SecretStr(each.http), ws_url=SecretStr(each.ws), requests_per_second=2_000, timeout_ms=TIMEOUT_MS
            )
            for each in urls
        )

    async def trouble(self, number: int, kind: str) -> None:
        server = self.servers[number]
        if kind == "killed":
            await server.kill()
        elif kind == "stalled":
            server.stall()
        else:
            server.put_behind()

    async def recover(self) -> None:
        for server in self.servers:
            await server.recover()


@contextlib.asynccontextmanager
async def three_endpoints(chain: LocalChain) -> AsyncIterator[ThreeEndpoints]:
    """Three servers on one chain, whose slots go on by themselves, fast."""
    every = ThreeEndpoints(tuple(OneServer(chain, f"local-{number}") for number in range(3)))
    ticking = asyncio.ensure_future(_tick(chain))
    try:
        for server in every.servers:
            await server.start()
        yield every
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        for server in every.servers:
            await server.kill()


async def _tick(chain: LocalChain) -> None:
    while True:
        await asyncio.sleep(SLOT_SECONDS)
        chain.advance()
