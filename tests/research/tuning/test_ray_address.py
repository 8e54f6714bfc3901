"""Addresses where no Ray cluster is: told before Ray is asked, which would wait for minutes. Needs no Ray."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pumpswap.errors import UsageError
from pumpswap.research.tuning import on_ray
from pumpswap.research.tuning.on_ray import OnRay
from tests.research.tuning.played import factory


@contextmanager
def listener(answer: bytes | None) -> Iterator[str]:
    """Somebody who answers so to whoever connects; None: he says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):  # whoever connected goes without a word
                if answer is not None:
                    connection.sendall(answer)
                while connection.recv(100):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_listener_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(on_ray, "_CONNECT_SECONDS", 0.1)
    with listener(None) as address, pytest.raises(UsageError, match="nothing that answers like a Ray cluster"):
        OnRay(factory(), scheme + address)


def test_somebody_else_is_told() -> None:
    for answer in (b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        with listener(answer) as address, pytest.raises(UsageError, match="is no Ray cluster"):
            OnRay(factory(), address)


def test_what_speaks_http2_or_tls_is_left_to_ray() -> None:
    for answer in (bytes((0, 0, 6, 4, 0, 0, 0, 0, 0)), bytes((0x15, 3, 3, 0, 2, 2, 70))):
        with listener(answer) as address:
            on_ray._require_listener(address)
