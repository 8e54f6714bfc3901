"""MetricsEndpoint: answers Prometheus, in threads of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from pumpswap.engine.feed import FeedTools, Sink
from pumpswap.errors import ConfigError

__all__ = ["MetricsEndpoint"]

_LOOK_SECONDS = 1.0
_END_SECONDS = 0.05  # how soon it ends when the run does
_PATIENCE_SECONDS = 10.0  # for somebody who connects and asks nothing

Start = Callable[[str, list[tuple[str, str]]], Any]
Answer = Callable[[dict[str, Any], Start], Iterable[bytes]]


class MetricsEndpoint:
    """A helper of a run; implements ``Feed``. It listens for as long as the run goes on.

    A browser on this machine must not be led here by a stranger's page: on loopback only its own names are answered.
    """

    name = "metrics endpoint"
    stale_seconds = 0.0

    def __init__(
        self,
        registry: CollectorRegistry,
        host: str,
        port: int,
        on_lag: Callable[[float], None] = lambda _: None,
        tools: FeedTools | None = None,
    ) -> None:
        """``on_lag`` hears how late the loop has woken us, in seconds."""
        self._answer = _guarded(make_wsgi_app(registry), host)
        self._host, self._port, self._on_lag = host, port, on_lag
        self._tools = tools or FeedTools()
        self.port: int | None = None  # while it listens

    async def run(self, sink: Sink) -> None:
        """Raises ConfigError where nobody can listen there."""
        server = self._listening()
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(_END_SECONDS,), name=self.name, daemon=True).start()
        try:
            while True:
                sink.alive()
                loop = asyncio.get_running_loop()
                began = loop.time()
                await self._tools.sleep(_LOOK_SECONDS)
                self._on_lag(max(loop.time() - began - _LOOK_SECONDS, 0.0))
        finally:
            self.port = None
            await asyncio.to_thread(server.shutdown)
            server.server_close()

    def _listening(self) -> WSGIServer:
        kind = _Server6 if ":" in self._host else _Server
        try:
            return make_server(self._host, self._port, self._answer, kind, _Handler)
        except OSError as refused:
            taken = refused.errno == errno.EADDRINUSE
            why = "somebody else listens there" if taken else refused.strerror or str(refused)
            raise ConfigError(
                f"metrics cannot be served at {self._host}:{self._port}: {why}",
                hint="choose another metrics.port; each engine on this machine needs its own",
            ) from None


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking for the machine's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody has hung up, or sent what is no HTTP: that is nobody's business here."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_SECONDS

    def log_message(self, format: str, *args: object) -> None:
        """Prometheus asks four times a minute: no news."""


def _guarded(metrics: Answer, host: str) -> Answer:
    own = {host.lower(), "localhost", "127.0.0.1", "::1"}
    is_local = _is_loopback(host)

    def answer(asked: dict[str, Any], start: Start) -> Iterable[bytes]:
        if is_local and _name_in(asked.get("HTTP_HOST", "")) not in own:
            return _refused(start, "403 Forbidden", "this endpoint is asked for under a name that is not its own")
        if asked.get("PATH_INFO") != "/metrics":
            return _refused(start, "404 Not Found", "the figures are at /metrics")
        return metrics(asked, start)

    return answer


def _refused(start: Start, status: str, text: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")])
    return [f"{text}\n".encode()]


def _name_in(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
