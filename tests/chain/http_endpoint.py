"""A small HTTP server on this machine whose every answer is scripted, mistakes included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """One answer. ``result`` and ``error`` are wrapped as JSON-RPC; ``raw`` is sent as it is."""

    result: Any = None
    error: dict[str, Any] | None = None
    raw: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_reset: bool = False
    is_hanging: bool = False
    id: Any = ...

    def body(self, number: Any) -> bytes:
        if self.raw is not None:
            return self.raw
        told = number if self.id is ... else self.id
        answer = {"jsonrpc": "2.0", "id": told}
        answer |= {"error": self.error} if self.error is not None else {"result": self.result}
        return json.dumps(answer).encode()


Script = Callable[[str, list[Any]], Reply]


class ScriptedEndpoint:
    """Counts connections and remembers what it was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[str, list[Any]]] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/secret-token-1234?api-key=another-secret-5678"

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        request = json.loads(await reader.readexactly(length))
        self.asked.append((request["method"], request["params"]))
        reply = self.script(request["method"], request["params"])
        if reply.is_hanging:
            await asyncio.sleep(3_600)
        if reply.is_reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(1, 13, linger)  # SOL_SOCKET, SO_LINGER: close with RST
            writer.transport.abort()
            return False
        body = reply.body(request["id"])
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return True


@contextlib.asynccontextmanager
async def endpoint(script: Script | Reply) -> AsyncIterator[ScriptedEndpoint]:
    """A running endpoint; one ``Reply`` answers everything."""
    scripted = ScriptedEndpoint(script if callable(script) else lambda method, params: script)
    server = await asyncio.start_server(scripted._serve, "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
