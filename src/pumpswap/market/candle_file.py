"""CandleFile: the host's export of candles, one minute each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.csv_rows import csv_rows
from pumpswap.market.data_row import SkippedRow
from pumpswap.market.identifiers import bare_address

__all__ = ["CandleFile", "MinuteCandle"]

_COLUMNS = ("pool_id", "timeframe", "timestamp", "close_price")
_LAST_TIMESTAMP = 10**11  # seconds; anything above is milliseconds


@dataclass(frozen=True, slots=True)
class MinuteCandle:
    """``known_ns`` is the end of the minute: before it, nobody knew the close."""

    pool: str
    known_ns: int
    close_usd: Decimal


class CandleFile:
    """Reads one export at once: one-minute candles in ``candles``; longer ones repeat them and are only counted."""

    def __init__(self, path: Path) -> None:
        self.candles: list[MinuteCandle] = []
        self.skipped: list[SkippedRow] = []
        self.other_timeframes = 0
        seen: set[tuple[str, int]] = set()
        for row in csv_rows(path, _COLUMNS):
            start, close = row.whole("timestamp"), row.number("close_price")
            if not 0 < start < _LAST_TIMESTAMP:
                raise row.bad("timestamp", "is no Unix time in seconds")
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
