"""Compaction: many small files of a day become few. A day has one file per half a million rows, and at most 16 more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pumpswap.market.lake.data import collected, pl, scanned
from pumpswap.market.lake.lake import Lake
from pumpswap.market.lake.manifest import LakeFile
from pumpswap.market.lake.part import is_sound

__all__ = ["due", "merged_groups", "sound", "with_rows_of"]

MOST_SMALL_FILES = 16
_FULL_ROWS = 500_000  # a file of this many rows is left alone
_MOST_ROWS = 1_000_000  # a merge stops before it holds more than this in memory


def due(files: Sequence[LakeFile], *, force: bool) -> bool:
    """Whether the files of one day are worth merging."""
    return len(_small(files)) > (1 if force else MOST_SMALL_FILES)


def merged_groups(files: Sequence[LakeFile]) -> Iterator[list[LakeFile]]:
    """Files that become one each, neighbours in time."""
    group: list[LakeFile] = []
    for file in _small(files):
        if group and sum(one.rows for one in group) + file.rows > _MOST_ROWS:
            if len(group) > 1:
                yield group
            group = []
        group.append(file)
    if len(group) > 1:
        yield group


def sound(lake: Lake, group: Sequence[LakeFile]) -> list[LakeFile]:
    """Those whose bytes are as they were written. A damaged file that is merged would be hidden for ever."""
    return [file for file in group if is_sound(lake.folder, file)]


def with_rows_of(lake: Lake, group: Sequence[LakeFile]) -> pl.DataFrame:
    """All rows of the files."""
    return pl.concat([collected(scanned(lake.folder / file.path)) for file in group])


def _small(files: Sequence[LakeFile]) -> list[LakeFile]:
    return sorted((file for file in files if file.rows < _FULL_ROWS), key=lambda file: (file.min_ns, file.path))
