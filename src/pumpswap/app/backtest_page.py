"""Pages of back-tests: of one that was just run, and of stored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pumpswap.app.backtest import BacktestOutcome
from pumpswap.app.backtest_runs import result_of_row
from pumpswap.research.backtest.page import BacktestPage, PageSide, write_backtest
from pumpswap.research.significance.evidence import Evidence
from pumpswap.storage.backtests import StoredBacktest
from pumpswap.storage.database import Database

__all__ = ["outcome_page", "stored_page"]


def outcome_page(path: Path, outcome: BacktestOutcome) -> Path:
    """Write the page of what was just run."""
    sides = [PageSide(one.run_id, one.backtest.result, one.backtest.record.equity, one.evidence) for one in outcome.ran]
    page = BacktestPage(
        sides,
        tuple(outcome.chronicle.counts.items()),
        outcome.chronicle.assumptions,
        f"pumpswap backtest repeat {sides[0].run_id}",
    )
    return write_backtest(path, page)


def stored_page(
    path: Path, database: Database, rows: Sequence[StoredBacktest], worth: Mapping[int, Evidence] | None = None
) -> Path:
    """Write the page of stored back-tests; curves are there where books were kept. ``worth``: what each is, by run."""
    sides = [
        PageSide(
            row.run_id,
            result_of_row(row),
            tuple(database.run(row.run_id).equity.points()),
            (worth or {}).get(row.run_id),
        )
        for row in rows
    ]
    return write_backtest(path, BacktestPage(sides, command=f"pumpswap backtest repeat {sides[0].run_id}"))
