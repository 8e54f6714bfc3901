"""Sources in memory, and helpers that look at what was written."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, ManualClock, parse_utc
from pumpswap.market.candle_file import TIMEFRAMES, Candle
from pumpswap.market.data_row import SkippedRow
from pumpswap.research.qlib.export import ExportOptions, ExportResult, Mode, export_dataset
from pumpswap.research.qlib.frequency import frequency_named
from pumpswap.research.qlib.observation import FIGURE_COLUMNS, Kind, Observation

FAR_NS = parse_utc("2030-01-01")


class ListSource:
    """Rows and candles from lists. ``until_ns`` cuts off what was not known then."""

    location = "a list"
    has_quality = False

    def __init__(
        self,
        rows: Sequence[Observation] = (),
        candles: Sequence[Candle] = (),
        *,
        kind: Kind = Kind.SNAPSHOTS,
        until_ns: int = FAR_NS,
    ) -> None:
        self.kind = kind
        self.skipped: list[SkippedRow] = []
        self._rows = sorted((row for row in rows if row.at_ns < until_ns), key=lambda row: row.at_ns)
        self._candles = sorted(
            (candle for candle in candles if candle.known_ns <= until_ns),
            key=lambda candle: (-TIMEFRAMES[candle.timeframe], candle.start_ns),
        )

    def observations(self) -> Iterable[Observation]:
        return self._rows

    def candles(self, seconds: int) -> Iterable[Candle]:
        return [one for one in self._candles if seconds % TIMEFRAMES[one.timeframe] == 0]


def row(
    at: str | int, price: str | None = "1", *, pool: str = "solana_Aa", wish: str = "", **figures: str | None
) -> Observation:
    """A snapshot that passes the filters, unless ``figures`` say otherwise."""
    told: dict[str, str | None] = {"liquidity": "5000", "volume": "700", **figures}
    return Observation(
        pool_id=pool,
        at_ns=parse_utc(at) if isinstance(at, str) else at,
        price_usd=None if price is None else Decimal(price),
        figures=tuple(None if told.get(name) is None else Decimal(str(told[name])) for name in FIGURE_COLUMNS),
        wish=wish,
    )


def candle(
    at: str | int, prices: str = "1 2 0.5 1.5", *, pool: str = "Aa", timeframe: str = "1h", volume: str = "10"
) -> Candle:
    """A candle; ``prices`` are open, high, low and close."""
    start_ns = parse_utc(at) if isinstance(at, str) else at
    first, high, low, close = map(Decimal, prices.split())
    end_ns = start_ns + TIMEFRAMES[timeframe] * NS_PER_SECOND
    return Candle(pool, timeframe, start_ns, end_ns, first, high, low, close, Decimal(volume))


def export(
    source: ListSource, out: Path, mode: str = "all", *, freq: str = "60min", now_ns: int = FAR_NS, **options: object
) -> ExportResult:
    """An export with a clock that stands still."""
    chosen = ExportOptions(frequency=frequency_named(freq), mode=Mode(mode))
    return export_dataset(source, out, replace(chosen, **options), ManualClock(now_ns))  # type: ignore[arg-type]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_bin(path: Path) -> tuple[int, list[float | None]]:
    """Start index and values of a feature, read by hand: the test's own reading of the layout. NaN is None."""
    raw = path.read_bytes()
    start, *values = struct.unpack(f"<{len(raw) // 4}f", raw)
    return int(start), [None if math.isnan(value) else value for value in values]


def f32(text: str) -> float:
    """The nearest float32 of a number."""
    (value,) = struct.unpack("<f", struct.pack("<f", float(text)))
    return float(value)
