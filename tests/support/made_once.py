"""Folders that several tests begin with: made once in a process, and copied for each of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["made_once"]

_MADE: dict[Hashable, dict[Path, bytes | None]] = {}


def made_once(key: Hashable, make: Callable[[Path], object], folder: Path) -> None:
    """Put into ``folder`` what ``make`` leaves in an empty one. It must leave the same for the same key, whenever it is
    asked, and nothing that knows where it lies.
    """
    if key not in _MADE:
        with TemporaryDirectory(prefix="pumpswap-made-") as made:
            make(Path(made))
            paths = sorted(Path(made).rglob("*"))
            _MADE[key] = {one.relative_to(made): None if one.is_dir() else one.read_bytes() for one in paths}
    for name, content in _MADE[key].items():
        if content is None:
            (folder / name).mkdir(parents=True, exist_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
