"""A connection that says nothing, or does not read, does not keep its place; one that does, does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pumpswap.web.patience import PatientProtocol
from pumpswap.web.server import bound_socket

LARGE = 16 * 1024 * 1024  # far more than what lies in the sockets of a connection that nobody reads from
ASK = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = ASK.replace(b"small", b"large").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


class Hasty(PatientProtocol):
    """Without much patience; ``over`` is set when a connection is."""

    head_seconds = stuck_seconds = 0.2
    over = threading.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.over.set()


class Calm(PatientProtocol):
    """With all the time of the test."""

    head_seconds = stuck_seconds = 600.0


async def _answer(request: Request) -> Response:
    return PlainTextResponse("small" if request.url.path == "/small" else "x" * LARGE)


@contextmanager
def serving(protocol: type[PatientProtocol]) -> Iterator[int]:
    """The port of a server."""
    app = Starlette(routes=[Route("/small", _answer), Route("/large", _answer)])
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", access_log=False, log_config=None)
    server = uvicorn.Server(config)
    with bound_socket("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def hasty() -> Iterator[int]:
    with serving(Hasty) as port:
        yield port


def connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 60)
    made.settimeout(60)
    return made


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET /small HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_who_does_not_come_to_the_point_is_hung_up_on(hasty: int, said: bytes) -> None:
    with connected(hasty) as made:
        made.sendall(said)
        assert _rest(made) == b""


def test_who_begins_another_request_and_stops_is_hung_up_on_too(hasty: int) -> None:
    with connected(hasty) as made:
        made.sendall(ASK)
        read = b""
        while not read.endswith(b"small"):
            read += made.recv(4_096)
        made.sendall(ASK[:-2])
        assert _rest(made) == b""


def test_who_does_not_read_is_hung_up_on(hasty: int) -> None:
    with connected(hasty) as made:
        Hasty.over.clear()
        made.sendall(LAST)
        assert Hasty.over.wait(60)
        assert len(_rest(made)) < LARGE


def test_who_reads_gets_all_of_it() -> None:
    with serving(Calm) as port, connected(port) as made:
        made.sendall(LAST)
        assert len(_rest(made)) > LARGE


def _rest(made: socket.socket) -> bytes:
    """Until the other side has hung up."""
    read = bytearray()
    try:
        while found := made.recv(1 << 20):
            read += found
    except ConnectionResetError:
        pass
    return bytes(read)
