"""Markets for the tests of the loaders: the simulator's, recorded as a list."""

from __future__ import annotations

from functools import cache

from pumpswap.amm import FeeSchedule, current_schedule
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.ticks import Tape
from tests.support.market import SOL, START_NS

__all__ = ["TAPE", "now", "simulated"]

TAPE = Tape(SOL // 10)


def now(_: int) -> FeeSchedule:
    """The fees of the simulator."""
    return current_schedule()


@cache
def simulated(seed: int = 8, seconds: int = 300) -> tuple[MarketUpdate, ...]:
    """Its updates, without us."""
    book = PoolBook()
    updates = []
    for update in MarketSimulator(book, seed=seed, start_ns=START_NS, duration_s=seconds).updates():
        book.apply(update)
        updates.append(update)
    return tuple(updates)
