"""Updates of the simulated market, recorded before anything is timed, and the same trades as lines for a peer."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator, Pace
from pumpswap.model import MarketUpdate
from tests.support.market import START_NS

__all__ = ["RecordedMarket", "record_market", "write_ticks"]


@dataclass(frozen=True)
class RecordedMarket:
    """``updates`` begin with the opening of every pool; after them come trades only."""

    pools: list[str]
    openings: list[MarketUpdate]
    swaps: list[MarketUpdate]


def record_market(swaps: int, *, pools: int, seed: int = 1) -> RecordedMarket:
    """The first ``swaps`` trades of a market whose pools are all open."""
    book = PoolBook()
    pace = Pace(snapshot_seconds=86_400, openings=1)
    market = MarketSimulator(book, seed=seed, start_ns=START_NS, duration_s=7_200, pools=pools, pace=pace)
    openings: dict[str, MarketUpdate] = {}
    found: list[MarketUpdate] = []
    for update in market.updates():
        book.apply(update)
        if update.swap is not None and len(openings) == pools:
            found.append(update)
        elif update.pool not in openings:
            openings[update.pool] = update
        if len(found) == swaps:
            break
    return RecordedMarket(list(openings), list(openings.values()), found)


def write_ticks(path: Path, market: RecordedMarket) -> None:
    """A line per trade: nanoseconds, number of the pool, 1 for a buy, price in SOL, tokens."""
    numbers = {pool: number for number, pool in enumerate(market.pools)}
    with path.open("w", encoding="ascii", newline="") as lines:
        writer = csv.writer(lines)
        for update in market.swaps:
            swap = update.swap
            assert swap is not None
            price = swap.quote_units * 10**6 // max(swap.base_units, 1)  # of 10⁻⁹ SOL for a token
            row = (update.at_ns, numbers[update.pool], int(swap.is_buy), _decimal(max(price, 1), 9))
            writer.writerow((*row, _decimal(max(swap.base_units, 1), 6)))


def _decimal(units: int, decimals: int) -> str:
    return f"{units // 10**decimals}.{units % 10**decimals:0{decimals}d}"
