"""A long part: its name, and what it finds for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Found", "Part", "Progress"]

Progress = Callable[[int, int], None]  # (done, of)


@dataclass
class Found:
    """Figures for the evidence, lines for people, and what went wrong (empty: it holds)."""

    figures: dict[str, Any]
    table: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """``run`` takes a seed; it goes on after a failure, which names its own seed."""

    name: str
    run: Callable[[int, Progress], Found]
