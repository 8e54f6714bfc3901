"""What has held on the sources as they are: a run that was interrupted goes on where it was, with ``--resume``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.acceptance.check import Findings
from tests.support.material import ROOT

__all__ = ["Held"]

FOLDER = ROOT / ".acceptance"


class Held:
    """Findings of checks that have held, by the tree of ``src``. With sources that are not committed none are kept."""

    def __init__(self, folder: Path = FOLDER, sources: str | None = None) -> None:
        self.sources = _sources() if sources is None else sources
        self._folder = folder / self.sources if self.sources else None

    def keep(self, name: str, found: Findings, seed: int) -> None:
        """This check has held."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        record = {"seed": seed, "figures": found.figures, "table": found.table, "notes": found.notes}
        self._file(name).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")

    def found(self, name: str) -> tuple[Findings, int] | None:
        """What it has found when it held, and the seed; None when it has not."""
        if self._folder is None or not self._file(name).exists():
            return None
        record: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        return Findings(record["figures"], record["table"], [], record["notes"]), record["seed"]

    def _file(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.json"


def _sources() -> str:
    """The tree of ``src`` at HEAD; empty when it has changed since, or when this is no checkout."""
    try:
        if _git("status", "--porcelain", "--", "src"):
            return ""
        return _git("rev-parse", "HEAD:src")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return run.stdout.strip()
