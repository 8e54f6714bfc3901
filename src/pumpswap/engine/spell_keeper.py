"""SpellKeeper: heartbeats become spells: times in which the engine was able to buy, or was not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import BROKEN, STOPPING, Heartbeat, Spell

__all__ = ["SpellKeeper"]

_BEATS = 5  # so many are missing: nobody knows what was in between, and a spell does not reach over it


class SpellKeeper:
    """Of one process. What the database has not taken stays in ``waiting`` until ``stored`` is called."""

    def __init__(self) -> None:
        self._now: Spell | None = None
        self._waiting: dict[int, Spell] = {}  # by when they began

    def hear(self, beat: Heartbeat) -> Sequence[Spell]:
        """Take a heartbeat over; the spells that must be stored, oldest first."""
        is_able = beat.able and not beat.stopping
        end = BROKEN if beat.broken else STOPPING if beat.stopping else ""
        reason = "" if is_able else end or beat.in_the_way
        now = self._now
        is_same = now is not None and (now.started_ns, now.is_able, now.reason) == (beat.started_ns, is_able, reason)
        if now is not None and is_same and not _is_silent(now, beat):
            # A clock that was set back makes no spell shorter.
            now = replace(now, ended_ns=max(now.ended_ns, beat.at_ns))
        else:
            # Two in one nanosecond would be one row: the time moves on, as it does everywhere but in tests.
            began = beat.at_ns if now is None else max(beat.at_ns, now.began_ns + 1)
            now = Spell(beat.started_ns, began, began, is_able, reason)
        self._now = now
        self._waiting[now.began_ns] = now
        return tuple(self._waiting.values())

    def stored(self) -> None:
        """All of them are on the disk."""
        self._waiting.clear()


def _is_silent(spell: Spell, beat: Heartbeat) -> bool:
    return bool(beat.every_seconds) and beat.at_ns - spell.ended_ns > _BEATS * beat.every_seconds * NS_PER_SECOND
