"""Points of pools: one a minute, of the pools that were thought about, and never in the engine's way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pumpswap.app.pool_points import PoolPointKeeper
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.book import PoolBook
from pumpswap.model import EquityPoint, MarketUpdate, PoolPoint
from pumpswap.storage import open_database
from tests.storage import samples
from tests.support.market import at, graduate, moved, seen

DAY_NS = 86_400 * NS_PER_SECOND


class Kept:
    """A keeper over a real database; ``also`` stores at once."""

    def __init__(self, folder: Path) -> None:
        self.database = open_database(folder / "x.sqlite")
        self.points = self.database.pool_points(self.database.start_run("paper", 1).run_id)
        self.book, self.stored = PoolBook(), 0
        self.keeper = PoolPointKeeper(self.points, self.book, self.also, at(0))

    def also(self, write: Callable[[], object]) -> None:
        self.stored += 1
        write()

    def hear(self, *updates: MarketUpdate) -> None:
        for update in updates:
            self.book.apply(update)
            self.keeper.on_update(update)

    def think_of(self, pool: str, seconds: float) -> None:
        made = samples.decision()
        self.keeper.on_decision(replace(made, intent=replace(made.intent, pool=pool, at_ns=at(seconds))))

    def end(self, seconds: float) -> list[PoolPoint]:
        self.keeper.on_equity(EquityPoint(at(seconds), 1, 1, 1))
        pool = str(graduate().address)
        first = self.points.first_ns(pool, 0)
        return [] if first is None else self.points.of_pool(pool, first, at(seconds + 1), 10_000)


def test_a_pool_that_nobody_thinks_about_is_not_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.hear(*(seen(graduate(), second) for second in range(0, 300, 10)))
    assert kept.end(300) == [] and kept.stored == 0


def test_one_point_a_minute_from_the_first_thought_on(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path), graduate()
    kept.hear(seen(state, 0))
    kept.think_of(str(state.address), 5)
    kept.hear(*(seen(moved(state, second), second) for second in range(10, 200, 5)))
    found = kept.end(200)
    assert [one.at_ns for one in found] == [at(5), at(65), at(125), at(185)]
    second = moved(state, 65)
    assert (found[1].base_units, found[1].effective_quote_lamports) == (
        second.base_reserve,
        second.effective_quote_reserve,
    )
    assert found[1].real_quote_lamports == second.real_quote_reserve


def test_only_so_many_pools_are_thought_about_at_once(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path), graduate()
    kept.hear(seen(state, 0))
    kept.think_of(str(state.address), 1)
    for number in range(60):
        kept.think_of(f"Pool{number:04d}", 2)
    kept.hear(seen(state, 100))
    assert [one.at_ns for one in kept.end(100)] == [at(1)]


def test_what_is_a_week_old_goes(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path), graduate()
    pool = str(state.address)
    kept.points.add([PoolPoint(pool, at(0) - 8 * DAY_NS, 1, 1, 1), PoolPoint("gone", at(0) - 8 * DAY_NS, 1, 1, 1)])
    kept.hear(seen(state, 0))
    kept.think_of(pool, 1)
    assert [one.at_ns for one in kept.end(2)] == [at(1)]
    PoolPointKeeper(kept.points, kept.book, kept.also, at(3))
    assert kept.points.pools(9) == [pool]


def test_a_price_that_no_table_holds_is_left_out(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path), graduate(base_reserve=2**63)
    kept.hear(seen(state, 0))
    kept.think_of(str(state.address), 1)
    assert kept.end(2) == []
