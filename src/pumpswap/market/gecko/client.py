"""GeckoClient: GeckoTerminal's public API, asked politely and read strictly.

Free and without a key: 30 requests a minute, 20 pools a page, 10 pages, 1,000 candles and 300 trades an answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from pumpswap.clock import Clock
from pumpswap.errors import UsageError
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.gecko.parse import parse_pool, parse_pools, parse_trades
from pumpswap.market.gecko.parse_candles import parse_candles
from pumpswap.market.gecko.records import CandlePage, PoolPage, TradePage
from pumpswap.market.http_client import Page, SourceClient
from pumpswap.market.http_source import SourceParts, quoted_address
from pumpswap.settings import CollectSettings

__all__ = ["MOST_CANDLES", "MOST_POOLS", "SETTLE_SECONDS", "TOO_OLD", "GeckoClient"]

MOST_PAGES: Final = 10  # of new pools and of pools of a token; further ones are refused
MOST_CANDLES: Final = 1_000  # in one answer
MOST_POOLS: Final = 30  # by their addresses, in one answer
TOO_OLD: Final = 401  # status of candles that are older than what is told without a key
SETTLE_SECONDS: Final = 120  # so long trades may still be counted into a candle that has ended

# The service's unit and aggregate by our name: minutes 1, 5, 15; hours 1, 4, 12; days 1.
_LENGTHS: Final = {
    "1m": ("minute", 1),
    "5m": ("minute", 5),
    "15m": ("minute", 15),
    "1h": ("hour", 1),
    "4h": ("hour", 4),
    "12h": ("hour", 12),
    "1d": ("day", 1),
}
_INCLUDE: Final = {"include": "base_token,quote_token,dex"}


class GeckoClient(SourceClient):
    """GeckoTerminal.

    All methods raise the kinds of DataSourceError. Elements of an answer that cannot be used are in the page's
    ``refused``; differences from the known answers are in its ``drift`` and, summed up, in that of the client.
    """

    def __init__(self, settings: CollectSettings, clock: Clock, parts: SourceParts | None = None) -> None:
        """Raises ConfigError when the URL of the settings is not usable."""
        super().__init__(settings.gecko_url, settings, clock, parts)

    async def new_pools(self, page: int = 1) -> PoolPage:
        """Twenty of the network's newest pools, of all exchanges; page 1 has the newest."""
        return await self._ask("new_pools", {**_INCLUDE, "page": _page(page)}, parse_pools)

    async def new_pool_pages(self, pages: int) -> AsyncIterator[PoolPage]:
        """Up to ``pages`` pages, from the newest pools on, each pool once.

        While the pages are read new pools push older ones to the next page, so neighbours overlap. Ends early at an
        empty page.
        """
        seen: set[str] = set()
        for number in range(1, pages + 1):
            page = await self.new_pools(number)
            if not page.pools and not page.refused:
                return
            fresh = tuple({one.id: one for one in page.pools if one.id not in seen}.values())
            seen |= {one.id for one in fresh}
            yield PoolPage(fresh, page.tokens, page.dexes, page.refused, page.drift)

    async def all_new_pools(self, pages: int) -> PoolPage:
        """The pages of ``new_pool_pages`` as one."""
        return PoolPage.joined([page async for page in self.new_pool_pages(pages)])

    async def pool(self, address: str) -> PoolPage:
        """One pool. Raises SourceRefused with status 404 where the service does not know it."""
        return await self._ask(f"pools/{quoted_address(address)}", _INCLUDE, parse_pool)

    async def pools(self, addresses: Sequence[str]) -> PoolPage:
        """Up to MOST_POOLS pools at once; those that the service does not know are missing in the answer."""
        if not 1 <= len(addresses) <= MOST_POOLS:
            raise UsageError(f"{len(addresses)} pools cannot be asked for at once", hint=f"1 to {MOST_POOLS}")
        joined = ",".join(map(quoted_address, addresses))
        return await self._ask(f"pools/multi/{joined}", _INCLUDE, lambda body: parse_pools(body, endpoint="pools"))

    async def pools_of_token(self, mint: str, page: int = 1) -> PoolPage:
        """Twenty pools that have this token on either side; page 1 has the largest."""
        params = {**_INCLUDE, "page": _page(page)}
        return await self._ask(
            f"tokens/{quoted_address(mint)}/pools", params, lambda body: parse_pools(body, endpoint="token_pools")
        )

    async def trades(self, pool: str, *, above_usd: Decimal = Decimal(0)) -> TradePage:
        """The last trades of a pool: of 24 hours, and 300 at most; see ``is_full``.

        With ``above_usd`` only trades that are worth more are told, so that 300 of them reach further back.
        """
        params = {"trade_volume_in_usd_greater_than": f"{above_usd:f}"} if above_usd > 0 else {}
        return await self._ask(f"pools/{quoted_address(pool)}/trades", params, parse_trades)

    async def candles(
        self, pool: str, timeframe: str, *, before_seconds: int | None = None, limit: int = MOST_CANDLES
    ) -> CandlePage:
        """The newest ``limit`` candles, in USD, that start before ``before_seconds`` (Unix time), from old to new.

        The newest one may still grow. Raises UsageError for a ``timeframe`` that is none of TIMEFRAMES.
        """
        if timeframe not in _LENGTHS:
            raise UsageError(f"{timeframe[:20]!r} is no length of a candle", hint=f"one of {', '.join(TIMEFRAMES)}")
        if not 1 <= limit <= MOST_CANDLES:
            raise UsageError(f"{limit} candles cannot be asked for at once", hint=f"1 to {MOST_CANDLES}")
        unit, aggregate = _LENGTHS[timeframe]
        params = {"aggregate": str(aggregate), "limit": str(limit), "currency": "usd", "token": "base"}
        if before_seconds is not None:
            params["before_timestamp"] = str(before_seconds)
        return await self._ask(
            f"pools/{quoted_address(pool)}/ohlcv/{unit}", params, lambda body: parse_candles(body, timeframe)
        )

    async def candles_back_to(
        self, pool: str, timeframe: str, start_seconds: int, *, before_seconds: int | None = None
    ) -> AsyncIterator[CandlePage]:
        """Pages of candles from the newest back to ``start_seconds``, each candle once; pages are from old to new.

        Ends where the service has nothing older, which may be long before ``start_seconds``.
        """
        edge = before_seconds
        while True:
            page = await self.candles(pool, timeframe, before_seconds=edge)
            fresh = tuple(one for one in page.candles if edge is None or one.start_seconds < edge)
            wanted = tuple(one for one in fresh if one.start_seconds >= start_seconds)
            if wanted or page.refused:
                yield CandlePage(wanted, page.base_token, page.quote_token, page.doubled, page.refused, page.drift)
            # A service that ignores the edge would repeat its newest page for ever.
            if not fresh or fresh[0].start_seconds <= start_seconds:
                return
            edge = fresh[0].start_seconds

    async def _ask(self, path: str, params: Mapping[str, str], parse: Callable[[bytes], Page]) -> Page:
        return await self._answer(f"/networks/{self._network}/{path}", params, parse)


def _page(number: int) -> str:
    if not 1 <= number <= MOST_PAGES:
        raise UsageError(f"there is no page {number}", hint=f"1 to {MOST_PAGES}")
    return str(number)
