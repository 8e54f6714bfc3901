"""LakeSource: candles or snapshots of the lake, for an export."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pumpswap.errors import UsageError
from pumpswap.market.candle_file import Candle
from pumpswap.market.data_row import SkippedRow
from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.lake.rows import FROM_ROW
from pumpswap.model import PoolSnapshot
from pumpswap.research.qlib.observation import FIGURE_COLUMNS, Kind, Observation
from pumpswap.research.qlib.row_kind import RowKind, useful

__all__ = ["LakeSource"]


class LakeSource:
    """Candles, unless snapshots are asked for. A lake has no enhanced rows, and no quality of rows."""

    has_quality = False

    def __init__(self, folder: Path, rows: RowKind = RowKind.AUTO, network: str = "solana") -> None:
        if rows is RowKind.ENHANCED:
            raise UsageError(f"{folder} is a lake, without an enhanced table", hint="--rows candles or snapshots")
        self.location = str(folder)
        self.skipped: list[SkippedRow] = []
        self.kind = Kind.SNAPSHOTS if rows is RowKind.SNAPSHOTS else Kind.CANDLES
        self._reader = LakeReader(Lake(folder, network))

    def observations(self) -> Iterator[Observation]:
        if self.kind is Kind.SNAPSHOTS:
            yield from map(_observation, self._reader.read_snapshots())

    def candles(self, seconds: int) -> Iterator[Candle]:
        record = FROM_ROW["candles"]
        for timeframe in useful(seconds):
            for piece in self._reader.pieces("candles"):
                for row in piece.iter_rows(named=True):
                    if row["timeframe"] == timeframe:
                        yield record(row)


def _observation(snapshot: PoolSnapshot) -> Observation:
    """What a snapshot knows of the figures; market value and indicators are not in it."""
    metrics = {**snapshot.metrics, "signal_score": snapshot.stored_score}
    price = snapshot.base_price_usd
    return Observation(
        pool_id=snapshot.pool_id or snapshot.pool,
        at_ns=snapshot.at_ns,
        price_usd=price if price is not None and price > 0 else None,
        figures=tuple(_decimal(metrics.get(column)) for column in FIGURE_COLUMNS.values()),
    )


def _decimal(value: object) -> Decimal | None:
    """A figure as its source wrote it; None for what is missing or no number."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
