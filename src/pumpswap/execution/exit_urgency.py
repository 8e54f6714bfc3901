"""Which exit comes before another, and what becomes of one that has begun when another is wished for."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.model import ExitKind, ExitState

__all__ = ["is_at_any_price", "is_in_haste", "urgency", "wished"]

# All others are sold alike, so none of them is more urgent than another.
_URGENCY = {ExitKind.LIQUIDITY_FLIGHT: 1, ExitKind.RUG: 2, ExitKind.PANIC: 3}
_IN_HASTE = frozenset({ExitKind.STOP_LOSS, *_URGENCY})


def urgency(kind: ExitKind | None) -> int:
    """A higher one is never given up for a lower one."""
    return 0 if kind is None else _URGENCY.get(kind, 0)


def is_at_any_price(kind: ExitKind | None) -> bool:
    """Out at any price that the settings allow, from the first try on."""
    return kind in (ExitKind.PANIC, ExitKind.RUG)


def is_in_haste(kind: ExitKind | None) -> bool:
    """Each second costs: its sale does nothing but sell."""
    return kind in _IN_HASTE


def wished(known: ExitState, held_units: int, kind: ExitKind, units: int, reason: str) -> ExitState:
    """What is wanted once ``units`` are to be sold for ``kind`` too: never less than before, nor less urgently.

    Parts add up, up to all that is held. Only what says the same again (a signal that is still short) does not: its
    larger part counts; a person who asks twice means it twice. The next try waits no longer when a person asks, or
    when it has become more urgent.
    """
    units = min(units, held_units)
    going = 0 if known.wanted is None else min(known.wanted_units, held_units)
    is_repeated = kind is known.wanted and kind is not ExitKind.BY_HAND
    total = max(going, units) if is_repeated else min(going + units, held_units)
    before, now = urgency(known.wanted), urgency(kind)
    if now > before or kind is ExitKind.BY_HAND:
        known = replace(known, retry_ns=0)
    if now > before or (now == before and (total > going or kind is ExitKind.BY_HAND)):
        known = replace(known, wanted=kind, wanted_reason=reason)
    return replace(known, wanted_units=total)
