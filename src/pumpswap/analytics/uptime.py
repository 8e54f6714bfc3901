"""Uptime: in which share of the time an engine was able to buy, from the spells of its own record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pumpswap.model import ANALYSIS, BROKEN, STOPPING, Spell
from pumpswap.units import I64_MAX

__all__ = ["GONE", "SILENT", "Uptime", "uptime_of"]

GONE = "gone without a stop"  # its process ended without saying so, until the next one began, or until now
SILENT = "no sign of life"  # it hung, or its machine slept
_WISHED = frozenset({ANALYSIS, STOPPING})


@dataclass(frozen=True, slots=True)
class Uptime:
    """``able_ns`` of ``wanted_ns``, all the time in which its owner wished it to trade. ``left_out_ns`` is the rest:
    stopped by somebody, or in analysis. ``lost_ns`` says by reason what is missing, the longest first.
    """

    able_ns: int
    wanted_ns: int
    left_out_ns: int
    lost_ns: Mapping[str, int]
    processes: int

    @property
    def share(self) -> float | None:
        """None where it was never wished to trade, or for no time at all."""
        return self.able_ns / self.wanted_ns if self.wanted_ns else None


def uptime_of(
    spells: Iterable[Spell],
    *,
    within: tuple[int, int] = (0, I64_MAX),
    as_of_ns: int | None = None,
    quiet_ns: int = 0,
) -> Uptime:
    """Of the spells of one run; what lies outside of ``within`` (since, until) is not counted.

    Time between two spells was not seen by anybody, so it does not count as able: it is lost, for the reason that stood
    before or comes after it. After an orderly stop it is left out: nobody wished it to run. ``as_of_ns`` is there for a
    run that is meant to go on: what is missing between its last spell and then is lost as well, if that is more than
    ``quiet_ns``, which is how long a living engine may say nothing.
    """
    first, last = within
    able = 0
    unable: Counter[str] = Counter()
    before: Spell | None = None
    processes: set[int] = set()
    until = 0  # spells of a clock that was set back overlap: no moment counts twice

    def inside(since_ns: int, until_ns: int) -> int:
        return max(min(until_ns, last) - max(since_ns, first), 0)

    for spell in sorted(spells, key=lambda one: (one.began_ns, one.ended_ns)):
        if spell.ended_ns >= first and spell.began_ns < last:
            processes.add(spell.started_ns)
        if before is not None:
            unable[_reason_between(before, spell)] += inside(until, spell.began_ns)
        length = inside(max(spell.began_ns, until), spell.ended_ns)
        if spell.is_able:
            able += length
        else:
            unable[spell.reason] += length
        until = max(until, spell.ended_ns)
        before = spell
    is_missed = as_of_ns is not None and before is not None and before.reason not in _WISHED
    if as_of_ns is not None and is_missed and as_of_ns - until > quiet_ns:
        unable[_reason_of_absence(before)] += inside(until, as_of_ns)
    left_out = sum(unable.pop(reason, 0) for reason in _WISHED)
    lost = {reason: ns for reason, ns in sorted(unable.items(), key=lambda one: (-one[1], one[0])) if ns}
    return Uptime(able, able + sum(lost.values()), left_out, lost, len(processes))


def _reason_of_absence(last: Spell | None) -> str:
    """Why nothing came after a spell that nobody's wish has ended."""
    return BROKEN if last is not None and last.reason == BROKEN else GONE


def _reason_between(before: Spell, after: Spell) -> str:
    if before.reason in _WISHED:
        return before.reason
    if before.started_ns != after.started_ns:
        return _reason_of_absence(before)
    if before.reason == after.reason:
        return SILENT
    return before.reason or after.reason
