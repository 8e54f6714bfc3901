"""Does every act explain its step? Each is applied again to the recorded state before it, and compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from pumpswap.amm import PoolState
from pumpswap.amm.acting import act_on
from pumpswap.amm.acts import PoolAct, Told
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.step import Chronicle, Exactness, ScheduleFor, Step

__all__ = ["Difference", "Explained", "verify", "verify_steps"]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """A step that does not follow from what was before it; ``what`` in words."""

    pool: str
    slot: int
    order: int
    what: str


@dataclass(slots=True)
class Explained:
    """How many steps are explained how. ``exact`` counts those that were computed again and are the same to the unit;
    ``unknown`` those of pools whose state nobody has told. ``first_differences`` are the first ten that differ.
    """

    exact: int = 0
    adjusted: int = 0
    told: int = 0
    unknown: int = 0
    rates_unexplained: int = 0
    differing: int = 0
    first_differences: list[Difference] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing differs."""
        return not self.differing

    def differs(self, step: Step, what: str) -> None:
        """One more that does not follow."""
        self.differing += 1
        if len(self.first_differences) < _SHOWN:
            self.first_differences.append(Difference(step.pool, step.slot, step.order, what))


def verify(chronicle: Chronicle) -> Explained:
    """All steps of a chronicle, by its own fees."""
    check = _Check(chronicle.schedule_for)
    if isinstance(chronicle, BaseChronicle):
        chronicle.survey(check.add)  # one pass for both
    else:
        for step in chronicle.steps():
            check.add(step)
    return check.result


def verify_steps(steps: Iterable[Step], schedule_for: ScheduleFor) -> Explained:
    """Apply every act to its ``before`` and compare with ``after``, field by field; and every ``before`` with the
    ``after`` of the pool's step before it. ``schedule_for`` takes Unix seconds.
    """
    check = _Check(schedule_for)
    for step in steps:
        check.add(step)
    return check.result


class _Check:
    def __init__(self, schedule_for: ScheduleFor) -> None:
        self.result = Explained()
        self._schedule_for = schedule_for
        self._last: dict[str, PoolState | None] = {}

    def add(self, step: Step) -> None:
        """The next step."""
        known, before = self._last.get(step.pool), step.before
        if known is not before and (before is None or known is None or not _same(known, before)):
            self.result.differs(step, "its state before is not the one after the step before")
        self._last[step.pool] = step.after
        self._explained(step)

    def _explained(self, step: Step) -> None:
        result, before, after, act = self.result, step.before, step.after, step.act
        result.rates_unexplained += step.rates is not None
        if after is None:
            result.unknown += 1
        elif act is None:
            if before is not None and not _same(before, after):
                result.differs(step, f"nothing was done, but {_changes(before, after)}")
        elif isinstance(act, Told):
            self._told(step, act.state is after or act.state == after)
        elif before is None:
            result.differs(step, "an act on a pool that nobody knows")
        else:
            self._acted(step, act, before, after)

    def _told(self, step: Step, is_same: bool) -> None:
        if not is_same:
            self.result.differs(step, "a told state that is not the one after it")
        elif step.exactness is Exactness.EXACT and step.before is not None:
            self.result.differs(step, "a told state that claims to be exact")
        else:
            self._count(step)

    def _acted(self, step: Step, act: PoolAct, before: PoolState, after: PoolState) -> None:
        schedule = self._schedule_for(step.at_ns // NS_PER_SECOND)
        try:
            reached = act_on(before, schedule, act, rates=step.rates).state
        except TradeRefused as refused:
            self.result.differs(step, f"{type(act).__name__} is refused: {refused.what}")
            return
        if not _same(reached, after):
            self.result.differs(step, f"{type(act).__name__}: {_changes(reached, after)}")
            return
        self._count(step)

    def _count(self, step: Step) -> None:
        result = self.result
        result.adjusted += step.exactness is Exactness.ADJUSTED
        result.told += step.exactness is Exactness.TOLD
        result.exact += step.exactness is Exactness.EXACT


def _same(one: PoolState, other: PoolState) -> bool:
    """Equal but for the slot."""
    if (
        one.base_reserve != other.base_reserve
        or one.quote_vault != other.quote_vault
        or one.base_supply != other.base_supply
    ):
        return False
    return one.pool == other.pool and one == msgspec.structs.replace(other, slot=one.slot)


def _changes(one: PoolState, other: PoolState) -> str:
    """Which fields differ, in words."""
    names = [name for name in one.__struct_fields__ if name not in ("pool", "slot")]
    found = [f"{name} {getattr(one, name)} ≠ {getattr(other, name)}" for name in names if _unlike(one, other, name)]
    fields = [name for name in one.pool.FIELDS if _unlike(one.pool, other.pool, name)]
    found += [f"{name} {getattr(one.pool, name)} ≠ {getattr(other.pool, name)}" for name in fields]
    return "; ".join(found) or "nothing differs"


def _unlike(one: object, other: object, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))
