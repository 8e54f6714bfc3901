"""Candles: what a collector recorded of candles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.csv_rows import csv_rows
from pumpswap.market.data_row import DataRow, SkippedRow
from pumpswap.market.identifiers import bare_address

__all__ = ["TIMEFRAMES", "Candle", "CandleFile", "Candles", "MinuteCandle", "read_candles"]

_COLUMNS = ("pool_id", "timeframe", "timestamp", "close_price")
_LAST_TIMESTAMP = 10**11  # seconds; anything above is milliseconds
_PRICES = ("open_price", "high_price", "low_price", "close_price")

# Seconds by name.
TIMEFRAMES = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "4h": 14_400, "12h": 43_200, "1d": 86_400}


@dataclass(frozen=True, slots=True)
class MinuteCandle:
    """``known_ns`` is the end of the minute: before it, nobody knew the close."""

    pool: str
    known_ns: int
    close_usd: Decimal


@dataclass(frozen=True, slots=True)
class Candle:
    """A candle of any length, in USD. ``known_ns`` is its end: before it, only the open was known."""

    pool: str
    timeframe: str
    start_ns: int
    known_ns: int
    open_usd: Decimal
    high_usd: Decimal
    low_usd: Decimal
    close_usd: Decimal
    volume_usd: Decimal


class Candles:
    """Reads all rows at once: one-minute candles in ``candles``; longer ones repeat them and are only counted."""

    def __init__(self, rows: Iterable[DataRow]) -> None:
        self.candles: list[MinuteCandle] = []
        self.skipped: list[SkippedRow] = []
        self.other_timeframes = 0
        seen: set[tuple[str, int]] = set()
        for row in rows:
            start, close = _start(row), row.number("close_price")
            if row.text("timeframe") != "1m":
                self.other_timeframes += 1
                continue
            pool = bare_address(row.text("pool_id"))
            if (pool, start) in seen:
                self.skipped.append(row.skipped("the candle of this minute occurs twice"))
            elif close is None or close <= 0:
                self.skipped.append(row.skipped("the candle has no closing price"))
            else:
                self.candles.append(MinuteCandle(pool, (start + 60) * NS_PER_SECOND, close))
            seen.add((pool, start))


class CandleFile(Candles):
    """The host's export of candles. Raises NotFound and BadInput, as csv_rows does."""

    def __init__(self, path: Path) -> None:
        super().__init__(csv_rows(path, _COLUMNS))


def read_candles(rows: Iterable[DataRow], skipped: list[SkippedRow]) -> Iterator[Candle]:
    """Whole candles in the order of the rows, of TIMEFRAMES; what cannot be used goes to ``skipped``. Raises BadInput.

    A missing volume is none: nobody traded.
    """
    for row in rows:
        candle = _candle(row)
        if isinstance(candle, str):
            skipped.append(row.skipped(candle))
        else:
            yield candle


def _candle(row: DataRow) -> Candle | str:
    """A candle, or why the row is none."""
    start, timeframe = _start(row), row.text("timeframe")
    prices = [price for price in map(row.number, _PRICES) if price is not None and price > 0]
    seconds, volume = TIMEFRAMES.get(timeframe), row.number("volume_usd") or Decimal(0)
    if seconds is None:
        return f"the length of the candle is not known: {timeframe[:20]!r}"
    if len(prices) < len(_PRICES) or volume < 0:
        return "a price of the candle is missing or not positive"
    first, high, low, close = prices
    if high != max(prices) or low != min(prices):
        return "the candle's high or low is not its highest or lowest price"
    return Candle(
        pool=bare_address(row.text("pool_id")),
        timeframe=timeframe,
        start_ns=start * NS_PER_SECOND,
        known_ns=(start + seconds) * NS_PER_SECOND,
        open_usd=first,
        high_usd=high,
        low_usd=low,
        close_usd=close,
        volume_usd=volume,
    )


def _start(row: DataRow) -> int:
    start = row.whole("timestamp")
    if not 0 < start < _LAST_TIMESTAMP:
        raise row.bad("timestamp", "is no Unix time in seconds")
    return start
