"""SlotWatchdog: whether a stream still shows the chain as it is. By slot, since clocks differ and a chain may pause."""

from __future__ import annotations

from typing import Protocol

from pumpswap.chain.node import Commitment, Height
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import Clock
from pumpswap.errors import ChainError

__all__ = ["KnowsHeight", "SlotWatchdog"]

_SLOT_NS = 400_000_000


class KnowsHeight(Protocol):
    """The one method of a Node that is needed here: best a pool of endpoints, other than the stream's own."""

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height: ...


class SlotWatchdog:
    """Compares the newest slot of a stream with the best slot that anybody has told.

    ``is_stale`` is what gates of new positions ask: true before the first slot, while disconnected, when the stream is
    more than ``stale_after_slots`` behind, and when neither the stream nor any endpoint has told anything for as long
    as that many slots take: then nobody knows.
    """

    def __init__(self, node: KnowsHeight | None, clock: Clock, warnings: Warnings, *, stale_after_slots: int) -> None:
        self.stale_after_slots = stale_after_slots
        self.slot = 0
        self.best_slot = 0
        self._node = node
        self._clock = clock
        self._warnings = warnings
        self._heard_ns = clock.now_ns()
        self._is_connected = False

    @property
    def lag_slots(self) -> int:
        """How far the stream is behind the best slot that is known."""
        return max(self.best_slot - self.slot, 0)

    @property
    def is_stale(self) -> bool:
        """Whether nothing new may be begun on what this stream says."""
        return not self._is_connected or not self.slot or bool(self.complaint())

    def complaint(self) -> str:
        """Why a connected stream is stale; empty when it is not."""
        if self.slot and self.lag_slots > self.stale_after_slots:
            return f"{self.lag_slots} slots behind the chain"
        if self._clock.now_ns() - self._heard_ns > self.stale_after_slots * _SLOT_NS:
            return "silent, and no endpoint tells whether the chain goes on"
        return ""

    def connected(self) -> None:
        """The stream has (again) all its subscriptions; how far its endpoint is, only its next slot tells."""
        self._is_connected = True
        self.slot = 0
        self._heard_ns = self._clock.now_ns()

    def disconnected(self) -> None:
        """The stream sees nothing now."""
        self._is_connected = False

    def saw(self, slot: int) -> None:
        """The stream has told of ``slot``."""
        self._heard_ns = self._clock.now_ns()
        if slot > self.slot:
            self.slot = slot
            self.best_slot = max(self.best_slot, slot)

    def knows(self, slot: int) -> None:
        """Somebody else has told of ``slot``."""
        self.best_slot = max(self.best_slot, slot)

    async def check(self) -> str:
        """Ask where the chain is; returns why the stream is stale, or nothing."""
        if self._node is not None:
            try:
                height = await self._node.height(Commitment.PROCESSED)
            except ChainError as failed:
                self._warnings.tell("watchdog", f"nobody tells the chain's slot: {failed.what}")
            else:
                if height.slot <= self.best_slot:
                    self._heard_ns = self._clock.now_ns()  # a paused chain makes no silent stream
                self.knows(height.slot)
        return self.complaint()
