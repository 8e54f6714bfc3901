"""What has held on the sources as they are: a run that was interrupted goes on where it was, with ``--resume``."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.check import Findings
from tests.support.kept import Kept, sources_of
from tests.support.material import ROOT

__all__ = ["Held"]

FOLDER = ROOT / ".acceptance"


class Held:
    """Findings of checks that have held, by the tree of ``src``. With sources that are not committed none are kept."""

    def __init__(self, folder: Path = FOLDER, sources: str | None = None) -> None:
        self._kept = Kept(folder, sources_of("src") if sources is None else sources)

    def keep(self, name: str, found: Findings, seed: int) -> None:
        """This check has held."""
        record = {"seed": seed, "figures": found.figures, "table": found.table, "notes": found.notes}
        self._kept.keep(name, record)

    def found(self, name: str) -> tuple[Findings, int] | None:
        """What it has found when it held, and the seed; None when it has not."""
        record = self._kept.found(name)
        if record is None:
            return None
        return Findings(record["figures"], record["table"], [], record["notes"]), record["seed"]
