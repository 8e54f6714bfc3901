"""Downloads into the lake: candles of pools, hole by hole and page by page, and the trades that a service still has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pumpswap.app.lake_swaps import stored_signatures
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import SourceRefused, UnreadableAnswer, UsageError
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.gecko.client import MOST_CANDLES, SETTLE_SECONDS, TOO_OLD, GeckoClient
from pumpswap.market.gecko.convert import candle_of, swap_of, traded_pair
from pumpswap.market.gecko.records import CandlePage, GeckoTrade
from pumpswap.market.identifiers import bare_address
from pumpswap.market.lake import Coverage, Lake, LakeReader, LakeWriter
from pumpswap.market.lake.data import collected
from pumpswap.market.lake.ranges import Range
from pumpswap.model import Swap

__all__ = ["DownloadOptions", "Downloaded", "Downloader", "GotCandles", "GotTrades"]

SOURCE = "geckoterminal"
_DAY_SECONDS = 86_400

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """``days`` is how far back; ``with_trades`` also takes the last trades (300 at most, of 24 hours)."""

    timeframes: tuple[str, ...] = ("1h",)
    days: int = 30
    with_trades: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.timeframes if name not in TIMEFRAMES]
        if unknown or not self.timeframes or self.days < 1:
            raise UsageError(
                f"{unknown[0]!r} is no length of a candle" if unknown else "nothing to download",
                hint=f"one of {', '.join(TIMEFRAMES)}, and a day at least",
            )


@dataclass(slots=True)
class GotCandles:
    """Candles of one length. ``received`` came now; ``held`` are in the wanted time afterwards, and ``empty`` is how
    many of it have none: nobody traded then. ``gaps`` are what is still not complete; ``too_old`` is what the service
    says of history that it does not tell."""

    timeframe: str
    received: int = 0
    refused: int = 0  # elements of answers that could not be read; what they covered is not claimed
    doubled: int = 0  # candles that an answer had twice, differently
    held: int = 0
    empty: int = 0
    gaps: list[Range] = field(default_factory=list)
    too_old: str = ""


@dataclass(slots=True)
class GotTrades:
    """``known`` were in the lake already; ``unfit`` are no swaps of this pool. ``is_full``: older ones are missing."""

    received: int = 0
    stored: int = 0
    known: int = 0
    unfit: int = 0
    is_full: bool = False


@dataclass(slots=True)
class Downloaded:
    """What became of one pool."""

    pool: str
    candles: list[GotCandles] = field(default_factory=list)
    trades: GotTrades | None = None


class Downloader:
    """Fills one lake from GeckoTerminal. Every page is stored together with the claim of its time, so that a download
    that was killed goes on where it was, and nothing is stored twice. Asks only for what is missing.

    All methods raise the kinds of DataSourceError; what came before is stored.
    """

    def __init__(self, client: GeckoClient, writer: LakeWriter, clock: Clock, tell: Tell) -> None:
        self._client = client
        self._writer = writer
        self._clock = clock
        self._tell = tell

    async def download(self, pool: str, options: DownloadOptions) -> Downloaded:
        """Everything that the options want of one pool."""
        address = bare_address(pool)
        result = Downloaded(address)
        for timeframe in options.timeframes:
            result.candles.append(await self._candles(address, timeframe, options.days))
        if options.with_trades:
            result.trades = await self._trades(address)
        return result

    async def _candles(self, pool: str, timeframe: str, days: int) -> GotCandles:
        got = GotCandles(timeframe)
        length = TIMEFRAMES[timeframe]
        end = (self._now_seconds() - SETTLE_SECONDS) // length * length
        start = (end - days * _DAY_SECONDS) // length * length
        wanted = (start * NS_PER_SECOND, end * NS_PER_SECOND)
        lake = self._writer.lake
        holes = lake.gaps("candles", pool, timeframe=timeframe, start_ns=wanted[0], end_ns=wanted[1])
        total = sum(high - low for low, high in holes) // NS_PER_SECOND // length
        what = f"{pool[:8]}… {timeframe}"
        done = 0
        self._tell(what, done, total)
        for low, high in reversed(holes):
            edge = high // NS_PER_SECOND
            while edge > low // NS_PER_SECOND and not got.too_old:
                page = await self._page(pool, got, edge)
                if page is None:
                    break
                reached = self._keep(page, pool, got, (low // NS_PER_SECOND, edge))
                done += (edge - reached) // length
                self._tell(what, done, total)
                edge = reached
        got.gaps = lake.gaps("candles", pool, timeframe=timeframe, start_ns=wanted[0], end_ns=wanted[1])
        got.held = _count(lake, pool, timeframe, wanted)
        missing = sum(high - low for low, high in got.gaps) // NS_PER_SECOND // length
        got.empty = (end - start) // length - missing - got.held
        return got

    async def _page(self, pool: str, got: GotCandles, edge: int) -> CandlePage | None:
        """None where the history is too old for the service: what is newer is here already."""
        try:
            return await self._client.candles(pool, got.timeframe, before_seconds=edge, limit=MOST_CANDLES)
        except SourceRefused as refused:
            known = self._writer.lake.covered("candles", pool, timeframe=got.timeframe)
            if refused.status != TOO_OLD or not known:
                raise
            got.too_old = refused.title or refused.what
            return None

    def _keep(self, page: CandlePage, pool: str, got: GotCandles, bounds: tuple[int, int]) -> int:
        """Store the page's candles between two times in Unix seconds; answers down to where all is known now.

        Raises UnreadableAnswer for a page about newer times only: it says nothing of those that were asked for.
        """
        low, edge = bounds
        fresh = [one for one in page.candles if one.start_seconds < edge]
        if page.candles and not fresh:
            what = f"asked for candles before {edge}, the service tells newer candles"
            raise UnreadableAnswer(what, hint="try again later; if it stays, the service has changed: upgrade pumpswap")
        # A service without anything older is done with the hole: before this pool there was nothing to trade.
        reached = max(low, fresh[0].start_seconds) if fresh else low
        kept = [candle_of(one, pool) for one in fresh if one.start_seconds >= low]
        got.received += len(kept)
        got.refused += len(page.refused)
        got.doubled += len(page.doubled)
        self._writer.add("candles", kept, source=SOURCE)
        if not page.refused:
            self._writer.cover(
                Coverage(
                    kind="candles",
                    network=self._writer.lake.network,
                    start_ns=reached * NS_PER_SECOND,
                    end_ns=edge * NS_PER_SECOND,
                    pool=pool,
                    timeframe=got.timeframe,
                    source=SOURCE,
                )
            )
        self._writer.commit()
        return reached

    async def _trades(self, pool: str) -> GotTrades:
        described = await self._client.pool(pool)
        if not described.pools:
            raise UsageError(f"the service does not describe {pool}", hint="is it the address of a pool?")
        pair = traded_pair(described.pools[0], described)
        page = await self._client.trades(pool)
        got = GotTrades(received=len(page.trades), is_full=page.is_full)
        swaps = []
        for trade in reversed(page.trades):
            swap = swap_of(trade, pair)
            if isinstance(swap, str):
                got.unfit += 1
            else:
                swaps.append((trade, swap))
        numbered = _numbered(swaps)
        if numbered:
            known = stored_signatures(self._writer.lake, pool, (numbered[0].at_ns, numbered[-1].at_ns + 1))
            new = [swap for swap in numbered if swap.signature not in known]
            got.known, got.stored = len(numbered) - len(new), len(new)
            self._writer.add("swaps", new, source=SOURCE)
            self._writer.commit()
        return got

    def _now_seconds(self) -> int:
        return self._clock.now_ns() // NS_PER_SECOND


def _numbered(swaps: Sequence[tuple[GeckoTrade, Swap]]) -> list[Swap]:
    """Swaps with their place among those of the same transaction, by time. The service tells that place in its ids."""
    ordered = sorted(swaps, key=lambda pair: (pair[1].at_ns, pair[1].slot, pair[1].signature, _place(pair[0])))
    counts: Counter[str] = Counter()
    found = []
    for _, swap in ordered:
        found.append(replace(swap, index=counts[swap.signature]))
        counts[swap.signature] += 1
    return found


def _place(trade: GeckoTrade) -> int:
    """``…_<transaction>_<n>_<time of fetch>``; 0 where an id is written otherwise."""
    parts = trade.id.split("_")
    return int(parts[-2]) if len(parts) >= 2 and parts[-2].isdecimal() else 0


def _count(lake: Lake, pool: str, timeframe: str, wanted: Range) -> int:
    frame = LakeReader(lake).candles(pool, *wanted, timeframe=timeframe)
    return collected(frame.select("start_ns")).height
