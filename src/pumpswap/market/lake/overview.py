"""What is in a lake, from its manifest alone: rows, days, sizes, what is covered and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pumpswap.market.lake.columns import KINDS
from pumpswap.market.lake.lake import Lake
from pumpswap.market.lake.ranges import Range, missing_from, united

__all__ = ["Covered", "Holding", "coverage_of", "holdings_of"]


@dataclass(frozen=True, slots=True)
class Holding:
    """Files of one kind of one network. Times are those of the first and the last row."""

    network: str
    kind: str
    files: int
    rows: int
    bytes: int
    days: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Covered:
    """What is claimed to be complete of one kind: of one pool, or of every pool where ``pool`` is "".

    ``holes`` are between the first and the last moment that was ever claimed.
    """

    network: str
    kind: str
    pool: str
    timeframe: str
    ranges: tuple[Range, ...]
    holes: tuple[Range, ...]


def holdings_of(lake: Lake) -> list[Holding]:
    """One line per network and kind, of all networks. Raises StorageError when the manifest cannot be read."""
    files = lake.manifest().files.values()
    found = []
    for network in sorted({file.network for file in files}):
        for kind in KINDS:
            mine = [file for file in files if (file.network, file.kind) == (network, kind)]
            if mine:
                found.append(
                    Holding(
                        network=network,
                        kind=kind,
                        files=len(mine),
                        rows=sum(file.rows for file in mine),
                        bytes=sum(file.bytes for file in mine),
                        days=len({file.date for file in mine}),
                        first_ns=min(file.min_ns for file in mine),
                        last_ns=max(file.max_ns for file in mine),
                    )
                )
    return found


def coverage_of(lake: Lake, pool: str | None = None) -> Iterator[Covered]:
    """Claims of the lake's network, by kind and pool; with ``pool``, its own together with those of every pool."""
    manifest = lake.manifest()
    ever: dict[tuple[str, str, str], list[Range]] = {}
    now: dict[tuple[str, str, str], list[Range]] = {}
    for claims, kept in ((manifest.coverage, now), (manifest.lost, {})):
        for one in claims:
            if one.network == lake.network and (pool is None or one.pool in ("", pool)):
                name = (one.kind, one.timeframe, one.pool if pool is None else pool)
                for place in (ever, kept):
                    place.setdefault(name, []).append((one.start_ns, one.end_ns))
    for (kind, timeframe, named), mine in sorted(ever.items()):
        ranges = united(now.get((kind, timeframe, named), []))
        holes = missing_from(ranges, min(mine)[0], max(end for _, end in mine))
        yield Covered(lake.network, kind, named, timeframe, tuple(ranges), tuple(holes))
