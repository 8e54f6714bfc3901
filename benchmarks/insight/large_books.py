"""Books of 100,000 trades with 10,000 open positions, each marked and remembered by its exits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from benchmarks.books.filler import fill
from benchmarks.books.plan import FillPlan, plan_of
from pumpswap.model import ExitState
from pumpswap.storage import open_database
from tests.support.market import START_NS

__all__ = ["OPEN_POSITIONS", "TRADES", "large_books"]

TRADES, OPEN_POSITIONS = 100_000, 10_000
_LEDGER_ROWS_A_TRADE = 8
_ALERTS = 20_000


def large_books(file: Path) -> FillPlan:
    """Make them; returns what they were made of."""
    plan = plan_of(TRADES * _LEDGER_ROWS_A_TRADE)
    with open_database(file) as database:
        run = database.start_run("paper", plan.start_ns)
    fill(file, run.run_id, plan)
    _open_more(file, run.run_id, OPEN_POSITIONS - plan.open_positions)
    with open_database(file) as database:
        run = database.run(run.run_id)
        pools = [position.pool for position in run.open_positions()]
        assert len(pools) == OPEN_POSITIONS
        with run.batch():
            for pool in pools:
                run.states.save_exits(ExitState(pool, 1, 10**11, 10**24, 10**15, 10**12, 2 * 10**9, 10**12), START_NS)
    return plan


def _open_more(file: Path, run_id: int, count: int) -> None:
    """Copies of an open position in pools of their own, with a mark of each, and alerts."""
    with sqlite3.connect(file) as books:
        names = [row[1] for row in books.execute("PRAGMA table_info(pumpswap_positions)")]
        changed = {"id": "NULL", "round": "1", "pair_address": "'More' || n", "pool_id": "'solana_More' || n",
                   "mint_address": "'Coin' || n", "marked_ns": "last_trade_ns",
                   "value_lamports": "cost_lamports + n"}  # fmt: skip
        columns = ", ".join(changed.get(name, name) for name in names)
        series = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {})"
        one = f"(SELECT * FROM pumpswap_positions WHERE run_id = {run_id} AND closed_ns IS NULL LIMIT 1)"
        books.execute(f"INSERT INTO pumpswap_positions {series.format(count)} SELECT {columns} FROM s, {one}")
        books.execute(
            f"INSERT INTO pumpswap_marks (run_id, pool, at_ns, state_ns, base_units, value_lamports, obstacle) "
            f"SELECT run_id, pair_address, last_trade_ns, last_trade_ns, base_units, cost_lamports, '' "
            f"FROM pumpswap_positions WHERE run_id = {run_id} AND pair_address LIKE 'More%'"
        )
        books.execute(
            f"INSERT INTO pumpswap_alerts (run_id, at_ns, level, topic, subject, text) {series.format(_ALERTS)} "
            f"SELECT {run_id}, {START_NS} + n, 'warning', 'order', 'Coin' || n, 'a sale has failed' FROM s"
        )
        books.commit()
        books.execute("ANALYZE")
