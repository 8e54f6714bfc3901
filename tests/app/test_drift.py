"""Two stored runs beside each other: whatever happened to them, every lamport of the difference has its cause."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pumpswap.analytics.drift import Cause
from pumpswap.app.books import Books, chosen_books
from pumpswap.app.drift import compared_runs, paper_beside
from pumpswap.app.run import run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.clock import ManualClock
from pumpswap.errors import NotFound, UsageError
from pumpswap.model import SOL, EntryKind, LedgerEntry
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from tests.app.watching import RunWatcher
from tests.portfolio.random_books import lives
from tests.support.market import START_NS

CLOCK = ManualClock(START_NS)


def books_of(database: Database, run_id: int) -> Books:
    books = chosen_books(database, run_id)
    assert books is not None
    return books


def simulated(folder: Path, *, seconds: int = 1_200, **sections: Any) -> None:
    """One more run of the same market."""
    settings = Settings(data_dir=folder, **sections)
    order = RunOrder("simulated:3", is_fast=True, seconds=seconds, is_new=True)
    watching = RunWatcher()
    asyncio.run(run_paper(settings, order, watching.options(), watching.begun.append))


def test_random_books_differ_by_causes_that_sum_to_the_ledgers(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_database(tmp_path / "books.sqlite") as database:
        runs = [life.run.run_id for _, life in lives(database, range(9_000, 9_024))]
        rounds = 0
        for first, second in pairwise(runs):
            found = compared_runs((books_of(database, first), books_of(database, second)), settings, CLOCK)
            drift = found.drift
            assert sum(drift.parts.values()) == drift.difference_lamports
            rounds += len(drift.first.rounds)
            run = database.run(first)
            moved = sum(
                entry.units
                for entry in run.ledger()
                if entry.asset == SOL
                and entry.kind not in (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL)
                and not entry.kind.value.startswith("rent")
            )
            worth = sum(position.cost_lamports for position in run.open_positions())  # nothing was marked
            assert drift.first.gain_lamports == moved + worth
        assert rounds > 50


def test_the_same_market_with_more_latency_differs_by_prices_and_with_dearer_transactions_by_costs(
    tmp_path: Path,
) -> None:
    simulated(tmp_path)
    simulated(tmp_path, paper={"tip_lamports": 1_000_000})
    simulated(tmp_path, paper={"latency_ms": 8_000})
    simulated(tmp_path, risk={"max_open_positions": 1})
    settings = Settings(data_dir=tmp_path)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        plain, tips, late, narrow = (books_of(database, number) for number in (1, 2, 3, 4))
        dear = compared_runs((plain, tips), settings, CLOCK).drift
        fills = sum(1 for _ in tips.run.trades())
        assert dear.parts[Cause.TRANSACTION_COSTS] > 0.9 * fills * 1_000_000
        assert len(dear.pairs) > 5
        slow = compared_runs((plain, late), settings, CLOCK)
        assert sum(slow.drift.parts.values()) == slow.drift.difference_lamports
        prices = (Cause.ENTRY_SLIPPAGE, Cause.EXIT_SLIPPAGE, Cause.EXITS, Cause.ENTRY_PRICE)
        assert any(slow.drift.parts[cause] for cause in prices)
        assert slow.drift.second.execution is not None
        limited = compared_runs((plain, narrow), settings, CLOCK)
        assert limited.missed_by_second.get("refused: open positions", 0) > 0
        assert sum(limited.missed_by_second.values()) == len(limited.drift.only_first)


def test_what_cannot_be_compared_says_so(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_database(tmp_path / "books.sqlite") as database:
        for kind in ("paper", "live", "paper"):
            database.start_run(kind, START_NS)
        books = [books_of(database, number) for number in (1, 2)]
        with pytest.raises(UsageError, match="beside itself"):
            compared_runs((books[0], books[0]), settings, CLOCK)
        with pytest.raises(NotFound, match="never had any money"):
            compared_runs((books[0], books[1]), settings, CLOCK)
        with pytest.raises(NotFound, match="no paper run"):
            paper_beside(database, 2)


def test_runs_of_two_databases_are_compared_though_they_have_the_same_number(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    entries = [LedgerEntry(1, START_NS, SOL, 100, EntryKind.DEPOSIT)]
    fee = LedgerEntry(2, START_NS + 1, SOL, -5, EntryKind.NETWORK_FEE)
    with open_database(tmp_path / "live.sqlite") as live, open_database(tmp_path / "backtests.sqlite") as tried:
        live.start_run("live", START_NS).append_entries([*entries, fee])
        tried.start_run("backtest", START_NS).append_entries(entries)
        found = compared_runs((books_of(live, 1), books_of(tried, 1)), settings, CLOCK)
        assert (found.headers[0].run_id, found.headers[1].run_id) == (1, 1)
        assert found.drift.parts[Cause.IDLE] == -5


def test_the_paper_run_of_the_same_time_is_found(tmp_path: Path) -> None:
    def run(database: Database, kind: str, began: int, ended: int) -> int:
        made = database.start_run(kind, began)
        made.append_entries([
            LedgerEntry(1, began, SOL, 100, EntryKind.DEPOSIT),
            LedgerEntry(2, ended, SOL, -5, EntryKind.NETWORK_FEE),
        ])  # fmt: skip
        return made.run_id

    with open_database(tmp_path / "books.sqlite") as database:
        run(database, "paper", 0, 100)
        longest = run(database, "paper", 50, 900)
        run(database, "paper", 400, 500)
        run(database, "simulated", 0, 1_000)
        live = run(database, "live", 200, 1_000)
        assert paper_beside(database, live).run.run_id == longest
