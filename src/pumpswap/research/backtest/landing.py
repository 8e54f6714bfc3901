"""SlotLanding: in which slot an order lands, and where in it."""

from __future__ import annotations

from random import Random

from pumpswap.errors import UsageError
from pumpswap.model import Order
from pumpswap.research.chronicle.step import StepTimes
from pumpswap.settings import LandingPlace

__all__ = ["SlotLanding"]


class SlotLanding:
    """An order lands ``latency_slots`` after the slot in which it was sent. Its place among the trades of that slot
    nobody can know: ``first`` is before all of them, ``last`` after all, ``drawn`` at a moment of it that ``random``
    draws. Where a source tells only the slot of its trades, all of them are at its beginning.
    """

    def __init__(self, slots: StepTimes, latency_slots: int, place: LandingPlace, random: Random) -> None:
        if latency_slots < 0:
            raise UsageError(f"a latency of {latency_slots} slots", hint="0 or more")
        self._slots, self._latency, self._place, self._random = slots, latency_slots, place, random

    def landing_ns(self, submit_ns: int, order: Order) -> int:
        """See ``Landing``. Never before it is sent: with a latency of 0, ``first`` is at once."""
        slot = self._slots.slot_of(submit_ns) + self._latency
        first, after = self._slots.time_of(slot), self._slots.time_of(slot + 1)
        if self._place == "last":
            return max(after - 1, submit_ns)
        if self._place == "first":
            return max(first, submit_ns)
        since = max(first, submit_ns)
        return since + self._random.randrange(max(after - since, 1))
