"""Rows of trades and ohlcv_data: every trade once, every candle once, the newest of them as it was last told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model.collected import SeenCandle, SeenTrade, trade_identity
from pumpswap.storage.collected.rows import insert_new, moment
from pumpswap.storage.collected.shape import TableShape, Unfit

__all__ = ["CANDLE_COLUMNS", "TRADE_COLUMNS", "newest_candle", "store_candles", "store_trades"]

TRADE_COLUMNS = (
    *("id", "pool_id", "block_number", "tx_hash", "tx_from_address", "from_token_amount", "to_token_amount"),
    *("price_usd", "volume_usd", "side", "block_timestamp", "created_at", "metadata_json"),
)
CANDLE_COLUMNS = (
    *("pool_id", "timeframe", "timestamp", "datetime", "open_price", "high_price", "low_price", "close_price"),
    *("volume_usd", "created_at", "metadata_json"),
)


def store_trades(
    connection: Connection, shape: TableShape, pool_id: str, trades: Sequence[SeenTrade], at_ns: int
) -> tuple[int, dict[str, str]]:
    """Insert the trades that are not stored; returns how many, and reasons of those that do not fit by their id.

    The service gives a trade another id in every answer: its identity is what counts, and the first id stays.
    """
    known = _identities(connection, shape, [trade.transaction for trade in trades])
    rows, unfit = [], {}
    for trade in trades:
        if trade.identity in known:
            continue
        known.add(trade.identity)
        values = {
            "id": trade.id,
            "pool_id": pool_id,
            "block_number": trade.slot,
            "tx_hash": trade.transaction,
            "tx_from_address": trade.trader,
            "from_token_amount": trade.from_amount,
            "to_token_amount": trade.to_amount,
            "price_usd": trade.price_usd,
            "volume_usd": trade.volume_usd,
            "side": trade.side,
            # The moment itself, with its zone where the column has one: not a wall clock with another zone's label.
            "block_timestamp": moment(trade.at_ns),
            "created_at": moment(at_ns),
            "metadata_json": {},
        }
        try:
            rows.append(shape.fitted(values))
        except Unfit as reason:
            unfit[trade.id] = str(reason)
    insert_new(connection, shape, rows)
    return len(rows), unfit


def _identities(connection: Connection, shape: TableShape, transactions: Sequence[str]) -> set[str]:
    if not transactions:
        return set()
    table = shape.light("id", "tx_hash", "side", "volume_usd")
    query = select(table).where(table.c.tx_hash.in_(sorted({*transactions})))
    return {
        trade_identity(row["id"]) or f"{row['tx_hash']} {row.get('side')} {row.get('volume_usd') or 0:.2f}"
        for row in connection.execute(query).mappings()
    }


def newest_candle(connection: Connection, shape: TableShape, pool_id: str, timeframe: str) -> int | None:
    """Unix time at which the newest stored candle begins."""
    table = shape.light("pool_id", "timeframe", "timestamp")
    query = select(func.max(table.c.timestamp)).where(table.c.pool_id == pool_id, table.c.timeframe == timeframe)
    found: int | None = connection.execute(query).scalar()
    return found


def store_candles(
    connection: Connection, shape: TableShape, pool_id: str, candles: Sequence[SeenCandle], at_ns: int
) -> tuple[int, int, dict[str, str]]:
    """Insert new candles; returns how many, how many were changed, and why some do not fit, by their start.

    Of those that are stored only the newest may change: it was still open when it was told. All candles are of one
    length.
    """
    by_start = {candle.start_seconds: candle for candle in reversed(candles)}  # a start told twice: the first counts
    if not by_start:
        return 0, 0, {}
    timeframe = candles[0].timeframe
    newest = newest_candle(connection, shape, pool_id, timeframe)
    table = shape.light("pool_id", "timeframe", "timestamp")
    query = select(table.c.timestamp).where(table.c.pool_id == pool_id, table.c.timeframe == timeframe)
    stored = {int(start) for start in connection.execute(query.where(table.c.timestamp >= min(by_start))).scalars()}
    rows, changed, unfit = [], 0, {}
    for start, candle in sorted(by_start.items()):
        if start in stored and start != newest:
            continue
        try:
            row = shape.fitted(_candle_values(candle, pool_id, at_ns))
        except Unfit as reason:
            unfit[f"{timeframe} {start}"] = str(reason)
            continue
        if start in stored:
            changed += _change(connection, shape, row)
        else:
            rows.append(row)
    insert_new(connection, shape, rows)
    return len(rows), changed, unfit


def _change(connection: Connection, shape: TableShape, fitted: dict[str, Any]) -> int:
    key = [shape.columns[name] == fitted[shape.columns[name].name] for name in ("pool_id", "timeframe", "timestamp")]
    figures = {name: fitted[name] for name in fitted if name.endswith("_price") or name == "volume_usd"}
    differs = [shape.columns[name] != value for name, value in figures.items()]
    statement = update(shape.table).where(*key, _any(differs)).values(figures)
    return int(connection.execute(statement).rowcount)


def _any(conditions: list[Any]) -> Any:
    first, *others = conditions
    for one in others:
        first = first | one
    return first


def _candle_values(candle: SeenCandle, pool_id: str, at_ns: int) -> dict[str, Any]:
    return {
        "pool_id": pool_id,
        "timeframe": candle.timeframe,
        "timestamp": candle.start_seconds,
        "datetime": moment(candle.start_seconds * NS_PER_SECOND),
        "open_price": candle.open_usd,
        "high_price": candle.high_usd,
        "low_price": candle.low_usd,
        "close_price": candle.close_usd,
        "volume_usd": candle.volume_usd,
        "created_at": moment(at_ns),
        "metadata_json": {},
    }
