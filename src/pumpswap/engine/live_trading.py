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
from pumpswap.market.book import PoolBook
from pumpswap.model import Denied, Filled, MarketUpdate, Order, Outcome, Position, RunObserver

__all__ = ["LiveTrading", "SeenFills", "VenueHealth", "take_up"]

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


class SeenFills(RunObserver):
    """A fill tells what it has left of its pool: the book knows it before the pool is read again, so that the first
    value of a position has its own impact in it.
    """

    def __init__(self, book: PoolBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        state = self._book.state(order.pool)
        if state is None or not isinstance(outcome, Filled):
            return
        traded = outcome.executed
        if (state.base_reserve, state.effective_quote_reserve) == (traded.base_reserve, traded.effective_quote_reserve):
            self._book.apply(MarketUpdate(self._clock.now_ns(), order.pool, state.after(traded)))


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
