"""Who is answered, and under which name; and that nobody can hold it up."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry, Gauge

from pumpswap.app.metering.endpoint import MetricsEndpoint
from pumpswap.errors import ConfigError


class _Sink:
    def __init__(self) -> None:
        self.lives = 0

    def alive(self) -> None:
        self.lives += 1


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    Gauge("pumpswap_pools", "…", registry=found).set(7)
    return found


def serving(work: Callable[[int], Awaitable[None]], host: str = "127.0.0.1") -> MetricsEndpoint:
    """While the endpoint listens."""

    async def main() -> MetricsEndpoint:
        endpoint = MetricsEndpoint(registry(), host, 0)
        sink = _Sink()
        task = asyncio.create_task(endpoint.run(sink))  # type: ignore[arg-type]
        while endpoint.port is None:
            await asyncio.sleep(0.01)
        assert sink.lives
        try:
            await work(endpoint.port)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return endpoint

    return asyncio.run(main())


def asked(port: int, path: str = "/metrics", *, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        found = connection.getresponse()
        return found.status, found.read().decode()
    finally:
        connection.close()


def test_the_figures_are_at_metrics_and_nowhere_else() -> None:
    async def work(port: int) -> None:
        status, text = await asyncio.to_thread(asked, port)
        assert (status, "pumpswap_pools 7.0" in text) == (200, True)
        assert (await asyncio.to_thread(asked, port, "/../etc/passwd"))[0] == 404
        assert (await asyncio.to_thread(asked, port, "/"))[0] == 404
        assert (await asyncio.to_thread(lambda: asked(port, method="POST")))[0] == 405

    serving(work)


@pytest.mark.parametrize(
    ("name", "status"),
    [("localhost", 200), ("127.0.0.1:9", 200), ("[::1]:9", 200), ("evil.example.org", 403), ("[", 403), ("", 403)],
)
def test_on_loopback_only_its_own_names_are_answered(name: str, status: int) -> None:
    async def work(port: int) -> None:
        found, text = await asyncio.to_thread(lambda: asked(port, Host=name))
        assert found == status
        assert ("pumpswap_pools" in text) == (status == 200)

    serving(work)


def test_somebody_who_asks_nothing_keeps_nobody_waiting() -> None:
    async def work(port: int) -> None:
        with (
            socket.create_connection(("127.0.0.1", port)) as silent,
            socket.create_connection(("127.0.0.1", port)) as odd,
        ):
            odd.sendall(b"\x00\xff\r\n\r\n")
            silent.sendall(b"GET /met")
            assert (await asyncio.to_thread(asked, port))[0] == 200

    serving(work)


def test_afterwards_nobody_listens() -> None:
    ports: list[int] = []

    async def work(port: int) -> None:
        ports.append(port)

    assert serving(work).port is None
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", ports[0]), 1)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = MetricsEndpoint(registry(), "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ConfigError, match="somebody else listens there") as refused:
            asyncio.run(endpoint.run(_Sink()))  # type: ignore[arg-type]
    assert "metrics.port" in refused.value.hint


def test_it_listens_on_ipv6_where_there_is_one() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")

    async def work(port: int) -> None:
        connection = http.client.HTTPConnection("::1", port, timeout=60)
        await asyncio.to_thread(connection.request, "GET", "/metrics")
        assert connection.getresponse().status == 200
        connection.close()

    serving(work, "::1")


def test_the_loop_is_measured_while_it_listens() -> None:
    lags: list[float] = []

    async def main() -> None:
        endpoint = MetricsEndpoint(registry(), "127.0.0.1", 0, lags.append)
        task = asyncio.create_task(endpoint.run(_Sink()))  # type: ignore[arg-type]
        while not lags:
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert lags[0] >= 0
