"""Figures: what one topic of ``make bench`` has measured, and what was promised of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Figures", "PeerUnavailable"]


class PeerUnavailable(RuntimeError):
    """What we are compared with cannot be run here."""


@dataclass(frozen=True)
class Figures:
    """``table`` is for people, ``figures`` for the evidence, ``promises`` are (what was promised, whether it held);
    ``notes`` say how it was measured.
    """

    title: str
    table: list[str]
    figures: dict[str, Any]
    promises: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
