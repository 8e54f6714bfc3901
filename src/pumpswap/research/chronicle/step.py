"""Step and Chronicle: one thing that happened to one pool, and the order of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Protocol

import msgspec

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.acts import PoolAct, Rates
from pumpswap.model import PoolSnapshot, Swap

__all__ = ["Chronicle", "ChronicleIdentity", "Exactness", "Range", "ScheduleFor", "Step", "StepTimes"]

Range = tuple[int, int]  # nanoseconds; the end is not in it
ScheduleFor = Callable[[int], FeeSchedule]  # by Unix seconds


class Exactness(Enum):
    """How the act of a step is known.

    EXACT: it was recorded, or follows from what was recorded, and explains the new state to the unit. ADJUSTED: a
    VaultGift for what no act explains. TOLD: only the new state was recorded, what led to it is not known; or the pool
    was never read, and what kind it is and which fees it owes was assumed.
    """

    EXACT = "exact"
    ADJUSTED = "adjusted"
    TOLD = "told"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened to one pool. ``act`` on ``before`` gives ``after`` (but for its slot), always.

    ``at_ns`` is the time at which a replay plays it: rising with the slots, also where the source tells whole seconds
    only; ``swap.at_ns`` is the source's own. ``order`` counts the steps of one slot. ``act`` is None where nothing
    was done to the pool that is known; ``before`` is None for the first step of a pool. ``after`` is None while its
    state is not known, or not any more: then ``act`` is None too, and ``obstacle`` says why. ``rates`` are those of a
    trade that the schedule of its date does not explain: ``act_on(…, rates=rates)``. ``trader_base`` is what the trader
    held before a trade, None where the source does not tell it.
    """

    at_ns: int
    slot: int
    order: int
    pool: str
    act: PoolAct | None = None
    before: PoolState | None = None
    after: PoolState | None = None
    swap: Swap | None = None
    snapshot: PoolSnapshot | None = None
    exactness: Exactness = Exactness.EXACT
    rates: Rates | None = None
    trader_base: int | None = None
    obstacle: str = ""


class ChronicleIdentity(msgspec.Struct, frozen=True):
    """What a chronicle holds, and where it came from.

    ``sha256`` is over every step of every pool: the same history gives the same one, however it is stored. ``source``
    names files and their digests, or a seed: provenance, not identity.
    """

    sha256: str
    steps: int
    pools: int
    source: Mapping[str, str] = {}


class StepTimes(Protocol):
    """Slots and their times on the chronicle's clock."""

    def time_of(self, slot: int) -> int:
        """When a slot begins, nanoseconds."""
        ...

    def slot_of(self, at_ns: int) -> int:
        """The slot in which a moment lies."""
        ...


class Chronicle(Protocol):
    """Steps in their order, the same at every call. ``pumpswap.research.chronicle.sources`` opens them.

    ``counts``: rows by kind, and how much of it is exact, adjusted, told, inferred. ``assumptions``: sentences for
    reports. ``complete``: by pool, when nothing can have happened that is not in it. ``span_ns``: the times of the
    first and the last step, (0, 0) when there is none. ``schedule_for``: the fees under which all of it happened.
    """

    @property
    def location(self) -> str: ...

    @property
    def counts(self) -> Mapping[str, int]: ...

    @property
    def assumptions(self) -> tuple[str, ...]: ...

    @property
    def identity(self) -> ChronicleIdentity: ...

    @property
    def slots(self) -> StepTimes: ...

    @property
    def schedule_for(self) -> ScheduleFor: ...

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]: ...

    @property
    def span_ns(self) -> Range: ...

    def steps(self) -> Iterator[Step]: ...
