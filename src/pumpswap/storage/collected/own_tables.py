"""The host's tables, made by us where there is no host: the start-up shape of each engine, with room for all digits.

Other than in the host's SQLite shape the score has its columns there as well, and prices keep 18 decimals on both: a
token's price in USD may begin at the ninth.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from pumpswap.storage.columns import ID

__all__ = ["MARKER", "NAMES", "own_tables"]

# In the order of their keys.
NAMES = (
    "dexes",
    "tokens",
    "pools",
    "watchlist",
    "ohlcv_data",
    "trades",
    "new_pools_history",
    "collection_metadata",
)

# Says that the tables beside it are ours: made by this program, for nobody else.
MARKER = Table(
    "pumpswap_collected_tables",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("created_ns", BigInteger, nullable=False),
)

_AMOUNT, _USD = Numeric(38, 18), Numeric(30, 4)


def own_tables(engine: str) -> MetaData:
    """Fresh definitions for ``postgresql`` or ``sqlite``."""
    made = MetaData()
    is_server = engine == "postgresql"

    def moments(*names: str, **options: Any) -> list[Column[Any]]:
        return [Column(name, DateTime(timezone=is_server), **options) for name in names]

    def extra() -> Column[Any]:
        return Column("metadata_json", JSONB() if is_server else Text())

    def only_server(*columns: Column[Any]) -> list[Column[Any]]:
        return list(columns) if is_server else []

    stamped = moments(*(("created_at",) if is_server else ()), "last_updated")
    Table("dexes", made, _text("id", 100, primary_key=True), _name(200), _network(), *stamped, extra())
    _tokens(made, moments(*(("created_at",) if is_server else ()), "last_updated"), extra(), is_unique=is_server)
    _pools(made, moments, extra(), has_token_keys=is_server)
    Table(
        "watchlist",
        made,
        _number(),
        _of_pool(unique=True),
        *(_text(name, size) for name, size in (("token_symbol", 50), ("token_name", 200), ("network_address", 100))),
        Column("is_active", Boolean, nullable=False),
        *moments("created_at", "updated_at"),
        extra(),
    )
    kept = [extra()] if is_server else moments("created_at")
    _candles(made, moments("datetime", nullable=False), kept)
    kept = [extra()] if is_server else moments("created_at")
    _trades(made, moments("block_timestamp", nullable=not is_server), kept, is_strict=is_server)
    _history(made, moments, only_server(Column("api_response_data", JSONB())))
    _metadata(made, moments, is_server=is_server)
    return made


def _text(name: str, size: int, **options: Any) -> Column[Any]:
    return Column(name, String(size), **options)


def _name(size: int) -> Column[Any]:
    return _text("name", size, nullable=False)


def _network() -> Column[Any]:
    return _text("network", 50, nullable=False)


def _number() -> Column[Any]:
    return Column("id", ID, primary_key=True, autoincrement=True)


def _of_pool(**options: Any) -> Column[Any]:
    return Column("pool_id", String(200), ForeignKey("pools.id"), nullable=False, **options)


def _tokens(made: MetaData, stamped: list[Column[Any]], extra: Column[Any], *, is_unique: bool) -> None:
    unique = [UniqueConstraint("network", "address", name="uq_tokens_network_address")] if is_unique else []
    Table(
        "tokens",
        made,
        _text("id", 200, primary_key=True),
        _text("address", 100, nullable=False),
        _text("name", 200),
        _text("symbol", 50),
        Column("decimals", Integer),
        _network(),
        *stamped,
        extra,
        *unique,
    )


def _pools(made: MetaData, moments: Any, extra: Column[Any], *, has_token_keys: bool) -> None:
    def token(name: str) -> Column[Any]:
        return Column(name, String(200), *([ForeignKey("tokens.id")] if has_token_keys else []))

    Table(
        "pools",
        made,
        _text("id", 200, primary_key=True),
        _text("address", 100, nullable=False),
        _text("name", 200),
        Column("dex_id", String(100), ForeignKey("dexes.id"), nullable=False),
        token("base_token_id"),
        token("quote_token_id"),
        Column("reserve_usd", _USD),
        *moments("created_at", "last_updated"),
        Column("activity_score", Numeric(10, 2)),
        _text("discovery_source", 50),
        _text("collection_priority", 20),
        *moments("auto_discovered_at", "last_activity_check"),
        extra,
    )


def _candles(made: MetaData, at: list[Column[Any]], kept: list[Column[Any]]) -> None:
    prices = ("open_price", "high_price", "low_price", "close_price", "volume_usd")
    Table(
        "ohlcv_data",
        made,
        _number(),
        _of_pool(),
        _text("timeframe", 10, nullable=False),
        Column("timestamp", BigInteger, nullable=False),
        *at,
        *(Column(name, _AMOUNT, nullable=False) for name in prices),
        *kept,
        UniqueConstraint("pool_id", "timeframe", "timestamp", name="uq_ohlcv_pool_timeframe_timestamp"),
    )


def _trades(made: MetaData, at: list[Column[Any]], kept: list[Column[Any]], *, is_strict: bool) -> None:
    Table(
        "trades",
        made,
        _text("id", 200, primary_key=True),
        _of_pool(),
        Column("block_number", BigInteger, nullable=not is_strict),
        _text("tx_hash", 100, nullable=not is_strict),
        _text("tx_from_address", 100),
        *(Column(name, _AMOUNT) for name in ("from_token_amount", "to_token_amount", "price_usd", "volume_usd")),
        _text("side", 10),
        *at,
        *kept,
        Index("idx_trades_pool_id_timestamp", "pool_id", "block_timestamp"),
        Index("idx_trades_tx_hash", "tx_hash"),
    )


def _history(made: MetaData, moments: Any, answer: list[Column[Any]]) -> None:
    prices = [f"{side}_token_price_{unit}" for side in ("base", "quote") for unit in ("usd", "native_currency")]
    counts = [f"transactions_{window}_{side}" for window in ("h1", "h24") for side in ("buys", "sells")]
    changes = ["price_change_percentage_h1", "price_change_percentage_h24"]
    Table(
        "new_pools_history",
        made,
        _number(),
        _text("pool_id", 255, nullable=False),
        _text("type", 20),
        _text("name", 255),
        *(Column(name, _AMOUNT) for name in prices),
        _text("address", 255),
        Column("reserve_in_usd", _USD),
        *moments("pool_created_at"),
        *(Column(name, _USD) for name in ("fdv_usd", "market_cap_usd")),
        *(Column(name, Numeric(15, 4)) for name in changes),
        *(Column(name, Integer) for name in counts),
        Column("volume_usd_h24", _USD),
        _text("dex_id", 100),
        *(_text(name, 255) for name in ("base_token_id", "quote_token_id")),
        _text("network_id", 50),
        *moments("collected_at", nullable=False),
        Column("signal_score", Numeric(10, 4)),
        *(_text(name, 20) for name in ("volume_trend", "liquidity_trend")),
        Column("momentum_indicator", Numeric(15, 4)),
        *(Column(name, Numeric(10, 4)) for name in ("activity_score", "volatility_score")),
        _text("discovery_source", 50),
        *answer,
        UniqueConstraint("pool_id", "collected_at", name="uq_new_pools_history_pool_collected"),
        Index("idx_new_pools_history_collected_at", "collected_at"),
    )


def _metadata(made: MetaData, moments: Any, *, is_server: bool) -> None:
    counted = [
        *moments("last_run", "last_success"),
        Column("run_count", Integer),
        Column("error_count", Integer),
        Column("last_error", Text),
    ]
    if is_server:
        kind = _text("collector_type", 100, nullable=False, unique=True)
        stamps = moments("created_at", "updated_at")
        Table("collection_metadata", made, _number(), kind, *counted, Column("metadata_json", JSONB()), *stamps)
        return
    Table(
        "collection_metadata",
        made,
        _text("collector_type", 100, primary_key=True),
        *counted,
        Column("total_execution_time", Numeric(10, 3)),
        Column("total_records_collected", BigInteger),
        Column("average_execution_time", Numeric(10, 3)),
        *(Column(name, Numeric(5, 2)) for name in ("success_rate", "health_score")),
        *moments("last_updated"),
    )
