"""Recordings that tell prices and no acts (host exports, the host's database, tapes) as chronicles: every state is
told, the depth is inferred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Protocol

from pumpswap.amm import PoolState
from pumpswap.amm.acts import Told
from pumpswap.model import MarketUpdate
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.step import Exactness, Step
from pumpswap.research.chronicle.window import Numbering, Window

__all__ = ["RecordedMarket", "RecordingChronicle"]


class RecordedMarket(Protocol):
    """What every recording can do."""

    @property
    def location(self) -> str: ...

    @property
    def assumptions(self) -> tuple[str, ...]: ...

    def updates(self) -> Iterator[MarketUpdate]: ...


class RecordingChronicle(BaseChronicle):
    """``source`` is where it came from: its kind, and the digest of its files where there are some."""

    def __init__(self, recording: RecordedMarket, source: Mapping[str, str], window: Window | None = None) -> None:
        super().__init__(recording.location, source, EvenSlots(), window=window)
        self._recording = recording

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the rows do not say."""
        return ("Depth is inferred: what others did is known by its price alone.", *self._recording.assumptions)

    def _weave(self, tally: Counter[str]) -> Iterator[Step]:
        numbers, known = Numbering(), dict[str, PoolState]()
        for update in self._recording.updates():
            before, after = known.get(update.pool), update.state
            if after is None and not update.obstacle:
                after = before  # nothing new was seen of it
            elif after is None:
                known.pop(update.pool, None)
            else:
                known[update.pool] = after
            slot = self.slots.slot_of(update.at_ns)
            act = Told(after) if after is not None and after is not before else None
            tally["depth inferred"] += act is not None
            yield Step(
                at_ns=update.at_ns,
                slot=slot,
                order=numbers.next(slot),
                pool=update.pool,
                act=act,
                before=None if after is None else before,
                after=after,
                swap=update.swap,
                snapshot=update.snapshot,
                exactness=Exactness.EXACT if act is None else Exactness.TOLD,
                obstacle="" if after is not None else update.obstacle,
            )
