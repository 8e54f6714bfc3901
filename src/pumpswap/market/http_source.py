"""HttpSource: one market-data service over HTTP, asked politely.

Every request waits for its turn (P18), 429 is honoured for all requests of this source, and what may pass by itself is
retried: 429, server errors, time-outs, broken connections, answers that do not parse. What the service refuses is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, TypeVar
from urllib.parse import quote

import httpx2

from pumpswap.chain.closing import Closing
from pumpswap.chain.rate_limit import RateLimit, Sleep, retry_after_seconds
from pumpswap.chain.redact import host_of, silence_request_lines
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import (
    ConfigError,
    DataSourceError,
    SourceBusy,
    SourceDown,
    SourceRefused,
    UnreadableAnswer,
    UsageError,
)
from pumpswap.market.http_fields import error_title
from pumpswap.market.identifiers import bare_address

__all__ = ["HttpSource", "SourceLimits", "SourceParts", "SourceStatistics", "quoted_address"]

_LONGEST_WAIT_SECONDS: Final = 300.0  # for one Retry-After; a service that wants more is reported, not waited for
_FIRST_WAIT_SECONDS: Final = 1.0  # doubled with each retry
_LONGEST_BACKOFF_SECONDS: Final = 60.0
_MOST_BYTES: Final = 32 * 1024 * 1024  # unpacked; the largest real answer has less than one
_AGENT: Final = "pumpswap"

_PASSING = (SourceDown, SourceBusy, UnreadableAnswer)

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How often a service may be asked, how often again, and how long one answer may take."""

    requests_per_minute: int = 30
    max_retries: int = 5
    timeout_seconds: float = 20


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What tests replace: how to sleep, the randomness of the waits, and the transport (None: the network)."""

    sleep: Sleep = asyncio.sleep
    random: Random = field(default_factory=Random)
    transport: httpx2.AsyncBaseTransport | None = None


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What a source has done so far. ``waited_seconds``: for retries and for 429, not for its own rate."""

    requests: int = 0
    answers: int = 0
    retries: int = 0
    limited: int = 0  # answers with 429
    failed: int = 0  # requests given up
    received_bytes: int = 0
    waited_seconds: float = 0.0


class HttpSource(Closing):
    """A service below one URL. ``async with`` or ``aclose()`` closes its kept-alive connections."""

    def __init__(self, url: str, limits: SourceLimits, clock: Clock, parts: SourceParts | None = None) -> None:
        """Raises ConfigError when the URL is no http or https URL."""
        silence_request_lines()
        self._name, self._url = host_of(url), url.strip().rstrip("/")
        if not _is_http(self._url):
            raise ConfigError("the URL of a market-data service is not usable", hint="write it like https://host/path")
        self._limits, self._clock, self._parts = limits, clock, parts or SourceParts()
        self._rate = RateLimit(limits.requests_per_minute / 60, clock, burst=1, sleep=self._parts.sleep)
        self._statistics = SourceStatistics()
        self._quiet_until_ns = 0
        self._client = httpx2.AsyncClient(
            transport=self._parts.transport,
            timeout=limits.timeout_seconds,
            headers={"Accept": "application/json", "User-Agent": _AGENT},
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"<HttpSource {self._name}>"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def name(self) -> str:
        """Host and port."""
        return self._name

    @property
    def statistics(self) -> SourceStatistics:
        """What has been done so far."""
        return self._statistics

    async def ask(self, path: str, params: Mapping[str, str], read: Callable[[bytes], Parsed]) -> Parsed:
        """What ``read`` makes of the answer's body. ``path`` is below the URL and already quoted.

        Raises the kinds of DataSourceError. UnreadableAnswer of ``read`` is retried like a broken connection: a proxy's
        page or a cut answer is gone the next time.
        """
        attempt = 0
        while True:
            try:
                return await self._once(path, params, read)
            except DataSourceError as failed:
                if attempt == self._limits.max_retries or not isinstance(failed, _PASSING):
                    self._count(failed=1)
                    raise
                await self._wait_to_retry(attempt, failed)
            attempt += 1

    async def _once(self, path: str, params: Mapping[str, str], read: Callable[[bytes], Parsed]) -> Parsed:
        await self._turn()
        self._count(requests=1)
        status, headers, body = await self._fetch(path, params)
        self._count(received_bytes=len(body))
        if status != 200:
            raise self._failure(path, status, headers, body)
        try:
            result = read(body)
        except SourceRefused as told:
            # The service says no in an answer that is called a success.
            raise SourceRefused(f"{self._name}: {told.what}", status=status, title=told.title, hint=told.hint) from told
        except UnreadableAnswer as broken:
            raise UnreadableAnswer(f"{self._name}: {broken.what}", hint=broken.hint) from broken
        self._count(answers=1)
        return result

    async def _turn(self) -> None:
        """Wait for a turn, and for the end of the silence that the service has asked for."""
        await self._rate.turn()
        while (quiet_ns := self._quiet_until_ns - self._clock.now_ns()) > 0:
            if quiet_ns > _LONGEST_WAIT_SECONDS * NS_PER_SECOND:
                break  # nobody asked for that long: the clock was set back
            await self._wait(quiet_ns / NS_PER_SECOND)
            # All that waited come back at once: they go on one by one.
            await self._rate.turn()

    async def _fetch(self, path: str, params: Mapping[str, str]) -> tuple[int, httpx2.Headers, bytes]:
        try:
            # The client's own time-out is per read; a service that drips bytes would hold us for ever.
            async with (
                asyncio.timeout(self._limits.timeout_seconds),
                self._client.stream("GET", self._url + path, params=dict(params)) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise UnreadableAnswer(
                            f"{self._name} sends more than {_MOST_BYTES // 2**20} MB for {path}", hint="ask for less"
                        )
                return response.status_code, response.headers, bytes(body)
        except TimeoutError:
            raise self._down(path, f"no answer within {self._limits.timeout_seconds:g} s") from None
        except httpx2.TimeoutException as slow:
            raise self._down(path, f"no answer within {self._limits.timeout_seconds:g} s") from slow
        except httpx2.RequestError as failed:
            raise self._down(path, type(failed).__name__) from failed

    def _failure(self, path: str, status: int, headers: httpx2.Headers, body: bytes) -> DataSourceError:
        seconds = retry_after_seconds(headers.get("retry-after"), self._clock)
        if status == 429 or (status == 503 and seconds is not None):
            self._count(limited=1)
            return self._busy(path, status, seconds)
        if status >= 500 or status == 408:
            return self._down(path, f"HTTP {status}")
        title = error_title(body)
        told = f": {title}" if title else ""
        hint = "change the request, or the URL in the settings" if status != 404 else "it is not known there"
        return SourceRefused(
            f"{self._name} refuses {path} (HTTP {status}){told}", status=status, title=title, hint=hint
        )

    def _busy(self, path: str, status: int, seconds: float | None) -> SourceBusy:
        if seconds is not None:
            until_ns = self._clock.now_ns() + round(min(seconds, _LONGEST_WAIT_SECONDS) * NS_PER_SECOND)
            self._quiet_until_ns = max(self._quiet_until_ns, until_ns)
        wanted = "" if seconds is None else f" for {seconds:g} s"
        what = f"{self._name} wants no requests{wanted} (HTTP {status}): {path}"
        return SourceBusy(what, retry_after_seconds=seconds, hint="lower collect.requests_per_minute")

    def _down(self, path: str, why: str) -> SourceDown:
        return SourceDown(
            f"{self._name}: {path}: {why}", hint="try again later; trading does not depend on this service"
        )

    async def _wait_to_retry(self, attempt: int, failed: DataSourceError) -> None:
        """Raises ``failed`` when the service asks for more patience than a request should have."""
        wanted = failed.retry_after_seconds if isinstance(failed, SourceBusy) else None
        if wanted is not None and wanted > _LONGEST_WAIT_SECONDS:
            self._count(failed=1)
            raise failed
        # Not all programs of the world should come back at the same moment.
        jitter = self._parts.random.random()
        backoff = min(_FIRST_WAIT_SECONDS * 2.0**attempt, _LONGEST_BACKOFF_SECONDS)
        self._count(retries=1)
        await self._wait(max(backoff * (1 + jitter) / 2, 0.0 if wanted is None else wanted + jitter))

    async def _wait(self, seconds: float) -> None:
        self._count(waited_seconds=seconds)
        await self._parts.sleep(seconds)

    def _count(self, **more: float) -> None:
        now = self._statistics
        self._statistics = replace(now, **{name: getattr(now, name) + value for name, value in more.items()})


def _is_http(url: str) -> bool:
    try:
        return httpx2.URL(url).scheme in ("http", "https")
    except httpx2.InvalidURL:
        return False


def quoted_address(identifier: str) -> str:
    """An address without its network, as a part of a path. Raises UsageError for what is none."""
    address = bare_address(identifier)
    if not address.strip("."):
        raise UsageError(f"{identifier!r} is no address", hint="give the address of a pool or a token")
    return quote(address, safe="")
