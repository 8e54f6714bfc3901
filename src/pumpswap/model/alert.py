"""Alert: something that somebody must know."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Alert", "AlertLevel"]


class AlertLevel(Enum):
    """How loud; the words are those of the host's ``system_alerts``."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """``topic`` is what kind of thing it is about, ``subject`` which one: a mint, a pool, an endpoint.

    ``number`` is given by the store; ``acknowledged_ns`` is when somebody has seen it, ``acknowledged_by`` who.
    ``run_id`` and ``run_kind`` (``live``, ``paper``, …): whose books it is about, none where it is of no run.
    """

    at_ns: int
    level: AlertLevel
    topic: str
    subject: str
    text: str
    number: int = 0
    acknowledged_ns: int | None = None
    acknowledged_by: str = ""
    run_id: int | None = field(default=None, compare=False)
    run_kind: str = field(default="", compare=False)
