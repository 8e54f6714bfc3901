"""Command: what somebody at another terminal wants of the running engine; stored first, answered in its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Command", "CommandStatus", "CommandVerb"]


class CommandVerb(Enum):
    """What can be asked."""

    PAUSE = "pause"
    RESUME = "resume"
    EXITS_ONLY = "exits-only"
    HALT = "halt"
    PANIC = "panic"
    CLOSE = "close"
    STOP = "stop"


class CommandStatus(Enum):
    """``WAITING`` until the engine has taken it."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Command:
    """``origin`` says who asked, for the record; ``answer`` what the engine did, in a sentence."""

    at_ns: int
    verb: CommandVerb
    origin: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    status: CommandStatus = CommandStatus.WAITING
    answer: str = ""
    done_ns: int | None = None
