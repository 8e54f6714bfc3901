"""PoolPoints and ChangeWatch: what an engine saw of its pools, and whether anything was stored."""

from __future__ import annotations

from pathlib import Path

from pumpswap.model import Alert, AlertLevel, EquityPoint, Heartbeat, PoolPoint
from pumpswap.storage import Database, open_database


def point(pool: str, at_ns: int) -> PoolPoint:
    return PoolPoint(pool, at_ns, 6, 7, 8)


def test_points_are_thinned_over_their_time_and_pools_are_found(database: Database) -> None:
    points = database.pool_points(database.start_run("paper", 1).run_id)
    points.add([point("A", number * 10) for number in range(100)])
    points.add([point("B", 5), point("C", 5)])
    points.add([PoolPoint("B", 5, 9, 9, 9)])  # a minute is told once
    assert [one.at_ns for one in points.of_pool("A", 0, 1_000, 10)] == [number * 100 for number in range(10)]
    assert len(points.of_pool("A", 0, 991, 1_000)) == 100
    assert points.of_pool("B", 0, 10, 5) == [point("B", 5)]
    assert points.pools(10) == ["A", "B", "C"] and points.pools(2) == ["A", "B"]
    assert (points.first_ns("A", 15), points.first_ns("A", 2_000), points.first_ns("D", 0)) == (20, None, None)
    assert points.forget_before("A", 500) == 50
    assert points.first_ns("A", 0) == 500
    other = database.pool_points(database.start_run("paper", 1).run_id)
    assert other.pools(5) == [] and other.of_pool("A", 0, 1_000, 10) == []


def test_whoever_stores_something_is_noticed_once(database: Database, target: str | Path) -> None:
    run, watch = database.start_run("paper", 1), database.change_watch()
    assert watch.has_changed()
    assert not watch.has_changed()
    with open_database(target) as other:
        for write in (
            lambda: other.alerts.add(Alert(5, AlertLevel.INFO, "engine", "", "x")),
            lambda: other.run(run.run_id).equity.add(EquityPoint(5, 1, 1, 1)),
            lambda: other.run(run.run_id).states.beat(Heartbeat(7, 1, 1, "paper")),
        ):
            write()
            assert watch.has_changed()
            assert not watch.has_changed()
    watch.close()
