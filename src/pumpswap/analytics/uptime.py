"""Uptime: in which share of the time an engine was able to buy, from the spells of its own record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pumpswap.model import ANALYSIS, STOPPING, Spell

__all__ = ["GONE", "SILENT", "Uptime", "uptime_of"]

GONE = "gone without a stop"  # its process ended without saying so, until the next one began
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


def uptime_of(spells: Iterable[Spell]) -> Uptime:
    """Of the spells of one run.

    Time between two spells was not seen by anybody, so it does not count as able: it is lost, for the reason that stood
    before or comes after it. After an orderly stop it is left out: nobody wished it to run.
    """
    able = left_out = 0
    lost: dict[str, int] = {}
    before: Spell | None = None
    processes: set[int] = set()
    until = 0  # spells of a clock that was set back overlap: no moment counts twice
    for spell in sorted(spells, key=lambda one: (one.began_ns, one.ended_ns)):
        processes.add(spell.started_ns)
        if before is not None and spell.began_ns > until:
            gap = spell.began_ns - until
            reason = _reason_between(before, spell)
            if reason in _WISHED:
                left_out += gap
            else:
                lost[reason] = lost.get(reason, 0) + gap
        length = max(spell.ended_ns - max(spell.began_ns, until), 0)
        if spell.is_able:
            able += length
        elif spell.reason in _WISHED:
            left_out += length
        else:
            lost[spell.reason] = lost.get(spell.reason, 0) + length
        until = max(until, spell.ended_ns)
        before = spell
    lost = {reason: ns for reason, ns in sorted(lost.items(), key=lambda one: (-one[1], one[0])) if ns}
    return Uptime(able, able + sum(lost.values()), left_out, lost, len(processes))


def _reason_between(before: Spell, after: Spell) -> str:
    if before.reason in _WISHED:
        return before.reason
    if before.started_ns != after.started_ns:
        return GONE
    if before.reason == after.reason:
        return SILENT
    return before.reason or after.reason
