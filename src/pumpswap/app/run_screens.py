"""RunScreens: the tokens of watched pools are screened one after the other, the best first, while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from solders.pubkey import Pubkey

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.market.book import PoolBook
from pumpswap.model import ScreenReport
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.screening import ScreenSource

__all__ = ["RunScreens"]

_MOST_KEPT = 10_000


class RunScreens:
    """``pools`` tells which pools are watched, the best first. A token is not bought before its report is there."""

    def __init__(self, connection: ChainConnection, book: PoolBook, pools: Callable[[], Iterable[str]]) -> None:
        settings = connection.settings.screen
        self._source = ScreenSource(connection.node, connection.clock, settings, reader=connection.reader)
        self._clock: Clock = connection.clock
        self._fresh_ns = settings.report_seconds * NS_PER_SECOND
        self._book, self._pools = book, pools
        self._reports: dict[str, ScreenReport] = {}

    def report(self, mint: str) -> ScreenReport | None:
        """The newest report on a token that still counts."""
        report = self._reports.get(mint)
        return report if report is not None and self._clock.now_ns() - report.at_ns <= self._fresh_ns else None

    async def look(self) -> None:
        """Screen the first watched token that has no report."""
        for pool in self._pools():
            state = self._book.state(pool)
            if state is None or self.report(mint := str(state.pool.base_mint)) is not None:
                continue
            self._reports.pop(mint, None)
            self._reports[mint] = await self._source.screen(state.pool.base_mint, Pubkey.from_string(pool))
            while len(self._reports) > _MOST_KEPT:
                del self._reports[next(iter(self._reports))]
            return
