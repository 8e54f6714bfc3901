"""What the lake holds of a pool's swaps, for those that add to them."""

from __future__ import annotations

from collections import Counter

from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.lake.data import pl
from pumpswap.market.lake.ranges import Range
from pumpswap.market.lake.reader import TIME_ORDER
from pumpswap.market.lake.rows import FROM_ROW
from pumpswap.model import Swap

__all__ = ["CHAIN", "ends_of", "foreign_signatures", "stored_signatures"]

CHAIN = "chain"  # the source of swaps that the chain itself has told


def stored_signatures(lake: Lake, pool: str, span: Range) -> Counter[str]:
    """How many swaps of each transaction the lake has of a pool, in a range of time."""
    return _signatures(LakeReader(lake).swaps(pool, *span))


def foreign_signatures(lake: Lake, pool: str, span: Range) -> Counter[str]:
    """The same, of swaps that another source than the chain has told."""
    return _signatures(LakeReader(lake).swaps(pool, *span).filter(pl.col("source") != CHAIN))


def ends_of(lake: Lake, pool: str | None, span: Range) -> tuple[Swap, Swap] | None:
    """The oldest and the newest swap of a pool (None: of all) in a range of time, as the chain has told them."""
    frame = LakeReader(lake).swaps(pool, *span).filter(pl.col("source") == CHAIN)
    ordered = frame.sort(*TIME_ORDER["swaps"])
    rows = pl.concat([ordered.head(1), ordered.tail(1)]).collect().rows(named=True)
    if not rows:
        return None
    record = FROM_ROW["swaps"]
    return record(rows[0]), record(rows[-1])


def _signatures(frame: pl.LazyFrame) -> Counter[str]:
    return Counter(frame.select("signature").collect()["signature"].to_list())
