"""Mute: a topic that nobody wants to hear of for a while."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mute"]


@dataclass(frozen=True, slots=True)
class Mute:
    """Alerts of ``topic`` are stored but not sent until then; ``subject`` empty: whatever they are about."""

    topic: str
    subject: str
    until_ns: int
    at_ns: int
    origin: str
    number: int = 0
