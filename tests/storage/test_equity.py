"""The curve of equity: what was stored comes back, and rows of before they said what was put in are still read."""

from __future__ import annotations

from pathlib import Path

from pumpswap.model import EquityPoint
from pumpswap.storage import Database, Run, migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.units import I64_MAX
from tests.storage import stranger


def test_points_come_back_equal_by_every_road(database: Database, run: Run) -> None:
    points = [EquityPoint(1, 2, 3, 4, -5), EquityPoint(6, 7, 8, 9)]
    for point in points:
        run.equity.add(point)
    assert list(run.equity.points()) == points
    assert run.equity.latest() == points[1]
    assert run.earned.read(0, I64_MAX).equity == points
    assert run.earned.read(2, I64_MAX).equity == points  # led by the last one before
    browse = database.browse(run.run_id)
    assert browse.curve(0, 10, 9) == points
    assert browse.equity_at(5) == points[0]


def test_rows_of_before_say_nothing_of_what_was_put_in(target: str | Path) -> None:
    engine = make_engine(target)
    migrate.upgrade(engine, "0006")
    engine.dispose()
    stranger.execute(
        target,
        "INSERT INTO pumpswap_runs (run_id, kind, started_ns, settings) VALUES (1, 'paper', 1, '{}')",
        "INSERT INTO pumpswap_equity (run_id, at_ns, cash_lamports, marks_lamports, rent_lamports) "
        "VALUES (1, 5, 10, 20, 30)",
    )
    with open_database(target) as database:
        assert database.run(1).equity.latest() == EquityPoint(5, 10, 20, 30, None)
