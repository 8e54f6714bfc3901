"""Exactly once: what of a batch is new, what was here already, and what replaces a row of the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pumpswap.market.lake.columns import Kind
from pumpswap.market.lake.data import collected, pl, scanned
from pumpswap.market.lake.frames import extent
from pumpswap.market.lake.manifest import LakeFile

__all__ = ["Merged", "WriteCounts", "merge", "near"]

_PATH = "__path__"


@dataclass(slots=True)
class WriteCounts:
    """Rows by what became of them. ``duplicates`` were here already; ``replaced`` took the place of an older row;
    ``conflicts`` are duplicates with other figures that were not stored, since the first row of this kind stays.
    """

    rows: int = 0
    duplicates: int = 0
    replaced: int = 0
    conflicts: int = 0

    def add(self, other: WriteCounts) -> None:
        """Count the other's too."""
        self.rows += other.rows
        self.duplicates += other.duplicates
        self.replaced += other.replaced
        self.conflicts += other.conflicts


@dataclass(frozen=True, slots=True)
class Merged:
    """``fresh`` is to be written. ``outdated`` holds, by path, the keys of stored rows that must go."""

    fresh: pl.DataFrame
    outdated: dict[str, pl.DataFrame]
    counts: WriteCounts


def near(kind: Kind, batch: pl.DataFrame, files: Sequence[LakeFile]) -> list[LakeFile]:
    """Files that may hold rows of the batch."""
    if batch.is_empty():
        return []
    low, high = extent(batch, kind.height)
    return [file for file in files if file.max_height >= low and file.min_height <= high]


def merge(kind: Kind, batch: pl.DataFrame, folder: Path, files: Sequence[LakeFile]) -> Merged:
    """Compare a batch with itself and with the rows of the same keys that are stored in these files."""
    unique, counts = _unique(kind, batch)
    stored = _stored(kind, unique, folder, files) if files else None
    if stored is None or stored.is_empty():
        counts.rows = unique.height
        return Merged(unique, {}, counts)
    keys = list(kind.key)
    pairs = unique.select(*keys, *kind.facts).join(stored, on=keys, how="inner", suffix="_stored")
    differs = pairs.filter(pl.any_horizontal(pl.col(one).ne_missing(pl.col(f"{one}_stored")) for one in kind.facts))
    if not kind.newest_wins:
        fresh = unique.join(stored, on=keys, how="anti")
        counts.duplicates += pairs.height
        counts.conflicts += differs.height
        counts.rows = fresh.height
        return Merged(fresh, {}, counts)
    same = pairs.join(differs, on=keys, how="anti")
    fresh = unique.join(same, on=keys, how="anti")
    counts.duplicates += same.height
    counts.replaced += differs.height
    counts.rows = fresh.height
    outdated = {str(path[0]): rows.select(keys) for path, rows in differs.partition_by(_PATH, as_dict=True).items()}
    return Merged(fresh, outdated, counts)


def _unique(kind: Kind, batch: pl.DataFrame) -> tuple[pl.DataFrame, WriteCounts]:
    """The batch without its own repetitions, in its order."""
    counts = WriteCounts()
    keys = list(kind.key)
    unique = batch.unique(subset=keys, keep="last" if kind.newest_wins else "first", maintain_order=True)
    repeated = batch.height - unique.height
    if repeated:
        variants = batch.unique(subset=[*keys, *kind.facts]).height - unique.height
        counts.duplicates = repeated
        counts.conflicts = 0 if kind.newest_wins else variants
    return unique, counts


def _stored(kind: Kind, batch: pl.DataFrame, folder: Path, files: Sequence[LakeFile]) -> pl.DataFrame:
    """Keys and facts of stored rows that the batch has too, with the file they are in."""
    (low, high), pools = extent(batch, kind.height), batch.get_column("pool")
    absolute = {str(folder / file.path): file.path for file in files}
    scan = scanned([folder / file.path for file in files], include_file_paths=_PATH)
    found = collected(
        scan.filter(pl.col(kind.height).is_between(low, high))
        .filter(pl.col("pool").is_between(pl.lit(pools.min()), pl.lit(pools.max())))
        .select(*kind.key, *kind.facts, _PATH)
        .join(batch.lazy().select(kind.key), on=list(kind.key), how="semi"),
        streaming=True,
    )
    return found.with_columns(pl.col(_PATH).replace_strict(absolute, return_dtype=pl.String))
