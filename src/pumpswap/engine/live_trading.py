"""LiveTrading: what an engine trades with on a live wallet: the venue on its loop, the wallet's books, its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.keeper import LiveKeeper
from pumpswap.engine.live_recorder import LiveRecorder, Recalled, recall
from pumpswap.engine.restore import recall_marks
from pumpswap.execution.chain_venue import ChainVenue
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.venue_tasks import VenueTasks
from pumpswap.model import Denied, Filled, Order, Outcome, Position, RunObserver

__all__ = ["LiveTrading", "VenueHealth", "take_up"]

# Rules of Denied that say nothing about the order itself, and after how many seconds another one may try.
_PAUSES = {"endpoints": 5, "key locked": 60, "guard": 60, "drift": 60, "wrong network": 60}


class VenueHealth(RunObserver):
    """Whether orders could be executed, by what became of the last one: one that failed for a reason that is not its
    own stops entries for a while; then another may try.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._text = ""
        self._until_ns = 0

    def obstacle(self) -> str:
        """Why nothing should be bought now; empty: nothing is wrong."""
        return self._text if self._clock.now_ns() < self._until_ns else ""

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        if isinstance(outcome, Denied) and outcome.rule in _PAUSES:
            self._text = f"order {order.order_id} could not be sent: {outcome.rule}: {outcome.text}"
            self._until_ns = self._clock.now_ns() + _PAUSES[outcome.rule] * NS_PER_SECOND
        elif isinstance(outcome, Filled):
            self._until_ns = 0


@dataclass(frozen=True, slots=True)
class LiveTrading:
    """``recorder`` and ``health`` listen to the engine, whose desk must be given the orders of ``recalled``."""

    venue: VenueTasks
    keeper: LiveKeeper
    recorder: LiveRecorder
    health: VenueHealth
    recalled: Recalled


def take_up(
    core: ChainVenue, books: LiveBooks, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> LiveTrading:
    """On a venue whose unresolved orders were resolved as far as the chain tells: go on where the last process ended.

    What it had not heard yet is told first of all; what is still unknown is followed.
    """
    clock = core.parts.clock
    recalled = recall(books.run, clock.now_ns())
    recall_marks(books.run, books.portfolio)
    recorder = LiveRecorder(books.run, clock, recalled)
    recorder.flush()
    venue = VenueTasks(core, before=recorder.flush, sleep=sleep)
    venue.resume(recalled.unheard)
    return LiveTrading(venue, LiveKeeper(books), recorder, VenueHealth(clock), recalled)
