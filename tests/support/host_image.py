"""What a host database looks like from outside: its schema, its rows, what its queries and inserts answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

__all__ = [
    "HOST_INSERTS",
    "HOST_QUERIES",
    "Columns",
    "columns",
    "connect",
    "insert_results",
    "query_results",
    "rows",
    "schema",
]

Columns = Mapping[str, Sequence[str]]
OURS = ("pumpswap_", "q50_trading_history")

_PG_SCHEMA = {
    "columns": """SELECT table_schema, table_name, ordinal_position, column_name, data_type, character_maximum_length,
        numeric_precision, numeric_scale, is_nullable, column_default FROM information_schema.columns""",
    "constraints": """SELECT n.nspname, coalesce(r.relname, ''), c.conname, pg_get_constraintdef(c.oid)
        FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
        LEFT JOIN pg_class r ON r.oid = c.conrelid""",
    "indexes": "SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes",
    "views": "SELECT schemaname, viewname, definition FROM pg_views",
    "sequences": "SELECT schemaname, sequencename, data_type FROM pg_sequences",
    "triggers": """SELECT n.nspname, c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal""",
    "rights": """SELECT n.nspname, c.relname, c.relacl::text FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace""",
}


@contextmanager
def connect(url: str) -> Iterator[Any]:
    """As the host connects: keys are checked, nothing is committed by itself."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN")
    else:
        connection = psycopg.connect(url)  # type: ignore[assignment]
    try:
        yield connection
    finally:
        if url.startswith("sqlite"):
            connection.commit()
        connection.rollback()
        connection.close()


def schema(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that was ever said in DDL, in a fixed order."""
    with connect(url) as connection:
        if url.startswith("sqlite"):
            found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
            return {"master": sorted(map(tuple, found), key=repr)}
        where = "c0 NOT LIKE 'pg\\_%' AND c0 <> 'information_schema'"
        parts = {}
        for name, query in _PG_SCHEMA.items():
            wrapped = f"SELECT * FROM ({query}) AS q ({_names(connection, query)})"
            found = connection.execute(f"{wrapped} WHERE {where}").fetchall()
            parts[name] = sorted(map(tuple, found), key=repr)
        return parts


def _names(connection: Any, query: str) -> str:
    count = len(connection.execute(f"SELECT * FROM ({query}) AS q LIMIT 0").description)
    return ", ".join(f"c{number}" for number in range(count))


def columns(url: str) -> dict[str, list[str]]:
    """Columns of every table, as ``"schema"."table"`` on PostgreSQL."""
    found: dict[str, list[str]] = {}
    with connect(url) as connection:
        if url.startswith("sqlite"):
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                quoted = '"' + table.replace('"', '""') + '"'
                found[quoted] = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted})").fetchall()]
            return found
        query = """SELECT quote_ident(c.table_schema) || '.' || quote_ident(c.table_name), c.column_name
            FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
            ORDER BY 1, c.ordinal_position"""
        for table, column in connection.execute(query).fetchall():
            found.setdefault(table, []).append(column)
    return found


def rows(url: str, of: Columns) -> dict[str, list[str]]:
    """All rows of these columns, in a fixed order."""
    with connect(url) as connection:
        return {
            # As texts: the export has NaN, which equals nothing.
            table: sorted(map(repr, connection.execute(f"SELECT {_quoted(names)} FROM {table}").fetchall()))
            for table, names in of.items()
        }


def _quoted(names: Sequence[str]) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


# What the host asks: its pool look-up, history, watch list and QLib export, and the plan's own filter.
HOST_QUERIES = (
    "SELECT id, address, name, dex_id, base_token_id, quote_token_id, reserve_usd FROM pools WHERE id = '{pool}'",
    "SELECT id, name FROM pools WHERE dex_id = 'pumpswap' ORDER BY id",
    (
        "SELECT p.id, d.name, t.symbol FROM pools p JOIN dexes d ON d.id = p.dex_id LEFT JOIN tokens t"
        " ON t.id = p.base_token_id ORDER BY p.id"
    ),
    (
        "SELECT volume_usd_h24, reserve_in_usd, price_change_percentage_h1, price_change_percentage_h24,"
        " transactions_h1_buys, transactions_h1_sells, transactions_h24_buys, transactions_h24_sells, collected_at"
        " FROM new_pools_history WHERE pool_id = '{pool}' ORDER BY collected_at DESC"
    ),
    (
        "SELECT w.pool_id, w.token_symbol, w.is_active, p.name, p.dex_id, count(o.id), max(o.close_price)"
        " FROM watchlist w JOIN pools p ON p.id = w.pool_id LEFT JOIN ohlcv_data o ON o.pool_id = w.pool_id"
        " GROUP BY w.pool_id, w.token_symbol, w.is_active, p.name, p.dex_id ORDER BY w.pool_id"
    ),
    (
        "SELECT pool_id, timeframe, timestamp, open_price, high_price, low_price, close_price, volume_usd"
        " FROM ohlcv_data WHERE timeframe = '1h' ORDER BY pool_id, timestamp"
    ),
    "SELECT side, count(*), sum(volume_usd) FROM trades GROUP BY side ORDER BY side",
    (
        "SELECT pool_id, timestamp, datetime, qlib_symbol, open_price_usd, high_price_usd, low_price_usd,"
        " close_price_usd, volume_usd_h24, reserve_in_usd, signal_score"
        " FROM new_pools_history_enhanced WHERE reserve_in_usd >= 1000 AND volume_usd_h24 >= 100"
        " AND data_quality_score >= 50 ORDER BY pool_id, timestamp"
    ),
    (
        "SELECT e.pool_id, v.rsi_14 FROM new_pools_history_enhanced e JOIN pool_feature_vectors v"
        " ON v.pool_id = e.pool_id ORDER BY e.pool_id, v.id"
    ),
)

# What the host writes, in its own order; each must go on working, or failing, as before.
HOST_INSERTS = (
    "INSERT INTO dexes (id, name, network) VALUES ('new-dex', 'New', 'solana')",
    "INSERT INTO tokens (id, address, name, symbol, network) VALUES ('NewMint', 'NewMint', 'New', 'NEW', 'solana')",
    "INSERT INTO pools (id, address, name, dex_id) VALUES ('solana_New', 'New', 'New / SOL', 'pumpswap')",
    (
        "INSERT INTO pools (id, address, name, dex_id, base_token_id, metadata_json)"
        " VALUES ('solana_New2', 'New2', 'New / SOL', 'pumpswap', NULL, '{}')"
    ),
    "INSERT INTO pools (id, address, name, dex_id) VALUES ('solana_New3', 'New3', 'New / SOL', 'no such dex')",
    "INSERT INTO watchlist (pool_id, token_symbol, is_active) VALUES ('{pool}', 'NEW', {true})",
    "INSERT INTO watchlist (pool_id, is_active, metadata_json) VALUES ('{pool}', {true}, '\"text\"')",
    (
        "INSERT INTO ohlcv_data (pool_id, timeframe, timestamp, datetime, open_price, high_price, low_price,"
        " close_price, volume_usd) VALUES ('{pool}', '1h', 1, '2026-01-01 00:00:00', 1, 1, 1, 1, 1)"
    ),
    (
        "INSERT INTO trades (id, pool_id, block_number, side, block_timestamp)"
        " VALUES ('t1', '{pool}', 1, 'buy', '2026-01-01 00:00:00')"
    ),
    (
        "INSERT INTO trades (id, pool_id, block_number, side, block_timestamp)"
        " VALUES ('t2', 'no such pool', 1, 'buy', '2026-01-01 00:00:00')"
    ),
    (
        "INSERT INTO new_pools_history (pool_id, name, collected_at, signal_score, volume_trend)"
        " VALUES ('{pool}', 'New', '2026-01-01 00:00:00', 50, 'spike')"
    ),
    "INSERT INTO new_pools_history (pool_id, name, collected_at) VALUES ('{pool}', 'New', '2026-01-01 00:00:00')",
    "INSERT INTO new_pools_history (pool_id, collected_at, signal_score) VALUES ('{pool}', '2026-01-01 00:00:00', 107)",
    (
        "INSERT INTO new_pools_history_enhanced (pool_id, timestamp, datetime, collected_at)"
        " VALUES ('{pool}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    ),
    "INSERT INTO pool_feature_vectors (pool_id, timestamp, feature_set_version) VALUES ('{pool}', 1, 'v9')",
    "UPDATE pools SET reserve_usd = 1, name = 'changed' WHERE id = '{pool}'",
    "DELETE FROM pools WHERE id = '{watched}'",
    "DELETE FROM pools WHERE id = '{pool}'",
    "DELETE FROM new_pools_history",
)


def query_results(url: str, pool: str) -> list[Any]:
    """The answer of each query: its rows in its order, or why it fails."""
    with connect(url) as connection:
        return [_answer(connection, query.format(pool=pool)) for query in HOST_QUERIES]


def insert_results(url: str, pool: str, watched: str) -> list[Any]:
    """What becomes of each write, each alone and undone: how many rows, or why it fails."""
    true = "1" if url.startswith("sqlite") else "true"
    results = []
    with connect(url) as connection:
        for statement in HOST_INSERTS:
            for name, value in (("{pool}", pool), ("{watched}", watched), ("{true}", true)):
                statement = statement.replace(name, value)
            results.append(_answer(connection, statement))
    return results


def _answer(connection: Any, statement: str) -> Any:
    connection.execute("SAVEPOINT one")
    try:
        cursor = connection.execute(statement)
        return repr(cursor.fetchall()) if statement.startswith("SELECT") else cursor.rowcount
    except (sqlite3.Error, psycopg.Error) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    finally:
        connection.execute("ROLLBACK TO SAVEPOINT one")
