"""A part: one Parquet file of the lake, written so that it is whole or not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pumpswap.errors import StorageError
from pumpswap.market.lake.columns import Kind
from pumpswap.market.lake.data import pl
from pumpswap.market.lake.frames import ROW_GROUP_ROWS, extent
from pumpswap.market.lake.lake import Lake
from pumpswap.market.lake.manifest import LakeFile, sync_folder
from pumpswap.market.lake.quarantine import put_aside

__all__ = ["TEMPORARY", "is_sound", "sha256_of", "write_part"]

TEMPORARY = ".tmp"
_CHUNK = 1 << 20


def write_part(lake: Lake, kind: Kind, date: str, name: str, frame: pl.DataFrame) -> LakeFile:
    """Rows of one day as a file, sorted and on disk; nobody reads it before the manifest lists it.

    Raises StorageError when the disk does not take it.
    """
    relative = f"{kind.name}/network={lake.network}/date={date}/{name}.parquet"
    path = lake.folder / relative
    aside = path.with_name(path.name + TEMPORARY)
    rows = frame.sort(*kind.order)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(aside, compression="zstd", statistics=True, row_group_size=ROW_GROUP_ROWS)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        digest, size = sha256_of(aside), aside.stat().st_size
        if path.exists():
            # Only a manifest that has lost lines gives a name twice; what the file holds may still be wanted.
            put_aside(lake.folder, relative)
        os.replace(aside, path)
        for folder in (path.parent, *path.parent.parents):
            sync_folder(folder)
            if folder == lake.folder:
                break
    except (OSError, pl.exceptions.ComputeError) as failed:  # polars says in this way that a disk is full
        reason = getattr(failed, "strerror", None) or str(failed).splitlines()[0]
        hint = "free some space or choose another folder; nothing of this part counts, it can be written again"
        raise StorageError(f"{path} cannot be written: {reason}", hint=hint) from None
    (first_ns, last_ns), (lowest, highest) = extent(rows, kind.time), extent(rows, kind.height)
    return LakeFile(
        path=relative,
        kind=kind.name,
        network=lake.network,
        date=date,
        rows=rows.height,
        bytes=size,
        sha256=digest,
        min_ns=first_ns,
        max_ns=last_ns,
        min_height=lowest,
        max_height=highest,
    )


def is_sound(folder: Path, file: LakeFile) -> bool:
    """Whether the bytes of a file are those that were written."""
    try:
        return sha256_of(folder / file.path) == file.sha256
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    """Digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
