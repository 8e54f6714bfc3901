"""Quarantine: a folder of the lake for files that must not be read and that nobody has decided to delete."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["QUARANTINE", "put_aside"]

QUARANTINE = "quarantine"


def put_aside(folder: Path, relative: str) -> Path:
    """Move a file into the quarantine of the lake, where nothing reads it; answers where it is now."""
    name = relative.replace("/", "__")
    target = folder / QUARANTINE / name
    target.parent.mkdir(exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{name}.{number}")
    os.replace(folder / relative, target)
    return target
