"""LakeReader: rows of the lake as frames and as our records. It needs no lock and never changes anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.candle_file import Candle
from pumpswap.market.lake.columns import kind_of
from pumpswap.market.lake.data import collected, pl, scanned
from pumpswap.market.lake.frames import polars_schema
from pumpswap.market.lake.lake import DAY_NS, Lake
from pumpswap.market.lake.ranges import Range
from pumpswap.market.lake.rows import FROM_ROW, PoolStateSeen
from pumpswap.model import PoolSnapshot, SeenAct, Swap

__all__ = ["TIME_ORDER", "LakeReader"]

_MINUTE_NS = 60 * NS_PER_SECOND
_ROWS_AT_ONCE = 250_000

# The order in which things happened; what is left equal by it, no source tells apart.
TIME_ORDER = {
    "swaps": ("at_ns", "slot", "position", "index", "pool", "signature"),
    "acts": ("at_ns", "slot", "position", "index", "pool", "signature"),
    "states": ("at_ns", "slot", "pool"),
    "candles": ("start_ns", "timeframe", "pool"),
    "snapshots": ("at_ns", "pool"),
}


class LakeReader:
    """Reads what the manifest lists when a method is called. Times: from ``start_ns`` until before ``end_ns``.

    Frames are lazy: add your own filters and ``collect()``; only row groups that can match are read. For candles the
    time is their start.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def swaps(self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None) -> pl.LazyFrame:
        """Swaps, in no particular order."""
        return self.frame("swaps", pool, start_ns, end_ns)

    def acts(self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None) -> pl.LazyFrame:
        """What happened besides trades, in no particular order."""
        return self.frame("acts", pool, start_ns, end_ns)

    def states(self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None) -> pl.LazyFrame:
        """States, in no particular order."""
        return self.frame("states", pool, start_ns, end_ns)

    def candles(
        self,
        pool: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        timeframe: str | None = None,
    ) -> pl.LazyFrame:
        """Candles, in no particular order."""
        frame = self.frame("candles", pool, start_ns, end_ns)
        return frame if timeframe is None else frame.filter(pl.col("timeframe") == timeframe)

    def snapshots(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> pl.LazyFrame:
        """Snapshots, in no particular order."""
        return self.frame("snapshots", pool, start_ns, end_ns)

    def frame(
        self, kind: str, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> pl.LazyFrame:
        """Rows of a kind. Raises UsageError for an unknown one, BadInput for files of a later version."""
        found = kind_of(kind)
        files = self.lake.files(kind, start_ns=start_ns, end_ns=end_ns)
        schema = polars_schema(found)
        if not files:
            return pl.LazyFrame(schema=schema)
        frame = scanned([self.lake.folder / file.path for file in files], schema=schema)
        if pool is not None:
            frame = frame.filter(pl.col("pool") == pool)
        if start_ns is not None:
            frame = frame.filter(pl.col(found.time) >= start_ns)
        if end_ns is not None:
            frame = frame.filter(pl.col(found.time) < end_ns)
        return frame

    def decimals(self, pools: Sequence[str]) -> pl.DataFrame:
        """``pool``, ``base_decimals``, ``quote_decimals`` of those of the pools whose state was recorded."""
        states = self.states().filter(pl.col("pool").is_in(list(pools)))
        figures = pl.col("base_decimals", "quote_decimals").first()
        return collected(states.group_by("pool").agg(figures), streaming=True)

    def read_swaps(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[Swap]:
        """Swaps as records, in order of execution as far as it is known; memory does not grow with their number."""
        return self.read("swaps", pool, start_ns, end_ns)

    def read_acts(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[SeenAct]:
        """What happened besides trades as records, in order of execution as far as it is known."""
        return self.read("acts", pool, start_ns, end_ns)

    def read_states(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[PoolStateSeen]:
        """States as records, in the order in which they were seen."""
        return self.read("states", pool, start_ns, end_ns)

    def read_candles(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[Candle]:
        """Candles as records, by their start."""
        return self.read("candles", pool, start_ns, end_ns)

    def read_snapshots(
        self, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[PoolSnapshot]:
        """Snapshots as records, by time."""
        return self.read("snapshots", pool, start_ns, end_ns)

    def read(
        self, kind: str, pool: str | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[Any]:
        """Rows of a kind as records, in time order."""
        record = FROM_ROW[kind_of(kind).name]
        for frame in self.pieces(kind, pool, start_ns, end_ns):
            for row in frame.iter_rows(named=True):
                yield record(row)

    def pieces(
        self,
        kind: str,
        pool: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        rows: int = _ROWS_AT_ONCE,
    ) -> Iterator[pl.DataFrame]:
        """Frames of about ``rows`` rows, in time order, one after the other."""
        for start, end in self._windows(kind, pool, start_ns, end_ns, rows):
            piece = collected(self.frame(kind, pool, start, end).sort(*TIME_ORDER[kind]))
            if piece.height:
                yield piece

    def _windows(
        self, kind: str, pool: str | None, start_ns: int | None, end_ns: int | None, rows: int
    ) -> Iterator[Range]:
        """Ranges of time of about ``rows`` rows; a minute that has more of them is not divided."""
        files = self.lake.files(kind, start_ns=start_ns, end_ns=end_ns)
        days: dict[int, int] = {}
        for file in files:
            for day in range(file.min_ns // DAY_NS, file.max_ns // DAY_NS + 1):
                days[day] = days.get(day, 0) + file.rows
        for day, count in sorted(days.items()):
            start, end = day * DAY_NS, (day + 1) * DAY_NS
            start = start if start_ns is None else max(start, start_ns)
            end = end if end_ns is None else min(end, end_ns)
            cuts = self._cuts(kind, pool, (start, end), rows) if count > rows else []
            edges = [start, *cuts, end]
            yield from pairwise(edges)

    def _cuts(self, kind: str, pool: str | None, window: Range, rows: int) -> list[int]:
        minute = (pl.col(kind_of(kind).time) // _MINUTE_NS).alias("minute")
        minutes = self.frame(kind, pool, *window).group_by(minute).len().sort("minute")
        counts = collected(minutes, streaming=True)
        cuts, held = [], 0
        for start, count in counts.iter_rows():
            if held and held + count > rows:
                cuts.append(start * _MINUTE_NS)
                held = 0
            held += count
        return cuts
