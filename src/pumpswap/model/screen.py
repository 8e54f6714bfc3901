"""ScreenReport: what is known about a token and its pool that makes holding it safe or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

__all__ = ["ScreenCheck", "ScreenReport", "ScreenVerdict"]


class ScreenVerdict(Enum):
    """What a check found. UNKNOWN is not safe: nobody could look."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ScreenCheck:
    """One question and its answer. ``reason`` is a short sentence with its numbers, ``figures`` are for programs."""

    name: str
    verdict: ScreenVerdict
    reason: str
    figures: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScreenReport:
    """All checks of one token. ``pool`` is the pool that was looked at, None where the coin has none."""

    mint: str
    at_ns: int
    checks: tuple[ScreenCheck, ...]
    pool: str | None = None

    @property
    def verdict(self) -> ScreenVerdict:
        """UNSAFE when any check says so, else UNKNOWN when any could not be answered or none was made, else SAFE."""
        found = {check.verdict for check in self.checks}
        if ScreenVerdict.UNSAFE in found:
            return ScreenVerdict.UNSAFE
        return ScreenVerdict.SAFE if found == {ScreenVerdict.SAFE} else ScreenVerdict.UNKNOWN

    @property
    def is_safe(self) -> bool:
        """Whether every check was made and none objects."""
        return self.verdict is ScreenVerdict.SAFE

    @property
    def objections(self) -> tuple[str, ...]:
        """Why not, worst first: the reasons of the unsafe checks, then of those that could not be made."""
        order = (ScreenVerdict.UNSAFE, ScreenVerdict.UNKNOWN)
        return tuple(check.reason for verdict in order for check in self.checks if check.verdict is verdict)
