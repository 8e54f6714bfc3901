"""Fills the tables of a database by SQL of its own: nothing of it is measured.

One set of statements serves both engines; numbers make rows, so that every key can be computed again by ``plan``.
Sums (`pumpswap_balances`) are added up from the ledger that was written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Index
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, DropIndex

from benchmarks.books.plan import (
    ACTIVE_TOKENS,
    DAY_NS,
    DECISIONS_AN_ORDER,
    ENTRIES_A_TRADE,
    EQUITY_POINTS_A_DAY,
    MINT_TAIL,
    NEW_TOKENS_A_DAY,
    ORDER_GAP_NS,
    ORDERS_A_DAY,
    POOL_TAIL,
    FillPlan,
)
from pumpswap.storage.documents import dump_quote, dump_signal, dump_sizing, dump_verdicts
from pumpswap.storage.tables import METADATA
from tests.storage import samples

__all__ = ["fill"]

Execute = Callable[[str], object]

_DAY = f"({{order}} / {ORDERS_A_DAY})"


def fill(target: str | Path, run_id: int, plan: FillPlan) -> None:
    """Fill the books of an empty run. Indexes are dropped before and made again after."""
    with _connected(target) as (execute, is_sqlite):
        indexes = sorted((index for table in METADATA.tables.values() for index in table.indexes), key=_name)
        dialect = sqlite.dialect() if is_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
        for index in indexes:
            execute(str(DropIndex(index).compile(dialect=dialect)))
        for statement in _statements(run_id, plan, is_sqlite=is_sqlite):
            execute(statement)
        for index in indexes:
            execute(str(CreateIndex(index).compile(dialect=dialect)))
    if not is_sqlite:
        with psycopg.connect(str(target), autocommit=True) as server:
            server.execute("VACUUM ANALYZE")  # what the server does by itself, some time
            server.execute("CHECKPOINT")


def _name(index: Index) -> str:
    return str(index.name)


@contextmanager
def _connected(target: str | Path) -> Iterator[tuple[Execute, bool]]:
    if isinstance(target, Path):
        connection = sqlite3.connect(target, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        yield connection.execute, True
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    else:
        with psycopg.connect(target) as server:
            server.execute("SET session_replication_role = replica")  # no look-ups of foreign keys
            server.execute("SET maintenance_work_mem = '1GB'")
            yield lambda statement: server.execute(statement.encode()), False


def _statements(run_id: int, plan: FillPlan, *, is_sqlite: bool) -> Iterator[str]:
    """INSERT … SELECT for every table, in the order of their keys."""

    def numbered(first: int, end: int) -> str:
        if is_sqlite:
            series = f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {end - 1})"
            return f"({series} SELECT n FROM s) AS numbers"
        return f"generate_series({first}::bigint, {end - 1}::bigint) AS numbers(n)"

    sql = _Sql(run_id, plan)
    closed, trades = plan.trades - plan.open_positions, plan.trades
    yield sql.decisions(numbered(0, plan.decisions))
    yield sql.orders(numbered(0, plan.orders))
    for is_open, first, end in ((False, 0, closed), (True, closed, trades)):
        yield sql.trades(numbered(first, end), is_open=is_open)
    yield sql.deposit()
    for is_open, first, end in ((False, 0, closed), (True, closed, trades)):
        yield sql.ledger(numbered(first * ENTRIES_A_TRADE, end * ENTRIES_A_TRADE), is_open=is_open)
    yield sql.positions(numbered(0, closed // 2), is_open=False)
    yield sql.positions(numbered(closed, trades), is_open=True)
    yield sql.marks(numbered(0, plan.marks))
    yield sql.equity(numbered(0, plan.equity_points))
    yield sql.balances(is_sqlite=is_sqlite)


class _Sql:
    """Statements over a series of numbers ``n``."""

    def __init__(self, run_id: int, plan: FillPlan) -> None:
        self.run, self.plan = run_id, plan
        self.closed = plan.trades - plan.open_positions

    def decisions(self, numbers: str) -> str:
        order = f"(n / {DECISIONS_AN_ORDER})"
        first = f"(n % {DECISIONS_AN_ORDER} = 0)"
        refused = f"({_DAY.format(order=order)} * {NEW_TOKENS_A_DAY} + n * 104729 % {ACTIVE_TOKENS})"
        token = f"CASE WHEN {first} THEN {self._token_of_order(order)} ELSE {refused} END"
        at_ns = self._time(order, f"n % {DECISIONS_AN_ORDER} * {ORDER_GAP_NS // DECISIONS_AN_ORDER}")
        sample = samples.decision()
        signal = _text(dump_signal(samples.SIGNAL)).replace(samples.POOL, f"'||{_pool('token')}||'")
        return f"""INSERT INTO pumpswap_decisions (run_id, decision_id, at_ns, side, pool, mint, reason, accepted,
            quote_lamports, base_units, signal_score, signal_strength, signal, verdicts, sizing)
            SELECT {self.run}, {_id("d", "n")}, {at_ns}, {self._side(order)}, {_pool("token")}, {_mint("token")},
            'base score 82.5', {first}, 1000000000, 0, 82.5, 0.825, {signal},
            {_text(dump_verdicts(sample.verdicts * 4))}, {_text(dump_sizing(sample.sizing * 3))}
            FROM (SELECT n, {token} AS token FROM {numbers}) AS made"""

    def orders(self, numbers: str) -> str:
        token = self._token_of_order("n")
        filled = "n % 10 <> 9"
        return f"""INSERT INTO pumpswap_orders (run_id, order_id, decision_id, side, pool, mint, created_ns,
            limit_units, quote_lamports, base_units, slippage_bps, reason, quote, status, outcome_ns, outcome)
            SELECT {self.run}, {_id("o", "n")}, {_id("d", f"n * {DECISIONS_AN_ORDER}")}, {self._side("n")},
            {_pool("token")}, {_mint("token")}, {self._time("n", "0")}, 1800000000000, 1000000000, 0, 500,
            'base score 82.5', CASE WHEN {self._side("n")} = 'buy' THEN {_quote("buy")} ELSE {_quote("sell")} END,
            CASE WHEN {filled} THEN 'filled' ELSE 'denied' END, {self._time("n", "800000000")},
            CASE WHEN {filled} THEN NULL ELSE '{{"rule":"expired","text":"its transactions can no longer land"}}' END
            FROM (SELECT n, {token} AS token FROM {numbers}) AS made"""

    def trades(self, numbers: str, *, is_open: bool) -> str:
        order, gross = "(n + n / 9)", _gross("n")
        buys = "TRUE" if is_open else "n % 2 = 0"
        return f"""INSERT INTO pumpswap_trades (run_id, order_id, at_ns, slot, base_units, quote_lamports,
            gross_quote_lamports, lp_fee_lamports, protocol_fee_lamports, creator_fee_lamports, cashback_lamports,
            network_fee_lamports, priority_fee_lamports, tip_lamports, rent_paid_lamports, rent_returned_lamports,
            executed, pool_id, mint_address, pair_address, action, sol_amount, token_amount, price_per_token,
            signal_score, signal_strength, transaction_hash, block_timestamp, gas_used, execution_status)
            SELECT {self.run}, {_id("o", order)}, {self._time(order, "800000000")}, 400000000 + n * 150, base,
            gross + (CASE WHEN {buys} THEN 1 ELSE -1 END) * (gross / 500 + gross / 2000 + gross / 200),
            gross, gross / 500, gross / 2000, gross / 200, 0, 5000, 30000, 0,
            CASE WHEN {buys} THEN 2039280 ELSE 0 END, CASE WHEN {buys} THEN 0 ELSE 2039280 END,
            CASE WHEN {buys} THEN {_quote("buy")} ELSE {_quote("sell")} END,
            'solana_' || {_pool("token")}, {_mint("token")}, {_pool("token")},
            CASE WHEN {buys} THEN 'buy' ELSE 'sell' END, gross / 1e9, base / 1e6, gross / 1e3 / base, 82.5, 0.825,
            {_signature("n")}, {self._time(order, "0")} / 1000000000, 35000, 'filled'
            FROM (SELECT n, {self._token("n", is_open)} AS token, {gross} AS gross, {self._base("n", is_open)} AS base
                  FROM {numbers}) AS made"""

    def deposit(self) -> str:
        return f"""INSERT INTO pumpswap_ledger (run_id, sequence, at_ns, asset, units, kind, slot)
            VALUES ({self.run}, 1, {self.plan.start_ns}, 'SOL', 9000000000000000, 'deposit', 0)"""

    def ledger(self, numbers: str, *, is_open: bool) -> str:
        buys = "TRUE" if is_open else "t % 2 = 0"
        order = "(t + t / 9)"
        return f"""INSERT INTO pumpswap_ledger
            (run_id, sequence, at_ns, asset, units, kind, slot, order_id, signature)
            SELECT {self.run}, n + 2, {self._time(order, "800000000")},
            CASE WHEN k = 4 THEN {_mint("token")} ELSE 'SOL' END,
            CASE k WHEN 0 THEN CASE WHEN {buys} THEN -gross ELSE gross END WHEN 1 THEN -gross / 500
                WHEN 2 THEN -gross / 2000 WHEN 3 THEN -gross / 200
                WHEN 4 THEN CASE WHEN {buys} THEN base ELSE -base END WHEN 5 THEN -5000 WHEN 6 THEN -30000
                ELSE CASE WHEN {buys} THEN -2039280 ELSE 2039280 END END,
            CASE k WHEN 0 THEN 'trade_quote' WHEN 1 THEN 'lp_fee' WHEN 2 THEN 'protocol_fee' WHEN 3 THEN 'creator_fee'
                WHEN 4 THEN 'trade_base' WHEN 5 THEN 'network_fee' WHEN 6 THEN 'priority_fee'
                ELSE CASE WHEN {buys} THEN 'rent_paid' ELSE 'rent_returned' END END,
            400000000 + t * 150, {_id("o", order)}, {_signature("t")}
            FROM (SELECT n, t, k, {self._token("t", is_open)} AS token, {_gross("t")} AS gross,
                  {self._base("t", is_open)} AS base
                  FROM (SELECT n, n / {ENTRIES_A_TRADE} AS t, n % {ENTRIES_A_TRADE} AS k FROM {numbers}) AS split
                 ) AS made"""

    def positions(self, numbers: str, *, is_open: bool) -> str:
        """Open rounds are numbered by their only trade, closed ones by their pair of trades."""
        trade, token = ("n", self._token("n", is_open)) if is_open else ("(2 * n)", self._token("(2 * n)", is_open))
        opened = self._time(f"({trade} + {trade} / 9)", "800000000")
        last = self._time("(n + n / 9)" if is_open else "((2 * n + 1) + (2 * n + 1) / 9)", "800000000")
        base = self._base(trade, is_open)
        held = ("base", "gross", "NULL", 0) if is_open else ("0", "0", last, 1)
        return f"""INSERT INTO pumpswap_positions (run_id, round, name, opened_ns, base_units, cost_lamports,
            bought_lamports, sold_lamports, realised_lamports, rent_lamports, buys, sells, last_trade_ns, closed_ns,
            marked_ns, value_lamports, mint_address, pool_id, pair_address, token_amount, average_buy_price,
            total_sol_invested, trade_count, is_active)
            SELECT {self.run}, n + 1, 'TEST / SOL', {opened}, {held[0]}, {held[1]}, gross, 0, 0, 2039280, 1, {held[3]},
            {last}, {held[2]}, NULL, NULL, {_mint("token")}, 'solana_' || {_pool("token")}, {_pool("token")},
            {held[0]} / 1e6, 0.001, {held[1]} / 1e9, {1 + held[3]}, {"TRUE" if is_open else "FALSE"}
            FROM (SELECT n, {token} AS token, {_gross(trade)} AS gross, {base} AS base FROM {numbers}) AS made"""

    def marks(self, numbers: str) -> str:
        order = f"(n * {self.plan.orders} / {self.plan.marks})"
        token = f"({_DAY.format(order=order)} * {NEW_TOKENS_A_DAY} + n * 7907 % {ACTIVE_TOKENS})"
        return f"""INSERT INTO pumpswap_marks (run_id, pool, at_ns, state_ns, base_units, value_lamports, obstacle)
            SELECT {self.run}, {_pool("token")}, {self._time(order, "0")}, {self._time(order, "0")}, 1000000000000,
            1200000000, '' FROM (SELECT n, {token} AS token FROM {numbers}) AS made"""

    def equity(self, numbers: str) -> str:
        return f"""INSERT INTO pumpswap_equity (run_id, at_ns, cash_lamports, marks_lamports, rent_lamports)
            SELECT {self.run}, {self.plan.start_ns} + n * {DAY_NS // EQUITY_POINTS_A_DAY},
            100000000000 + n % 1000, 50000000000, 407856000 FROM {numbers}"""

    def balances(self, *, is_sqlite: bool) -> str:
        units = "CAST(sum(units) AS TEXT)" if is_sqlite else "sum(units)"
        return f"""INSERT INTO pumpswap_balances (run_id, asset, kind, units, entries)
            SELECT run_id, asset, kind, {units}, count(*) FROM pumpswap_ledger WHERE run_id = {self.run}
            GROUP BY run_id, asset, kind"""

    def _time(self, order: str, more: str) -> str:
        return f"({self.plan.start_ns} + {order} * {ORDER_GAP_NS} + {more})"

    def _token(self, trade: str, is_open: bool) -> str:
        """Both trades of a pair have the token of its first; the last trades open one position in each active pool."""
        if is_open:
            day = (self.plan.orders - 1) // ORDERS_A_DAY
            return f"({day * NEW_TOKENS_A_DAY} + {trade} - {self.closed})"
        first = f"({trade} / 2 * 2)"
        day_of_first = _DAY.format(order=f"({first} + {first} / 9)")
        return f"({day_of_first} * {NEW_TOKENS_A_DAY} + {trade} / 2 * 7919 % {ACTIVE_TOKENS})"

    def _token_of_order(self, order: str) -> str:
        """The token of the order's trade; an order that was not filled was for that of the trade before it."""
        trade = f"({order} - ({order} + 1) / 10)"
        is_open = f"{trade} >= {self.closed}"
        return f"CASE WHEN {is_open} THEN {self._token(trade, True)} ELSE {self._token(trade, False)} END"

    def _side(self, order: str) -> str:
        trade = f"({order} - ({order} + 1) / 10)"
        return f"CASE WHEN {trade} % 2 = 0 OR {trade} >= {self.closed} OR {order} % 10 = 9 THEN 'buy' ELSE 'sell' END"

    def _base(self, trade: str, is_open: bool) -> str:
        pair = trade if is_open else f"{trade} / 2"
        return f"(1000000000000 + {pair} * 104729 % 1000003 * 1000)"


def _gross(trade: str) -> str:
    return f"(500000000 + {trade} * 15485863 % 1000003 * 500)"


def _mint(token: str) -> str:
    return f"(CAST(10000000 + {token} * 7919 % 9000000 AS TEXT) || '{MINT_TAIL}')"


def _pool(token: str) -> str:
    return f"(CAST(10000000 + {token} * 7919 % 9000000 AS TEXT) || '{POOL_TAIL}')"


def _id(letter: str, number: str) -> str:
    """As long as a real one grows, and in the order of its number, as real ones are."""
    return f"('{letter}' || CAST(100000000 + {number} AS TEXT))"


def _signature(trade: str) -> str:
    digits = f"CAST(100000000000 + {trade} * 7919 % 900000000000 AS TEXT)"
    return f"({digits} || 'SignatureOfTheBenchmarkOfTheBooks' || {digits} || 'SignatureOfTheBenchmarkOfTheBoo')"


def _text(document: str) -> str:
    return "'" + document.replace("'", "''") + "'"


def _quote(side: str) -> str:
    """The document of a quote, always the same one: its length is what matters here."""
    quote = samples.buy_quote() if side == "buy" else samples.sell_quote()
    return _text(dump_quote(quote))
