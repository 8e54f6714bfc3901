"""The tables of the books. Portable SQL: the same definitions make SQLite and PostgreSQL tables.

Amounts and times are exact 64-bit integers (raw units, lamports, nanoseconds); documents are JSON text in which every
exact number is a string. ``pumpswap_trades`` and ``pumpswap_positions`` also carry the columns that the host's reports
and queries expect, in SOL and whole tokens: those are views for people, written by us and never read back, but for the
decimals of a token that they tell (``history``).

A migration is written by hand for every change here; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from pumpswap.storage.backtest_tables import BACKTESTS, SWEEPS, TRIALS
from pumpswap.storage.book_tables import (
    ADOPTIONS,
    ALERTS,
    BALANCES,
    EQUITY,
    IGNORED,
    LEDGER,
    MARKS,
    POSITIONS,
    Q50_HISTORY,
    RECONCILIATIONS,
)
from pumpswap.storage.collect_tables import COLLECT_CYCLES, COLLECT_POOLS
from pumpswap.storage.columns import (
    ID,
    METADATA,
    StoredRow,
    display,
    document,
    exact,
    identity,
    of_run,
    stamp,
    words,
)
from pumpswap.storage.insight_tables import DELIVERIES, MEMORY, MUTES, POOL_POINTS, SPELLS, WHAT_IFS
from pumpswap.storage.trading_tables import COMMANDS, PROPOSALS, STATES

__all__ = [
    "ADOPTIONS",
    "ALERTS",
    "ATTEMPTS",
    "BACKTESTS",
    "BALANCES",
    "CHORES",
    "COLLECT_CYCLES",
    "COLLECT_POOLS",
    "COMMANDS",
    "DECISIONS",
    "DELIVERIES",
    "EQUITY",
    "IGNORED",
    "LEDGER",
    "MARKS",
    "MEMORY",
    "METADATA",
    "MUTES",
    "ORDERS",
    "POOL_POINTS",
    "POSITIONS",
    "PROPOSALS",
    "Q50_HISTORY",
    "RECONCILIATIONS",
    "RUNS",
    "SPELLS",
    "STATES",
    "SWEEPS",
    "TRADES",
    "TRIALS",
    "WHAT_IFS",
    "StoredRow",
]

RUNS = Table(
    "pumpswap_runs",
    METADATA,
    Column("run_id", ID, primary_key=True, autoincrement=True),
    words("kind"),
    exact("started_ns"),
    exact("finished_ns", nullable=True),
    words("seed", nullable=True),  # text: a seed may have any size
    document("settings"),
    document("summary", nullable=True),
    # Of a live run: whose money it is, and on which chain (base58 of its first block).
    words("wallet", nullable=True),
    words("network", nullable=True),
)

_LISTED = (
    *("id", "decision_id", "pool", "side", "accepted", "reason"),
    *("quote_lamports", "base_units", "signal_score", "signal_strength"),
)

DECISIONS = Table(
    "pumpswap_decisions",
    METADATA,
    identity(),
    of_run(),
    words("decision_id"),
    exact("at_ns"),
    words("side"),
    words("pool"),
    words("mint"),
    words("reason"),
    exact("intent_base_units", nullable=True),
    Column("accepted", Boolean, nullable=False),
    exact("quote_lamports"),
    exact("base_units"),
    Column("signal_score", Double),  # for queries; the exact signal is in the document
    Column("signal_strength", Double),
    document("signal", nullable=True),
    document("verdicts"),
    document("sizing"),
    exact("intent_quote_lamports", nullable=True),  # the budget that a person named
    Column("q50_value", Double),  # of the signal, for queries, as its score
    words("vol_regime", nullable=True),
    words("exit_kind", nullable=True),  # which rule wished a sale
    exact("slippage_bps", nullable=True),  # what was asked for instead of the settings
    words("strategy", nullable=True),
    # How often it was decided again exactly so, and when last, without a row of its own.
    exact("repeats", nullable=True),
    exact("repeated_ns", nullable=True),
    UniqueConstraint("run_id", "decision_id"),
    CheckConstraint("side IN ('buy', 'sell')", name="side"),
    # A token's decisions lie far apart in the table: on PostgreSQL the index itself answers lists of them.
    Index(None, "run_id", "mint", "at_ns", postgresql_include=_LISTED),
    Index(None, "run_id", "pool", "at_ns"),
    # Pages of the newest ones, of either kind; each insert touches the end of it only.
    Index(None, "run_id", "accepted", "at_ns"),
    # Sales are few among many refused purchases.
    Index(
        "ix_pumpswap_decisions_sales",
        *("run_id", "accepted", "at_ns"),
        sqlite_where=text("side = 'sell'"),
        postgresql_where=text("side = 'sell'"),
    ),
)

OF_CLIENTS = "client_order_id IS NOT NULL"  # of the index

ORDERS = Table(
    "pumpswap_orders",
    METADATA,
    identity(),
    of_run(),
    words("order_id"),
    words("decision_id"),
    words("side"),
    words("pool"),
    words("mint"),
    exact("created_ns"),
    exact("limit_units"),  # base units of a buy, lamports of a sell
    exact("quote_lamports"),
    exact("base_units"),
    exact("slippage_bps"),
    words("reason"),
    document("quote"),
    words("status"),  # pending, then the kind of the outcome
    exact("outcome_ns", nullable=True),
    document("outcome", nullable=True),  # of a filled order: see its trade
    words("client_order_id", nullable=True),  # the name that another system gave it
    UniqueConstraint("run_id", "order_id"),
    ForeignKeyConstraint(["run_id", "decision_id"], ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"]),
    CheckConstraint("side IN ('buy', 'sell')", name="side"),
    Index(None, "run_id", "status"),
    Index(None, "run_id", "created_ns"),
    Index(None, "run_id", "decision_id"),  # the key to decisions is followed backwards when books are replaced
    # A wish that comes twice is one order, also over a restart.
    Index(
        "ix_pumpswap_orders_client_order_id",
        *("run_id", "client_order_id"),
        unique=True,
        sqlite_where=text(OF_CLIENTS),
        postgresql_where=text(OF_CLIENTS),
    ),
)

# Signed transactions. A row is here before its first byte is broadcast.
ATTEMPTS = Table(
    "pumpswap_attempts",
    METADATA,
    identity(),
    of_run(),
    words("order_id"),
    exact("number"),
    words("signature"),
    Column("raw", LargeBinary, nullable=False),
    words("blockhash"),
    exact("last_valid_block_height"),
    exact("created_ns"),
    exact("created_slot"),
    exact("compute_unit_limit"),
    exact("compute_unit_price_micro_lamports"),
    exact("tip_lamports"),
    words("state"),
    exact("resolved_ns", nullable=True),
    words("note"),
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
    identity(),
    of_run(),
    words("order_id"),
    exact("at_ns"),
    exact("slot"),
    exact("base_units"),
    exact("quote_lamports"),  # all that a buy paid or a sell received, venue fees in
    exact("gross_quote_lamports"),
    exact("lp_fee_lamports"),
    exact("protocol_fee_lamports"),
    exact("creator_fee_lamports"),
    exact("cashback_lamports"),
    exact("network_fee_lamports"),
    exact("priority_fee_lamports"),
    exact("tip_lamports"),
    exact("rent_paid_lamports"),
    exact("rent_returned_lamports"),
    document("executed"),
    # From here on: what the host's reports expect.
    words("pool_id", nullable=True),
    words("mint_address"),
    words("pair_address"),
    words("action"),
    display("sol_amount"),
    display("token_amount"),
    display("price_per_token"),
    display("signal_score"),
    display("q50_value"),
    words("vol_regime", nullable=True),
    display("signal_strength"),
    words("transaction_hash", nullable=True),
    exact("block_timestamp", nullable=True),  # Unix seconds
    exact("gas_used", nullable=True),  # lamports: network fee, priority fee and tip
    words("execution_status", nullable=True),
    display("pnl_sol"),
    display("pnl_percentage"),
    Column("holding_period_hours", Integer),
    stamp("created_at"),
    stamp("updated_at"),
    UniqueConstraint("run_id", "order_id"),  # the same order never trades twice
    ForeignKeyConstraint(["run_id", "order_id"], ["pumpswap_orders.run_id", "pumpswap_orders.order_id"]),
    CheckConstraint("action IN ('buy', 'sell')", name="action"),
    Index("idx_pumpswap_trades_pool_id", "pool_id"),
    Index("idx_pumpswap_trades_timestamp", "block_timestamp"),
    Index(None, "run_id", "at_ns"),
    Index(None, "run_id", "pair_address", "at_ns"),
)

CHORES = Table(
    "pumpswap_chores",
    METADATA,
    identity(),
    of_run(),
    words("order_id"),
    words("kind"),
    exact("created_ns"),
    exact("lamports"),
    document("accounts"),
    words("status"),  # pending, done, rejected, denied, unknown
    exact("outcome_ns", nullable=True),
    words("signature", nullable=True),
    words("text", nullable=True),
    UniqueConstraint("run_id", "order_id"),
    CheckConstraint("kind IN ('wrap', 'unwrap', 'close_empty')", name="kind"),
)
