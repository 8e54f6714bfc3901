"""SourceClient: what the clients of market-data services share: their connections, figures, and what has drifted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import quote

from pumpswap.chain.closing import Closing
from pumpswap.clock import Clock
from pumpswap.market.http_drift import Drift, DriftNote
from pumpswap.market.http_source import HttpSource, SourceLimits, SourceParts, SourceStatistics
from pumpswap.settings import CollectSettings

__all__ = ["Page", "SourceClient"]


class _Page(Protocol):
    @property
    def drift(self) -> tuple[DriftNote, ...]: ...


Page = TypeVar("Page", bound=_Page)


class SourceClient(Closing):
    """``async with`` or ``aclose()`` closes the connections."""

    def __init__(self, url: str, settings: CollectSettings, clock: Clock, parts: SourceParts | None) -> None:
        """Raises ConfigError when ``url`` is not usable."""
        limits = SourceLimits(settings.requests_per_minute, settings.max_retries, settings.timeout_seconds)
        self._source = HttpSource(url, limits, clock, parts)
        self._network = quote(settings.network, safe="")
        self._drift = Drift()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._source.aclose()

    @property
    def statistics(self) -> SourceStatistics:
        """Requests, retries and waiting so far."""
        return self._source.statistics

    @property
    def drift(self) -> tuple[DriftNote, ...]:
        """All differences so far, counted."""
        return self._drift.notes()

    async def _answer(self, path: str, params: Mapping[str, str], parse: Callable[[bytes], Page]) -> Page:
        page = await self._source.ask(path, params, parse)
        self._drift.add(page.drift)
        return page
