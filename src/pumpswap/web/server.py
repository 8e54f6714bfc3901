"""serve: the dashboard on its port until somebody ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from pumpswap.errors import ConfigError
from pumpswap.web.parts import WebParts
from pumpswap.web.patience import PatientProtocol

__all__ = ["bound_socket", "give_way", "serve"]

_MOST_CONNECTIONS = 300
_END_SECONDS = 3  # for what is being answered
_NICE = 10


def bound_socket(host: str, port: int) -> socket.socket:
    """Listens already when it is returned; port 0 takes a free one. Raises ConfigError where that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"nobody can listen at {host}: {error.strerror}", hint="dashboard.host, or --host") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError as error:
        made.close()
        hint = "another program, or another dashboard, has that port: choose one with --port"
        raise ConfigError(f"nobody can listen at {host}, port {port}: {error.strerror}", hint=hint) from None
    return made


def give_way() -> None:
    """Whoever looks on waits for whoever trades, where both want the processor. Windows has no such word."""
    if hasattr(os, "nice"):
        os.nice(_NICE)


def serve(app: FastAPI, listening: socket.socket, on_ready: Callable[[], None], *, seconds: int | None = None) -> None:
    """Until SIGINT or SIGTERM, or for so many seconds. ``on_ready`` is called once requests are answered."""
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # who asks is who has connected, whatever he says
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=_END_SECONDS,
    )
    parts: WebParts = app.state.parts
    _Server(config, on_ready, parts.hub.close, seconds).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None],
        on_end: Callable[[], None],
        seconds: int | None,
    ) -> None:
        super().__init__(config)
        self._on_ready, self._on_end, self._seconds = on_ready, on_end, seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
            if self._seconds is not None:
                asyncio.get_running_loop().call_later(self._seconds, self._end)

    def _end(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)
