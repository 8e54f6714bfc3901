"""What long runs have found on the sources as they are: who was interrupted goes on where he was (``--resume``)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.evidence import git

__all__ = ["Kept", "sources_of"]


class Kept:
    """Records by name, in a folder of the sources that they were made on; without ``sources`` nothing is kept."""

    def __init__(self, folder: Path, sources: str) -> None:
        self._folder = folder / sources if sources else None

    def keep(self, name: str, record: Mapping[str, Any]) -> None:
        """An earlier one of that name is replaced."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file(name).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")

    def found(self, name: str) -> dict[str, Any] | None:
        """What was kept on these sources; None when nothing was."""
        if self._folder is None or not self._file(name).exists():
            return None
        record: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        return record

    def _file(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.json"


def sources_of(*folders: str) -> str:
    """The trees of these folders at HEAD; empty when one has changed since, or when this is no checkout."""
    try:
        if git("status", "--porcelain", "--", *folders):
            return ""
        return "-".join(git("rev-parse", f"HEAD:{folder}") for folder in folders)
    except (OSError, subprocess.CalledProcessError):
        return ""
