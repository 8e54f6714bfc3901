"""QLib: a month of hourly rows of 500 pools exported, and one more day added by an update."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from time import perf_counter

from benchmarks.figures import Figures
from pumpswap.clock import NS_PER_SECOND, ManualClock, parse_utc
from pumpswap.market.candle_file import Candle
from pumpswap.market.data_row import SkippedRow
from pumpswap.research.qlib.bars import read_bars
from pumpswap.research.qlib.export import ExportOptions, Mode, export_dataset
from pumpswap.research.qlib.frequency import frequency_named
from pumpswap.research.qlib.observation import FIGURE_COLUMNS, Filters, Kind, Observation

__all__ = ["measure"]

POOLS, HOURS, DAY = 500, 24 * 30, 24
START_NS = parse_utc("2026-10-01")
HOUR_NS = 3_600 * NS_PER_SECOND


class _Rows:
    """One row per pool and hour; a tenth of them is missing."""

    location, kind, has_quality = "made-up rows", Kind.SNAPSHOTS, False

    def __init__(self, hours: int) -> None:
        self.skipped: list[SkippedRow] = []
        self._hours = hours

    def observations(self) -> Iterator[Observation]:
        random = Random(7)
        names = [f"solana_{random.randbytes(16).hex()}" for _ in range(POOLS)]
        figures = tuple(Decimal(50_000 + number) / 7 for number in range(len(FIGURE_COLUMNS)))
        for hour in range(self._hours):
            for name in names:
                if random.random() < 0.9:
                    yield Observation(name, START_NS + hour * HOUR_NS + 1, Decimal(random.randrange(1, 10**9)), figures)

    def candles(self, seconds: int) -> Iterator[Candle]:
        yield from ()


def measure() -> Figures:
    """Seconds of a whole export and of an update; bytes of memory per bar, in a run of its own."""
    clock = ManualClock(parse_utc("2027-01-01"))
    with tempfile.TemporaryDirectory(prefix="qlib-bench-") as folder:
        out = Path(folder, "data")
        began = perf_counter()
        whole = export_dataset(_Rows(HOURS), out, ExportOptions(), clock)
        seconds = perf_counter() - began
        began = perf_counter()
        more = export_dataset(_Rows(HOURS + DAY), out, ExportOptions(mode=Mode.UPDATE), clock)
        update_seconds = perf_counter() - began
    bars = whole.values // len(Kind.SNAPSHOTS.fields)
    per_bar = _bytes_per_bar()
    figures = {
        "rows": whole.counts.rows,
        "values": whole.values,
        "rows_per_s": round(whole.counts.rows / seconds),
        "update_rows": more.counts.rows,
        "update_rows_per_s": round(more.counts.rows / update_seconds),
        "memory_bytes_per_bar": round(per_bar, 1),
    }
    table = [
        f"{'':<34}{'seconds':>9}{'rows/s':>12}",
        f"{f'{bars:,} rows of {POOLS} pools, all':<34}{seconds:>9.2f}{figures['rows_per_s']:>12,}",
        f"{'one more day, update':<34}{update_seconds:>9.2f}{figures['update_rows_per_s']:>12,}",
        f"memory: {per_bar:.0f} bytes per pool and bar with data",
    ]
    return Figures(
        "Datasets for QLib",
        table,
        figures,
        [("memory of an export is at most 100 bytes per pool and bar", per_bar <= 100)],
        ["QLib export: rows are made while they are read; 17 fields, 60 minutes, a tenth of the hours missing"],
    )


def _bytes_per_bar() -> float:
    tracemalloc.start()
    try:
        bars = read_bars(_Rows(HOURS // 6), frequency_named("60min"), Filters(), parse_utc("2027-01-01"))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return held / sum(len(one) for one in bars.series.values())
