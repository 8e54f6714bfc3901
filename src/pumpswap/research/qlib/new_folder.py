"""A folder that is replaced as a whole: written beside the old one, and put in its place when it is complete."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pumpswap.errors import StorageError, UsageError

__all__ = ["new_folder"]


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """An empty folder that becomes ``target`` when the block ends well; otherwise nothing has changed.

    Killed in the one moment between the two renames, the old folder lies beside ``target`` and the next call puts it
    back. Raises UsageError when another process writes the same folder, StorageError when the disk refuses.
    """
    # What a link points to is replaced, not the link.
    target = target.expanduser().resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            fresh, old = beside(target, "new"), beside(target, "old")
            _tidy(target, fresh, old)
            fresh.mkdir()
            try:
                yield fresh
                if target.exists():
                    target.rename(old)
                fresh.rename(target)
            finally:
                _tidy(target, fresh, old)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error}", hint="check the path, the rights and the space"
        ) from error


def beside(target: Path, suffix: str) -> Path:
    """A hidden neighbour of a folder."""
    return target.with_name(f".{target.name}.{suffix}")


def _tidy(target: Path, fresh: Path, old: Path) -> None:
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in (fresh, old):
        if leftover.exists():
            shutil.rmtree(leftover)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    path = beside(target, "lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                raise BlockingIOError  # the file was removed by its owner while we waited for it
        except BlockingIOError:
            raise UsageError(f"{target} is being written by another process", hint="wait for it") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
