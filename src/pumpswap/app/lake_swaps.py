"""What the lake holds of a pool's swaps, for those that add to them. Raises StorageError where a file is damaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.chain.node import SignatureInfo
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.lake.data import collected, pl
from pumpswap.market.lake.ranges import Range
from pumpswap.market.lake.reader import TIME_ORDER
from pumpswap.market.lake.rows import FROM_ROW
from pumpswap.model import Swap

__all__ = ["CHAIN", "StoredSwaps", "ends_of", "last_of_a_slot", "stored_signatures", "stored_swaps"]

_RECENT_NS = 60 * NS_PER_SECOND

CHAIN = "chain"  # the source of swaps that the chain itself has told


def stored_signatures(lake: Lake, pool: str, span: Range) -> Counter[str]:
    """How many swaps of each transaction the lake has of a pool, in a range of time."""
    return _signatures(LakeReader(lake).swaps(pool, *span))


@dataclass(frozen=True, slots=True)
class StoredSwaps:
    """What the lake has of a pool's swaps in a range of time.

    ``foreign``: how many of each transaction another source than the chain has told. ``places``: by signature and
    index, the places within their slots of those of the chain.
    """

    foreign: Counter[str]
    places: Mapping[tuple[str, int], int]


def stored_swaps(lake: Lake, pool: str, span: Range) -> StoredSwaps:
    """What is there already of what is to be added."""
    frame = LakeReader(lake).swaps(pool, *span).select("signature", "index", "position", "source")
    foreign, places = Counter[str](), {}
    for signature, index, position, source in collected(frame).iter_rows():
        if source == CHAIN:
            places[signature, index] = position
        else:
            foreign[signature] += 1
    return StoredSwaps(foreign, places)


def ends_of(lake: Lake, pool: str, span: Range) -> tuple[Swap, Swap] | None:
    """The oldest and the newest swap of a pool in a range of time, as the chain has told them."""
    frame = LakeReader(lake).swaps(pool, *span).filter(pl.col("source") == CHAIN)
    ordered = frame.sort(*TIME_ORDER["swaps"])
    rows = collected(pl.concat([ordered.head(1), ordered.tail(1)])).rows(named=True)
    if not rows:
        return None
    record = FROM_ROW["swaps"]
    return record(rows[0]), record(rows[-1])


def last_of_a_slot(lake: Lake, before_ns: int | None = None) -> SignatureInfo | None:
    """The last swap, of any pool, of the newest slot that is certainly over, as a line of the program's history.

    Only what the chain has told before a moment; None where that is nothing.
    """
    end_ns = before_ns if before_ns is not None else max((file.max_ns + 1 for file in lake.files("swaps")), default=0)
    frame = LakeReader(lake).swaps(None, end_ns - _RECENT_NS, end_ns).filter(pl.col("source") == CHAIN)
    whole = frame.filter(pl.col("slot") < pl.col("slot").max()).sort(*TIME_ORDER["swaps"]).tail(1)
    rows = collected(whole.select("signature", "slot")).rows()
    return SignatureInfo(rows[0][0], rows[0][1], None) if rows else None


def _signatures(frame: pl.LazyFrame) -> Counter[str]:
    return Counter(collected(frame.select("signature"))["signature"].to_list())
