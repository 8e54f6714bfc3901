"""RpcSocket: one websocket connection. Answers and notifications leave in the order in which they arose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["RpcSocket"]

_MOST_WAITING = 20_000  # messages that a client may be behind before it is cut off, as nodes do
_TRY_AGAIN_LATER = 1_013
_CLOSE = None

Serve = Callable[["RpcSocket", bytes], Awaitable[None]]


class RpcSocket:
    """A connected client. ``name`` is what faults call it; ``number`` counts connections from 1."""

    def __init__(self, websocket: WebSocket, number: int) -> None:
        self.name = f"socket-{number}"
        self._websocket = websocket
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._close_code = _TRY_AGAIN_LATER

    def put(self, message: bytes) -> None:
        """Send when the messages before it are sent. A client that does not read is cut off."""
        if self._waiting.qsize() >= _MOST_WAITING:
            self.close()
        else:
            self._waiting.put_nowait(message)

    def close(self, code: int = _TRY_AGAIN_LATER) -> None:
        """Close after what is waiting."""
        self._close_code = code
        self._waiting.put_nowait(_CLOSE)

    async def run(self, serve: Serve) -> None:
        """Read until either side closes. ``serve`` puts its answers."""
        await self._websocket.accept()
        tasks = [asyncio.ensure_future(self._read(serve)), asyncio.ensure_future(self._write())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, serve: Serve) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text, raw = message.get("text"), message.get("bytes")
                await serve(self, text.encode() if text is not None else raw or b"")

    async def _write(self) -> None:
        # A client that is gone is noticed by the reader.
        with suppress(WebSocketDisconnect, RuntimeError):
            while (message := await self._waiting.get()) is not _CLOSE:
                await self._websocket.send_text(message.decode())
            await self._websocket.close(self._close_code)
