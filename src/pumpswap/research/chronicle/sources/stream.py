"""A recorded stream as a chronicle: swaps, other acts and settled states, as the feed told them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pumpswap.market.live_pools import LivePools
from pumpswap.market.stream_recording import StreamRecording
from pumpswap.model import MarketUpdate
from pumpswap.research.chronicle.items import Item
from pumpswap.research.chronicle.slots import SlotTable
from pumpswap.research.chronicle.step import Range
from pumpswap.research.chronicle.weaver import Moment
from pumpswap.research.chronicle.window import Window
from pumpswap.research.chronicle.woven import WovenChronicle

__all__ = ["StreamChronicle"]


class StreamChronicle(WovenChronicle):
    """Between its first and its last slot a recorded stream has everything: its feed follows the chain's history."""

    def __init__(self, path: Path, window: Window | None = None) -> None:
        self._recording = StreamRecording(path)
        self._complete: dict[str, tuple[Range, ...]] | None = None
        seen = []
        for update in self._updates():
            one = update.swap or update.act
            if one is not None:
                seen.append((one.slot, one.at_ns))
        source = {"kind": "stream", "file": path.name, "sha256": _sha256(path)}
        super().__init__(str(path), source, SlotTable(seen), window=window)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What a stream does not say."""
        return ("Times: slots keep their order; those of one second share it.",)

    @property
    def complete(self) -> Mapping[str, tuple[Range, ...]]:
        """From the first step of every pool to the last one of all."""
        if self._complete is None:
            first: dict[str, int] = {}
            end_ns = 0
            for step in self.steps():
                first.setdefault(step.pool, step.at_ns)
                end_ns = step.at_ns + 1
            self._complete = {pool: ((start, end_ns),) for pool, start in first.items()}
        return self._complete

    def _items(self) -> Iterator[tuple[Moment, Item]]:
        for update in self._updates():
            item = update.swap or update.act or update.state
            if item is not None:
                yield Moment(self.slots.time_of(item.slot), item.slot), item

    def _updates(self) -> Iterator[MarketUpdate]:
        return self._recording.updates(LivePools(), tells_acts=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
