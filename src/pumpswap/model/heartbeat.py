"""Heartbeat: a running engine says that it runs, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Heartbeat"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """``process`` is the number of the process; ``parts`` say of each part (feed, venue, control, …) how it is, in a
    word or a sentence; ``waiting`` is the length of the queue and ``able`` whether entries could be executed now, else
    ``in_the_way`` names the faults. The next one comes in ``every_seconds``. The last one of an engine says
    ``stopping``, and ``broken`` too where an error has ended it.
    """

    at_ns: int
    started_ns: int
    process: int
    mode: str
    waiting: int = 0
    able: bool = True
    events: int = 0
    stopping: bool = False
    parts: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, float] = field(default_factory=dict)
    in_the_way: str = ""
    every_seconds: int = 0
    broken: bool = False
