"""The tables of the books. Portable SQL: the same definitions make SQLite and PostgreSQL tables.

Amounts and times are exact 64-bit integers (raw units, lamports, nanoseconds); documents are JSON text in which every
exact number is a string. ``pumpswap_trades`` and ``pumpswap_positions`` also carry the columns that the host's reports
and queries expect, in SOL and whole tokens: those are views for people, written by us and never read back.

A migration is written by hand for every change here; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "ATTEMPTS",
    "CHORES",
    "DECISIONS",
    "LEDGER",
    "MARKS",
    "METADATA",
    "ORDERS",
    "POSITIONS",
    "RUNS",
    "TRADES",
    "StoredRow",
]

StoredRow = Row[*tuple[Any, ...]]

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Only INTEGER fills itself on SQLite; there it has 64 bits as well.
_ID = BigInteger().with_variant(Integer(), "sqlite")
# As floats, because SQLite has no other decimal: these columns are for people, the integers beside them are exact.
_DISPLAY = Numeric(38, 18, asdecimal=False)


def _id() -> Column[Any]:
    return Column("id", _ID, primary_key=True, autoincrement=True)


def _run_id(*, primary_key: bool = False) -> Column[Any]:
    return Column("run_id", _ID, ForeignKey("pumpswap_runs.run_id"), primary_key=primary_key, nullable=False)


def _exact(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable)


def _words(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, String, nullable=nullable)


def _document(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _display(name: str) -> Column[Any]:
    return Column(name, _DISPLAY)


def _moment(name: str) -> Column[Any]:
    return Column(name, DateTime)  # UTC without a zone, as in the host's tables


def _stamp(name: str) -> Column[Any]:
    # We always write these from the run's own clock; the default serves other writers only.
    return Column(name, DateTime, server_default=text("CURRENT_TIMESTAMP"))


RUNS = Table(
    "pumpswap_runs",
    METADATA,
    Column("run_id", _ID, primary_key=True, autoincrement=True),
    _words("kind"),
    _exact("started_ns"),
    _exact("finished_ns", nullable=True),
    _words("seed", nullable=True),  # text: a seed may have any size
    _document("settings"),
    _document("summary", nullable=True),
    # Of a live run: whose money it is, and on which chain (base58 of its first block).
    _words("wallet", nullable=True),
    _words("network", nullable=True),
)

DECISIONS = Table(
    "pumpswap_decisions",
    METADATA,
    _id(),
    _run_id(),
    _words("decision_id"),
    _exact("at_ns"),
    _words("side"),
    _words("pool"),
    _words("mint"),
    _words("reason"),
    _exact("intent_base_units", nullable=True),
    Column("accepted", Boolean, nullable=False),
    _exact("quote_lamports"),
    _exact("base_units"),
    Column("signal_score", Double),  # for queries; the exact signal is in the document
    Column("signal_strength", Double),
    _document("signal", nullable=True),
    _document("verdicts"),
    _document("sizing"),
    _exact("intent_quote_lamports", nullable=True),  # the budget that a person named
    UniqueConstraint("run_id", "decision_id"),
    CheckConstraint("side IN ('buy', 'sell')", name="side"),
    Index(None, "run_id", "mint", "at_ns"),
)

ORDERS = Table(
    "pumpswap_orders",
    METADATA,
    _id(),
    _run_id(),
    _words("order_id"),
    _words("decision_id"),
    _words("side"),
    _words("pool"),
    _words("mint"),
    _exact("created_ns"),
    _exact("limit_units"),  # base units of a buy, lamports of a sell
    _exact("quote_lamports"),
    _exact("base_units"),
    _exact("slippage_bps"),
    _words("reason"),
    _document("quote"),
    _words("status"),  # pending, then the kind of the outcome
    _exact("outcome_ns", nullable=True),
    _document("outcome", nullable=True),  # of a filled order: see its trade
    UniqueConstraint("run_id", "order_id"),
    ForeignKeyConstraint(["run_id", "decision_id"], ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"]),
    CheckConstraint("side IN ('buy', 'sell')", name="side"),
    Index(None, "run_id", "status"),
)

# Signed transactions. A row is here before its first byte is broadcast.
ATTEMPTS = Table(
    "pumpswap_attempts",
    METADATA,
    _id(),
    _run_id(),
    _words("order_id"),
    _exact("number"),
    _words("signature"),
    Column("raw", LargeBinary, nullable=False),
    _words("blockhash"),
    _exact("last_valid_block_height"),
    _exact("created_ns"),
    _exact("created_slot"),
    _exact("compute_unit_limit"),
    _exact("compute_unit_price_micro_lamports"),
    _exact("tip_lamports"),
    _words("state"),
    _exact("resolved_ns", nullable=True),
    _words("note"),
    UniqueConstraint("signature"),
    UniqueConstraint("run_id", "order_id", "number"),
    # No key: an attempt belongs to an order or to a chore. The writer looks it up in the same transaction.
    CheckConstraint("state IN ('signed', 'sent', 'landed', 'expired')", name="state"),
    # One signature at a time per order: whatever goes wrong above, the database does not take a second open one.
    Index(
        "uq_pumpswap_attempts_open",
        "run_id",
        "order_id",
        unique=True,
        sqlite_where=text("state IN ('signed', 'sent')"),
        postgresql_where=text("state IN ('signed', 'sent')"),
    ),
)

TRADES = Table(
    "pumpswap_trades",
    METADATA,
    _id(),
    _run_id(),
    _words("order_id"),
    _exact("at_ns"),
    _exact("slot"),
    _exact("base_units"),
    _exact("quote_lamports"),  # all that a buy paid or a sell received, venue fees in
    _exact("gross_quote_lamports"),
    _exact("lp_fee_lamports"),
    _exact("protocol_fee_lamports"),
    _exact("creator_fee_lamports"),
    _exact("cashback_lamports"),
    _exact("network_fee_lamports"),
    _exact("priority_fee_lamports"),
    _exact("tip_lamports"),
    _exact("rent_paid_lamports"),
    _exact("rent_returned_lamports"),
    _document("executed"),
    # From here on: what the host's reports expect.
    _words("pool_id", nullable=True),
    _words("mint_address"),
    _words("pair_address"),
    _words("action"),
    _display("sol_amount"),
    _display("token_amount"),
    _display("price_per_token"),
    _display("signal_score"),
    _display("q50_value"),
    _words("vol_regime", nullable=True),
    _display("signal_strength"),
    _words("transaction_hash", nullable=True),
    _exact("block_timestamp", nullable=True),  # Unix seconds
    _exact("gas_used", nullable=True),  # lamports: network fee, priority fee and tip
    _words("execution_status", nullable=True),
    _display("pnl_sol"),
    _display("pnl_percentage"),
    Column("holding_period_hours", Integer),
    _stamp("created_at"),
    _stamp("updated_at"),
    UniqueConstraint("run_id", "order_id"),  # the same order never trades twice
    ForeignKeyConstraint(["run_id", "order_id"], ["pumpswap_orders.run_id", "pumpswap_orders.order_id"]),
    CheckConstraint("action IN ('buy', 'sell')", name="action"),
    Index("idx_pumpswap_trades_pool_id", "pool_id"),
    Index("idx_pumpswap_trades_timestamp", "block_timestamp"),
)

# No key from here to orders: what moved must be bookable even where no order of ours explains it.
LEDGER = Table(
    "pumpswap_ledger",
    METADATA,
    _run_id(primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    _exact("at_ns"),
    _words("asset"),
    _exact("units"),
    _words("kind"),
    _exact("slot"),
    _words("order_id", nullable=True),
    _words("signature", nullable=True),
)

POSITIONS = Table(
    "pumpswap_positions",
    METADATA,
    _id(),
    _run_id(),
    _exact("round"),
    _words("name"),
    _exact("opened_ns"),
    _exact("base_units"),
    _exact("cost_lamports"),
    _exact("bought_lamports"),
    _exact("sold_lamports"),
    _exact("realised_lamports"),
    _exact("rent_lamports"),
    _exact("buys"),
    _exact("sells"),
    _exact("last_trade_ns"),
    _exact("closed_ns", nullable=True),
    # The last mark of exactly these base units; empty from each trade to the next mark.
    _exact("marked_ns", nullable=True),
    _exact("value_lamports", nullable=True),
    # From here on: what the host's reports expect.
    _words("mint_address"),
    _words("pool_id", nullable=True),
    _words("pair_address"),
    _display("token_amount"),
    _display("average_buy_price"),
    Column("total_sol_invested", _DISPLAY, nullable=False, server_default=text("0")),
    _display("current_value_sol"),
    _display("unrealized_pnl_sol"),
    _display("unrealized_pnl_percentage"),
    _moment("first_buy_at"),
    _moment("last_trade_at"),
    Column("trade_count", BigInteger, server_default=text("0")),
    Column("is_active", Boolean, server_default=text("true")),
    _stamp("created_at"),
    _stamp("updated_at"),
    UniqueConstraint("run_id", "pair_address", "round"),
    Index("idx_pumpswap_positions_active", "is_active"),
)

MARKS = Table(
    "pumpswap_marks",
    METADATA,
    _id(),
    _run_id(),
    _words("pool"),
    _exact("at_ns"),
    _exact("state_ns"),
    _exact("base_units"),
    _exact("value_lamports"),
    _words("obstacle"),
    Index(None, "run_id", "pool", "at_ns"),
)

CHORES = Table(
    "pumpswap_chores",
    METADATA,
    _id(),
    _run_id(),
    _words("order_id"),
    _words("kind"),
    _exact("created_ns"),
    _exact("lamports"),
    _document("accounts"),
    _words("status"),  # pending, done, rejected, denied, unknown
    _exact("outcome_ns", nullable=True),
    _words("signature", nullable=True),
    _words("text", nullable=True),
    UniqueConstraint("run_id", "order_id"),
    CheckConstraint("kind IN ('wrap', 'unwrap', 'close_empty')", name="kind"),
)
