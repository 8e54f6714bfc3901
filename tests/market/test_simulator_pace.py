"""The pace of a simulated market: slower, sparser, and in memory that its trades do not fill."""

from __future__ import annotations

from itertools import pairwise

from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator, Pace
from pumpswap.model import MarketUpdate
from tests.support.market import START_NS

HOUR_NS = 3_600 * NS_PER_SECOND


def played(*, pools: int, hours: float, pace: Pace, seed: int = 4) -> tuple[MarketSimulator, list[MarketUpdate]]:
    book = PoolBook()
    market = MarketSimulator(
        book, seed=seed, start_ns=START_NS, duration_s=round(hours * 3_600), pools=pools, pace=pace
    )
    found = []
    for update in market.updates():
        book.apply(update)
        found.append(update)
    return market, found


def test_a_slow_market_trades_less_and_is_seen_less_often() -> None:
    _, usual = played(pools=6, hours=1, pace=Pace())
    _, slow = played(pools=6, hours=1, pace=Pace(snapshot_seconds=300, slowness=10))
    trades = [sum(update.swap is not None for update in updates) for updates in (usual, slow)]
    assert trades[1] * 5 < trades[0]
    seen = [update.at_ns for update in slow if update.snapshot is not None and update.pool == slow[0].pool]
    assert {after - before for before, after in pairwise(seen)} == {300 * NS_PER_SECOND}


def test_pools_open_within_the_share_of_the_time_that_the_pace_says() -> None:
    market, _ = played(pools=40, hours=1, pace=Pace(openings=100, slowness=50))
    opened = [truth.opens_ns - START_NS for truth in market.truth()]
    assert max(opened) <= HOUR_NS * (100 + 200) // 1_000  # a bait opens when its maker likes, by a fifth at the latest
    assert sum(at_ns <= HOUR_NS * 160 // 1_000 for at_ns in opened) >= 38


def test_prices_older_than_anybody_looks_are_forgotten_and_emptied_holders_too() -> None:
    market, updates = played(pools=3, hours=6, pace=Pace(most_holders=250))
    assert sum(update.swap is not None for update in updates) > 5_000
    for listing in market._listings:
        assert len(listing.floor._seen) <= 512
        assert len(listing.floor.holdings) < 500


def test_the_figures_of_a_day_are_sums_of_what_was_traded_in_it() -> None:
    """Trades leave the window of a day by the hour: never earlier than a day after, at most an hour later."""
    _, updates = played(pools=1, hours=30, pace=Pace(snapshot_seconds=600, slowness=20))
    buys = [update.at_ns for update in updates if update.swap is not None and update.swap.is_buy]
    compared = 0
    for update in updates:
        if update.snapshot is None or update.at_ns < START_NS + 26 * HOUR_NS:
            continue
        counted, now = update.snapshot.metrics["transactions_h24_buys"], update.at_ns
        least, most = (sum(now - span < at_ns < now for at_ns in buys) for span in (24 * HOUR_NS, 25 * HOUR_NS))
        assert isinstance(counted, int)
        assert least <= counted <= most
        compared += 0 < least < most
    assert compared > 5
