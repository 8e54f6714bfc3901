"""Bars from rows: which rows count, and what a bar says when several of them fall into it. Only the past is read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from pumpswap.market.candle_file import TIMEFRAMES, Candle
from pumpswap.market.identifiers import bare_address, network_of
from pumpswap.research.qlib.frequency import Frequency
from pumpswap.research.qlib.observation import CANDLE_FIELDS, FIELDS, FIGURE_COLUMNS, Filters, Kind, Observation, Source
from pumpswap.research.qlib.series import NAN, Series, single

__all__ = ["Bars", "Counts", "qualified", "read_bars"]

_TOLD_EVERY = 1_000  # rows


@dataclass
class Counts:
    """What became of the rows of a source."""

    rows: int = 0
    candles: int = 0
    filtered: int = 0  # rows that the filters refuse
    not_admitted: int = 0  # candles of a pool whose latest row was refused, or that has none
    repeated: int = 0  # candles that occur twice: the first one counts
    unfinished: int = 0  # rows and candles of bars that were not over


@dataclass
class Bars:
    """The series of all pools by pool id, and the name that each wished for with its first row."""

    series: dict[str, Series] = field(default_factory=dict)
    wishes: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def read_bars(
    source: Source, frequency: Frequency, filters: Filters, as_of_ns: int, tell: Callable[[int], None] = lambda _: None
) -> Bars:
    """All bars of a source that are over at ``as_of_ns``; a bar that is not over would change later.

    Of several rows in a bar the last one gives the figures; open, high, low and close are the first, highest, lowest
    and last price that was seen in it. Candles, where there are any, know these better and replace them. Where a source
    has rows, its candles count only for pools whose latest row at the time passed the filters.
    """
    bars = Bars()
    reader = _Reader(bars, frequency, as_of_ns, tell)
    observations = reader.observations(source.observations(), filters, has_quality=source.has_quality)
    snapshots = _snapshot_series(observations, frequency, bars)
    candles = reader.candles(source.candles(frequency.seconds), snapshots_only=source.kind is Kind.SNAPSHOTS)
    if source.kind is Kind.CANDLES:
        bars.series = candles
    else:
        for pool_id, one in candles.items():
            snapshots[pool_id] = _joined(snapshots.get(pool_id) or Series(pool_id, FIELDS), one)
        bars.series = snapshots
    bars.series = dict(sorted(bars.series.items()))
    return bars


class _Reader:
    """Counts and filters what comes out of a source, and remembers which pools were admitted when."""

    def __init__(self, bars: Bars, frequency: Frequency, as_of_ns: int, tell: Callable[[int], None]) -> None:
        self._bars = bars
        self._frequency = frequency
        self._end = frequency.bars_until(as_of_ns)
        self._tell = tell
        self._admissions: dict[str, tuple[list[int], list[bool]]] = {}

    def observations(
        self, rows: Iterable[Observation], filters: Filters, *, has_quality: bool
    ) -> Iterator[Observation]:
        counts = self._bars.counts
        for row in rows:
            counts.rows += 1
            self._count()
            if self._frequency.bar_of(row.at_ns) >= self._end:
                counts.unfinished += 1
                continue
            kept = filters.keep(row, has_quality=has_quality)
            self._admit(qualified(row.pool_id), row.at_ns, kept=kept)
            if kept:
                yield row
            else:
                counts.filtered += 1

    def candles(self, candles: Iterable[Candle], *, snapshots_only: bool) -> dict[str, Series]:
        """Candles of bars, each from the longest candles that there are in it."""
        found: dict[str, dict[int, _Price]] = {}
        for candle in candles:
            self._bars.counts.candles += 1
            self._count()
            pool_id = qualified(candle.pool)
            bar = self._frequency.bar_of(candle.start_ns)
            if bar >= self._end:
                self._bars.counts.unfinished += 1
            elif snapshots_only and not self._is_admitted(pool_id, self._frequency.end_ns(bar)):
                self._bars.counts.not_admitted += 1
            elif not _add(found.setdefault(pool_id, {}), bar, candle):
                self._bars.counts.repeated += 1
        return {pool_id: _candle_series(pool_id, prices) for pool_id, prices in found.items()}

    def _admit(self, pool_id: str, at_ns: int, *, kept: bool) -> None:
        times, verdicts = self._admissions.setdefault(pool_id, ([], []))
        if not verdicts or verdicts[-1] != kept:
            times.append(at_ns)
            verdicts.append(kept)

    def _is_admitted(self, pool_id: str, before_ns: int) -> bool:
        times, verdicts = self._admissions.get(pool_id, ([], []))
        index = bisect_left(times, before_ns)
        return index > 0 and verdicts[index - 1]

    def _count(self) -> None:
        counts = self._bars.counts
        done = counts.rows + counts.candles
        if done % _TOLD_EVERY == 0:
            self._tell(done)


@dataclass
class _Price:
    """Prices of a bar that is being read; ``seconds`` is the length of the candles that it is made of."""

    seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    latest_ns: int = 0  # start of the last candle


@dataclass
class _Open:
    """The bar of a pool that is being read: prices seen so far, and the latest row."""

    bar: int
    row: Observation
    price: _Price | None = None


@lru_cache(maxsize=65_536)
def qualified(pool_id: str) -> str:
    """``<network>_<address>``, however the source writes it."""
    return f"{network_of(pool_id)}_{bare_address(pool_id)}"


def _snapshot_series(rows: Iterable[Observation], frequency: Frequency, bars: Bars) -> dict[str, Series]:
    series: dict[str, Series] = {}
    opened: dict[str, _Open] = {}
    for row in rows:
        pool_id, bar = qualified(row.pool_id), frequency.bar_of(row.at_ns)
        if pool_id not in series:
            series[pool_id] = Series(pool_id, FIELDS)
            bars.wishes[pool_id] = row.wish
        current = opened.get(pool_id)
        if current is None or current.bar != bar:
            if current is not None:
                _close(series[pool_id], current)
            current = opened[pool_id] = _Open(bar, row)
        current.row = row
        _see(current, row)
    for pool_id, current in opened.items():
        _close(series[pool_id], current)
    return series


def _see(current: _Open, row: Observation) -> None:
    if row.price_usd is None:
        return
    price = single(row.price_usd, "the price", row.pool_id)
    if current.price is None:
        current.price = _Price(0, price, price, price, price)
        return
    current.price.high = max(current.price.high, price)
    current.price.low = min(current.price.low, price)
    current.price.close = price


def _close(series: Series, current: _Open) -> None:
    price = current.price or _Price(0, NAN, NAN, NAN, NAN)
    named = zip(FIGURE_COLUMNS, current.row.figures, strict=True)
    figures = [single(value, name, series.pool_id) for name, value in named]
    series.append(current.bar, (price.open, price.high, price.low, price.close, *figures))


def _add(prices: dict[int, _Price], bar: int, candle: Candle) -> bool:
    """Put a candle into its bar, unless it is there already; longer candles come first and are not overruled."""
    seconds = TIMEFRAMES[candle.timeframe]
    figures = (candle.open_usd, candle.high_usd, candle.low_usd, candle.close_usd, candle.volume_usd)
    first, high, low, close, volume = (single(figure, "a candle", candle.pool) for figure in figures)
    known = prices.get(bar)
    if known is None:
        prices[bar] = _Price(seconds, first, high, low, close, volume, candle.start_ns)
    elif known.seconds == seconds:
        if candle.start_ns <= known.latest_ns:
            return False
        known.high, known.low, known.close = max(known.high, high), min(known.low, low), close
        known.volume += volume
        known.latest_ns = candle.start_ns
    return True


def _candle_series(pool_id: str, prices: dict[int, _Price]) -> Series:
    series = Series(pool_id, CANDLE_FIELDS)
    for bar, price in sorted(prices.items()):
        series.append(bar, (price.open, price.high, price.low, price.close, price.volume))
    return series


def _joined(snapshots: Series, candles: Series) -> Series:
    """Snapshots with the prices of candles. The volume of a candle is another figure, and stays out."""
    prices = {bar: values[:4] for bar, values in candles.rows()}
    figures = dict(snapshots.rows())
    joined = Series(snapshots.pool_id, FIELDS)
    nothing = (NAN,) * len(FIELDS)
    for bar in sorted(prices.keys() | figures.keys()):
        known = figures.get(bar, nothing)
        joined.append(bar, (*prices.get(bar, known[:4]), *known[4:]))
    return joined
