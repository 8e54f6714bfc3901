"""A scripted websocket server on 127.0.0.1 that speaks Solana's subscriptions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from pumpswap.chain.streams import StreamEndpoint

Script = Callable[["Session"], Awaitable[None]]


class Session:
    """One client. The script reads its requests and says what it likes."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def request(self) -> dict[str, Any]:
        """The next request of the client."""
        told: dict[str, Any] = json.loads(await self._connection.recv())
        return told

    async def say(self, message: object) -> None:
        await self._connection.send(message if isinstance(message, str) else json.dumps(message))

    async def confirm(self, request: dict[str, Any], subscription: object) -> None:
        await self.say({"jsonrpc": "2.0", "id": request["id"], "result": subscription})

    async def notify(self, kind: str, subscription: int, result: object) -> None:
        params = {"result": result, "subscription": subscription}
        await self.say({"jsonrpc": "2.0", "method": f"{kind}Notification", "params": params})

    async def slot(self, subscription: int, slot: int) -> None:
        await self.notify("slot", subscription, {"slot": slot, "parent": slot - 1, "root": slot - 32})

    async def confirm_all(self, number: int) -> None:
        """Confirm that many subscriptions; their numbers are 1, 2, …"""
        for subscription in range(1, number + 1):
            await self.confirm(await self.request(), subscription)

    async def close(self, code: int = 1011) -> None:
        await self._connection.close(code)

    async def break_off(self) -> None:
        """End without a closing handshake."""
        self._connection.transport.abort()

    async def wait(self) -> None:
        """Until the client goes away."""
        await self._connection.wait_closed()


@asynccontextmanager
async def scripted(*scripts: Script, token: str = "") -> AsyncIterator[StreamEndpoint]:
    """Serve; the n-th connection gets the n-th script, later ones the last."""
    number = 0

    async def handle(connection: ServerConnection) -> None:
        nonlocal number
        script = scripts[min(number, len(scripts) - 1)]
        number += 1
        await script(Session(connection))

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        name = f"127.0.0.1:{port}"
        yield StreamEndpoint(name, f"ws://{name}/{token}")
        await asyncio.sleep(0)
