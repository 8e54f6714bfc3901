"""A long check: a name, what must hold before it can run, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """Figures for the evidence, a table for people, and what went wrong (empty: the check holds)."""

    figures: dict[str, Any]
    table: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


Progress = Callable[[int, int], None]  # (done, of)


@dataclass(frozen=True)
class Check:
    """``absent`` says why the check cannot run here, or None; ``run`` takes a seed and reports its progress."""

    name: str
    what: str
    absent: Callable[[], str | None]
    run: Callable[[int, Progress], Findings]
