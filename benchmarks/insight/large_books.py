"""Books of 100,000 trades with 10,000 open positions, each marked and remembered by its exits; one pool of them is hot,
with 20,000 trades of today; others have seen most alerts; older runs have books of their own.

Nothing is analysed: a file in use is not either.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from benchmarks.books.filler import fill
from benchmarks.books.plan import FillPlan, plan_of
from pumpswap.model import ExitState
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.support.market import START_NS

__all__ = ["HOT_MINT", "HOT_POOL", "HOT_TRADES", "OPEN_POSITIONS", "RUNS", "TRADES", "large_books"]

TRADES, OPEN_POSITIONS = 100_000, 10_000
HOT_POOL, HOT_MINT = "HotPool".ljust(44, "1"), "HotMint".ljust(44, "1")
HOT_TRADES = 20_000  # by pairs: a purchase, a sale, a round
RUNS = 200  # that are over, with settings as long as real ones
_ENTRIES_A_TRADE = 8
_REFUSED_A_DAY = 1_000
_UNSEEN, _SEEN = 10_000, 20_000  # alerts; the seen ones are the newer ones
_SERIES = "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {} - 1)"


def large_books(file: Path) -> FillPlan:
    """Make them; returns what they were made of."""
    plan = plan_of(TRADES * _ENTRIES_A_TRADE)
    with open_database(file) as database:
        for _ in range(RUNS):
            over = database.start_run("simulated", plan.start_ns, settings=Settings().model_dump(mode="json"))
            over.finish(plan.start_ns + 1, {"trades": 0})
        run = database.start_run("paper", plan.start_ns, settings=Settings().model_dump(mode="json"))
    fill(file, run.run_id, plan)
    with sqlite3.connect(file) as books:
        _open_more(books, run.run_id, OPEN_POSITIONS - plan.open_positions)
        _alerts(books, run.run_id)
        _heat(books, run.run_id)
        _what_ifs(books, run.run_id)
    books.close()
    with open_database(file) as database:
        run = database.run(run.run_id)
        pools = [position.pool for position in run.open_positions()]
        assert len(pools) == OPEN_POSITIONS
        with run.batch():
            for pool in pools:
                run.states.save_exits(ExitState(pool, 1, 10**11, 10**24, 10**15, 10**12, 2 * 10**9, 10**12), START_NS)
    return plan


def _open_more(books: sqlite3.Connection, run_id: int, count: int) -> None:
    """Copies of an open position in pools of their own, with a mark of each."""
    one = f"SELECT * FROM pumpswap_positions WHERE run_id = {run_id} AND closed_ns IS NULL LIMIT 1"
    _copy(
        books, "pumpswap_positions", one, count,
        {"round": "1", "pair_address": "'More' || n", "pool_id": "'solana_More' || n", "mint_address": "'Coin' || n",
         "marked_ns": "last_trade_ns", "value_lamports": "cost_lamports + n"},
    )  # fmt: skip
    books.execute(
        f"INSERT INTO pumpswap_marks (run_id, pool, at_ns, state_ns, base_units, value_lamports, obstacle) "
        f"SELECT run_id, pair_address, last_trade_ns, last_trade_ns, base_units, cost_lamports, '' "
        f"FROM pumpswap_positions WHERE run_id = {run_id} AND pair_address LIKE 'More%'"
    )


def _alerts(books: sqlite3.Connection, run_id: int) -> None:
    books.execute(
        f"INSERT INTO pumpswap_alerts (run_id, at_ns, level, topic, subject, text, acknowledged_ns) "
        f"{_SERIES.format(_UNSEEN + _SEEN)} SELECT {run_id}, {START_NS} + n, 'warning', 'order', 'Coin' || n, "
        f"'a sale has failed', CASE WHEN n >= {_UNSEEN} THEN {START_NS} + n END FROM s"
    )


def _what_ifs(books: sqlite3.Connection, run_id: int) -> None:
    """A thousand refused buys a day for a month, each sold after five minutes, an hour and a day."""
    now_ns = time.time_ns()
    at = f"{now_ns} - n * {86_400 * 10**9 // _REFUSED_A_DAY}"
    books.execute(
        f"INSERT INTO pumpswap_what_ifs (run_id, decision_id, horizon_seconds, pool, mint, rule, at_ns, due_ns, "
        f"spent_lamports, base_units, measured_ns, value_lamports, obstacle) "
        f"SELECT run_id, decision_id, seconds, pool, mint, 'rule ' || n % 7, {at}, {at} + seconds * 1000000000, "
        f"1000000000, 5, {now_ns}, 900000000 + n % 300 * 1000000, '' FROM (SELECT *, row_number() OVER () AS n "
        f"FROM pumpswap_decisions WHERE run_id = {run_id} AND accepted = 0 LIMIT {30 * _REFUSED_A_DAY}), "
        f"(SELECT 300 AS seconds UNION SELECT 3600 UNION SELECT 86400)"
    )


def _heat(books: sqlite3.Connection, run_id: int) -> None:
    """Purchases and sales of one coin, one after the other, until now: all that each pair of the filler has."""
    buy, sale = (
        books.execute(
            f"SELECT order_id FROM pumpswap_trades WHERE run_id = {run_id} AND action = '{side}' ORDER BY id LIMIT 1"
        ).fetchone()[0]
        for side in ("buy", "sell")
    )
    gap_ns = 2 * 10**9
    since_ns = time.time_ns() - HOT_TRADES * gap_ns
    at = f"{since_ns} + n * {gap_ns}"
    place = {"pool": f"'{HOT_POOL}'", "mint": f"'{HOT_MINT}'", "pair_address": f"'{HOT_POOL}'",
             "mint_address": f"'{HOT_MINT}'", "order_id": "'h' || (100000 + n)", "decision_id": "'dh' || (100000 + n)",
             "at_ns": at, "created_ns": at, "outcome_ns": at, "block_timestamp": f"({at}) / 1000000000"}  # fmt: skip
    for rest, order in enumerate((buy, sale)):
        this = f"run_id = {run_id} AND order_id = '{order}'"
        odd = f"WHERE n % 2 = {rest}"
        decision = f"(SELECT decision_id FROM pumpswap_orders WHERE {this})"
        made = f"SELECT * FROM pumpswap_decisions WHERE run_id = {run_id} AND decision_id = {decision}"
        _copy(books, "pumpswap_decisions", made, HOT_TRADES, place, odd)
        for table in ("pumpswap_orders", "pumpswap_trades"):
            _copy(books, table, f"SELECT * FROM {table} WHERE {this}", HOT_TRADES, place, odd)
        last = books.execute(f"SELECT max(sequence) FROM pumpswap_ledger WHERE run_id = {run_id}").fetchone()[0]
        first = books.execute(f"SELECT min(sequence) FROM pumpswap_ledger WHERE {this}").fetchone()[0]
        moved = place | {
            "sequence": f"{last} + 1 + n / 2 * {_ENTRIES_A_TRADE} + sequence - {first}",
            "asset": f"CASE WHEN asset = 'SOL' THEN asset ELSE '{HOT_MINT}' END",
        }
        _copy(books, "pumpswap_ledger", f"SELECT * FROM pumpswap_ledger WHERE {this}", HOT_TRADES, moved, odd)
    over = f"SELECT * FROM pumpswap_positions WHERE run_id = {run_id} AND closed_ns IS NOT NULL LIMIT 1"
    at, end = (f"{since_ns} + (2 * n + {part}) * {gap_ns}" for part in (0, 1))
    rounds = place | {"round": "n + 1", "opened_ns": at, "last_trade_ns": end, "closed_ns": end, "pool_id": "NULL"}
    _copy(books, "pumpswap_positions", over, HOT_TRADES // 2, rounds)


def _copy(books: sqlite3.Connection, table: str, one: str, count: int, changed: dict[str, str], only: str = "") -> None:
    """So many copies of the rows of a query, with other values in some columns; ``n`` counts them from 0."""
    columns = [row[1] for row in books.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(("NULL" if name == "id" else changed.get(name, name)) for name in columns)
    books.execute(f"INSERT INTO {table} {_SERIES.format(count)} SELECT {values} FROM s, ({one}) {only}")
