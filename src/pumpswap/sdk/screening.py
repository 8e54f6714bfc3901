"""ScreenSource: reports about tokens, read when they are asked for and kept for a while."""

from __future__ import annotations

import asyncio

from solders.pubkey import Pubkey

from pumpswap.chain.node import Node
from pumpswap.chain.pools import PoolReader
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import PumpSwapError
from pumpswap.model import ScreenCheck, ScreenReport, ScreenVerdict
from pumpswap.sdk.token_facts import TokenFactsReader
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import screen_token

__all__ = ["ScreenSource"]

_MOST_KEPT = 10_000
_LONGEST_TEXT = 63  # what is longer may be a key, and is not repeated


class ScreenSource:
    """Screens tokens through a node. A report counts for ``screen.report_seconds``; then the token is read again."""

    def __init__(
        self, node: Node, clock: Clock, settings: ScreenSettings | None = None, *, reader: PoolReader | None = None
    ) -> None:
        self._settings = settings or ScreenSettings()
        self._clock = clock
        self._reader = TokenFactsReader(node, clock, self._settings, reader=reader)
        self._kept: dict[str, ScreenReport] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def screen(self, mint: str | Pubkey, pool: Pubkey | None = None) -> ScreenReport:
        """The report about a token, of now or a little earlier. Never raises an error of pumpswap: a token that cannot
        be looked at is UNKNOWN, with the reason. Several who ask at once share one reading.
        """
        name = f"{mint} {pool or ''}"
        async with self._turns.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is not None and self._is_fresh(kept):
                return kept
            report = await self._read(mint, pool)
            if report.checks[0].name != _UNREAD:
                self._keep(name, report)
            elif kept is None:  # a failure is asked again at once, and leaves nothing behind
                self._turns.pop(name, None)
            return report

    def _is_fresh(self, report: ScreenReport) -> bool:
        """One from after now is not: the clock was set back, and nobody knows how old it is."""
        age_ns = self._clock.now_ns() - report.at_ns
        return 0 <= age_ns <= self._settings.report_seconds * NS_PER_SECOND

    async def _read(self, mint: str | Pubkey, pool: Pubkey | None) -> ScreenReport:
        try:
            address = mint if isinstance(mint, Pubkey) else Pubkey.from_string(mint)
        except ValueError:
            text = str(mint)
            if len(text) > _LONGEST_TEXT:
                return self._unread("…", "that is no address")
            return self._unread(text, f"{text!r} is no address")
        try:
            return screen_token(await self._reader.read(address, pool), self._settings)
        except PumpSwapError as failed:
            return self._unread(str(mint), failed.what)

    def _unread(self, mint: str, why: str) -> ScreenReport:
        return ScreenReport(mint, self._clock.now_ns(), (ScreenCheck(_UNREAD, ScreenVerdict.UNKNOWN, why),))

    def _keep(self, name: str, report: ScreenReport) -> None:
        self._kept.pop(name, None)
        self._kept[name] = report
        while len(self._kept) > _MOST_KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._turns.pop(oldest, None)


_UNREAD = "token"
