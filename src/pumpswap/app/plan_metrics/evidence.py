"""Evidence: figures of long checks, as a checkout keeps them: one file for each check, with date and commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pumpswap
from pumpswap.errors import BadInput, NotFound

__all__ = ["Evidence", "Record", "evidence_folder"]

_FOLDER = "evidence"
_LARGEST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """What one check has written. ``where`` names file, date and commit, for people."""

    name: str
    commit: str
    date: str
    figures: Mapping[str, Any]

    @property
    def where(self) -> str:
        """``evidence/bench.json, 2026-11-26, commit c49de9a``."""
        return f"{_FOLDER}/{self.name}.json, {self.date[:10]}, commit {self.commit}"

    def get(self, *path: str) -> Any:
        """The figure at a path of names; None where there is none."""
        found: Any = self.figures
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, slots=True)
class Evidence:
    """The files of one folder; without a folder there are none."""

    folder: Path | None

    def record(self, name: str) -> Record | None:
        """What the check ``name`` has written; None where it has not. Raises BadInput for a file that is no such
        record.
        """
        path = None if self.folder is None else self.folder / f"{name}.json"
        if path is None or not path.is_file():
            return None
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                raise ValueError("it is too large")
            document = json.loads(path.read_text(encoding="utf-8"))
            figures = document["figures"]
            if not isinstance(figures, dict):
                raise TypeError("its figures are no object")
            return Record(name, str(document["commit"])[:40], str(document["date"])[:20], figures)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as broken:
            raise BadInput(
                f"{_FOLDER}/{name}.json is no evidence of a check: {broken}",
                hint="make it again: `make acceptance`, `make bench`, `make test ARGS=--evidence`",
            ) from broken


def evidence_folder(given: Path | None = None) -> Path | None:
    """``given``; else that of the folder one is in, else that of the checkout that this package runs from; None where
    there is none. Raises NotFound for a given folder that is not there.
    """
    if given is not None:
        if not given.is_dir():
            raise NotFound("there is no such folder of evidence", hint="name the folder `evidence` of a checkout")
        return given
    checkout = Path(pumpswap.__file__).resolve().parents[2]
    for place in (Path.cwd(), checkout):
        if (place / _FOLDER).is_dir() and (place / "pyproject.toml").is_file():
            return place / _FOLDER
    return None
