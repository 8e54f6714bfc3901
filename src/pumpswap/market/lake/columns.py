"""Kinds of the lake and their columns: the one place that says what a file of the lake holds.

Plain data: reading it needs no data library. Types are chosen so that every reader of Parquet gets every figure whole:
amounts of the chain are u64, signed 128-bit figures and decimals of a source are text, times are nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.errors import UsageError

__all__ = ["KINDS", "SCHEMA_VERSION", "Column", "ColumnType", "Kind", "kind_of"]

SCHEMA_VERSION = 1

ColumnType = str  # one of "text", "u64", "i64", "u32", "bool", "bytes"


@dataclass(frozen=True, slots=True)
class Column:
    """``meaning`` ends up in the data dictionary; ``may_be_null`` means that a source may not know it."""

    name: str
    type: ColumnType
    meaning: str
    may_be_null: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of row. ``key`` names a row: no two of the lake have the same. ``time`` decides the day of its file.

    ``order`` is the order of rows within a file: by pool first, so that one pool is few row groups. ``height`` is the
    column whose range tells files apart that may hold the same row. ``newest_wins``: a row that comes again with other
    figures replaces the first one; otherwise it is a fact that was seen already, and the first one stays. ``facts`` are
    the columns by which two rows of one key are the same.
    """

    name: str
    what: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]
    time: str
    height: str
    facts: tuple[str, ...]
    newest_wins: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in their order."""
        return tuple(column.name for column in self.columns)


_SOURCE = Column("source", "text", "where the row came from: `chain`, `geckoterminal`, `host`, …; empty: not told")
_POOL = Column("pool", "text", "address of the pool, base58")

_SWAPS = Kind(
    "swaps",
    "one trade of one pool",
    (
        _POOL,
        Column("at_ns", "i64", "time of the block, nanoseconds since 1970 UTC"),
        Column("slot", "u64", "slot of the transaction; 0 where the source does not tell it"),
        Column("signature", "text", "signature of the transaction, base58"),
        Column("index", "u32", "which trade of its transaction, from 0"),
        Column("position", "u32", "order of execution within the slot, as far as the source told it: order of arrival"),
        Column("is_buy", "bool", "whether the trader received base"),
        Column("base_units", "u64", "base received (buy) or given (sell), raw units"),
        Column("quote_units", "u64", "quote given (buy) or received (sell), raw units, fees in it; lamports for SOL"),
        Column("trader", "text", "address of the trader; empty where the source does not tell it"),
        Column("base_reserve_before", "u64", "base in the pool's vault before the trade, raw units", True),
        Column("quote_vault_before", "u64", "quote in the pool's vault before the trade, raw units", True),
        Column("virtual_quote_reserves_before", "text", "signed 128-bit integer, raw quote units", True),
        Column("lp_fee", "u64", "fee that stays with the pool, raw quote units", True),
        Column("protocol_fee", "u64", "fee of the protocol, raw quote units", True),
        Column("creator_fee", "u64", "fee of the coin's creator, raw quote units", True),
        Column("event", "bytes", "the program's own event, in its newest layout: everything else that is exact", True),
        _SOURCE,
    ),
    key=("pool", "signature", "index"),
    order=("pool", "slot", "at_ns", "position", "index", "signature"),
    time="at_ns",
    height="at_ns",
    facts=("is_buy", "base_units", "quote_units"),
)

_ACTS = Kind(
    "acts",
    "what happened to a pool besides trades: liquidity, fees paid out, boosts, settings",
    (
        _POOL,
        Column("at_ns", "i64", "time of the block, nanoseconds since 1970 UTC"),
        Column("slot", "u64", "slot of the transaction"),
        Column("signature", "text", "signature of the transaction, base58"),
        Column("index", "u32", "which act of its transaction, from 0; trades do not count"),
        Column("trades_before", "u32", "trades of its transaction before it: the `index` of the swap that comes next"),
        Column("position", "u32", "trades of its slot before it, as far as the source told them: a swap's `position`"),
        Column("name", "text", "the event's name in the IDL, for example `DepositEvent`"),
        Column("event", "bytes", "the program's own event, in its newest layout: everything that is exact"),
        _SOURCE,
    ),
    key=("pool", "signature", "index"),
    order=("pool", "slot", "at_ns", "position", "index", "signature"),
    time="at_ns",
    height="at_ns",
    facts=("event",),
)

_STATES = Kind(
    "states",
    "a pool as it was at one slot",
    (
        _POOL,
        Column("at_ns", "i64", "when it was seen, nanoseconds since 1970 UTC"),
        Column("slot", "u64", "slot at which the accounts were so"),
        Column("base_reserve", "u64", "base in the pool's vault, raw units"),
        Column("quote_vault", "u64", "quote in the pool's vault, raw units"),
        Column("virtual_quote_reserves", "text", "signed 128-bit integer, raw quote units; prices use vault + virtual"),
        Column("base_supply", "u64", "supply of the base mint, raw units"),
        Column("base_mint", "text", "address of the base token"),
        Column("quote_mint", "text", "address of the quote token"),
        Column("base_decimals", "u32", "decimals of the base token"),
        Column("quote_decimals", "u32", "decimals of the quote token"),
        Column("base_token_program", "text", "token program of the base mint"),
        Column("quote_token_program", "text", "token program of the quote mint"),
        Column("account", "bytes", "the Pool account, every byte"),
        _SOURCE,
    ),
    key=("pool", "slot"),
    order=("pool", "slot", "at_ns"),
    time="at_ns",
    height="slot",
    facts=("base_reserve", "quote_vault", "base_supply", "account"),
)

_CANDLES = Kind(
    "candles",
    "a candle of a market-data service, in USD",
    (
        _POOL,
        Column("timeframe", "text", "its length: `1m`, `5m`, `15m`, `1h`, `4h`, `12h`, `1d`"),
        Column("start_ns", "i64", "its first moment, nanoseconds since 1970 UTC"),
        Column("known_ns", "i64", "its end: before it nobody knew more than the open"),
        Column("open_usd", "text", "decimal, every digit of the source; USD per token"),
        Column("high_usd", "text", "likewise"),
        Column("low_usd", "text", "likewise"),
        Column("close_usd", "text", "likewise"),
        Column("volume_usd", "text", "decimal, USD"),
        _SOURCE,
    ),
    key=("pool", "timeframe", "start_ns"),
    order=("pool", "timeframe", "start_ns"),
    time="start_ns",
    height="start_ns",
    facts=("known_ns", "open_usd", "high_usd", "low_usd", "close_usd", "volume_usd"),
    newest_wins=True,
)

_SNAPSHOTS = Kind(
    "snapshots",
    "what a collector saw of a pool: figures to score",
    (
        _POOL,
        Column("at_ns", "i64", "when it was seen, nanoseconds since 1970 UTC"),
        Column("pool_id", "text", "the source's name of the pool, with the network in front"),
        Column("dex", "text", "the source's name of the exchange"),
        Column("name", "text", "of the pool, for people"),
        Column("base_mint", "text", "address of the base token", True),
        Column("quote_mint", "text", "address of the quote token", True),
        Column("created_ns", "i64", "when the pool was made", True),
        Column("base_price_usd", "text", "decimal, every digit of the source", True),
        Column("base_price_quote", "text", "decimal, quote tokens per base token", True),
        Column("quote_price_usd", "text", "decimal, USD per SOL for pools quoted in SOL", True),
        Column("reserve_usd", "text", "decimal, both sides of the pool", True),
        Column("metrics", "text", "JSON object of the figures that scores read, as the source wrote them"),
        Column("stored_score", "text", "decimal, the score that the source had stored", True),
        _SOURCE,
    ),
    key=("pool", "at_ns"),
    order=("pool", "at_ns"),
    time="at_ns",
    height="at_ns",
    facts=("metrics",),
)

KINDS = {kind.name: kind for kind in (_SWAPS, _ACTS, _STATES, _CANDLES, _SNAPSHOTS)}


def kind_of(name: str) -> Kind:
    """Raises UsageError for a name that is none."""
    if name not in KINDS:
        raise UsageError(f"the lake has no kind {name!r}", hint=f"one of {', '.join(KINDS)}")
    return KINDS[name]
