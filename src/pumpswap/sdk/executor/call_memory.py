"""CallMemory: what the calls of one executor share."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.repeats import RepeatedRefusals

__all__ = ["CallMemory"]

_TELL_AGAIN_NS = 3_600 * NS_PER_SECOND
_MOST_TOLD = 10_000


@dataclass(slots=True)
class CallMemory:
    """Signals that are being executed, alerts and refusals told just now."""

    repeats: RepeatedRefusals
    running: set[str] = field(default_factory=set)
    told_ns: dict[tuple[str, str], int] = field(default_factory=dict)

    def may_tell(self, code: str, subject: str, at_ns: int) -> bool:
        """Once an hour for each subject: a caller that repeats a fault would tell it with every tick."""
        key = (code, subject)
        if at_ns < self.told_ns.get(key, 0):
            return False
        if len(self.told_ns) >= _MOST_TOLD:
            self.told_ns = {known: until for known, until in self.told_ns.items() if until > at_ns}
        self.told_ns[key] = at_ns + _TELL_AGAIN_NS
        return True
