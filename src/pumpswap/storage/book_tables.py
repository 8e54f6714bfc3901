"""The tables of what is held: ledger, balances, positions, marks, equity, and what reconciliation has found."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    text,
)

from pumpswap.model import COST_KINDS
from pumpswap.storage.columns import (
    DISPLAY,
    ID,
    METADATA,
    WideInteger,
    display,
    document,
    exact,
    identity,
    moment,
    of_run,
    stamp,
    words,
)

__all__ = [
    "ADOPTIONS",
    "ALERTS",
    "BALANCES",
    "EQUITY",
    "IGNORED",
    "LEDGER",
    "MARKS",
    "OF_COSTS",
    "POSITIONS",
    "Q50_HISTORY",
    "RECONCILIATIONS",
    "ROUND",
]

ROUND = ("run_id", "pair_address", "round")  # tells positions apart
OF_COSTS = (
    f"kind IN ({', '.join(repr(kind.value) for kind in COST_KINDS)})"  # of the index; questions must say the same
)

# No key from here to orders: what moved must be bookable even where no order of ours explains it.
LEDGER = Table(
    "pumpswap_ledger",
    METADATA,
    of_run(primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    exact("at_ns"),
    words("asset"),
    exact("units"),
    words("kind"),
    exact("slot"),
    words("order_id", nullable=True),
    words("signature", nullable=True),
    words("note", nullable=True),  # what a foreign movement was
    Index(None, "run_id", "at_ns"),
    Index(None, "run_id", "order_id", "sequence"),
    Index(None, "run_id", "asset", "sequence"),
    # What a day has cost, without reading its rows. No question that names another kind can be led astray by it.
    Index(
        "ix_pumpswap_ledger_costs",
        *("run_id", "kind", "at_ns", "units"),
        sqlite_where=text(OF_COSTS),
        postgresql_where=text(OF_COSTS),
    ),
)

# Sums of the ledger by asset and kind, written with the entries: what is held is never a scan of the whole ledger.
BALANCES = Table(
    "pumpswap_balances",
    METADATA,
    of_run(primary_key=True),
    Column("asset", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("units", WideInteger, nullable=False),
    exact("entries"),
)

POSITIONS = Table(
    "pumpswap_positions",
    METADATA,
    identity(),
    of_run(),
    exact("round"),
    words("name"),
    exact("opened_ns"),
    exact("base_units"),
    exact("cost_lamports"),
    exact("bought_lamports"),
    exact("sold_lamports"),
    exact("realised_lamports"),
    exact("rent_lamports"),
    exact("buys"),
    exact("sells"),
    exact("last_trade_ns"),
    exact("closed_ns", nullable=True),
    # The last mark of exactly these base units; empty from each trade to the next mark.
    exact("marked_ns", nullable=True),
    exact("value_lamports", nullable=True),
    # From here on: what the host's reports expect.
    words("mint_address"),
    words("pool_id", nullable=True),
    words("pair_address"),
    display("token_amount"),
    display("average_buy_price"),
    Column("total_sol_invested", DISPLAY, nullable=False, server_default=text("0")),
    display("current_value_sol"),
    display("unrealized_pnl_sol"),
    display("unrealized_pnl_percentage"),
    moment("first_buy_at"),
    moment("last_trade_at"),
    Column("trade_count", BigInteger, server_default=text("0")),
    Column("is_active", Boolean, server_default=text("true")),
    stamp("created_at"),
    stamp("updated_at"),
    UniqueConstraint(*ROUND),
    Index("idx_pumpswap_positions_active", "is_active"),
    Index("idx_pumpswap_positions_pool_id", "pool_id"),
    # Pages of the closed ones, the last closed first; and what they have realised, without reading their rows.
    Index(None, "run_id", "closed_ns", "realised_lamports"),
    Index(None, "run_id", "last_trade_ns"),
    Index(
        "ix_pumpswap_positions_open",
        "run_id",
        "pair_address",
        unique=True,  # one open round in a pool
        sqlite_where=text("closed_ns IS NULL"),
        postgresql_where=text("closed_ns IS NULL"),
    ),
)

# Tokens that came from outside and were made a position by their owner, at a cost that he names.
ADOPTIONS = Table(
    "pumpswap_adoptions",
    METADATA,
    identity(),
    of_run(),
    exact("at_ns"),
    exact("after_sequence"),  # the ledger entry that it follows
    words("pool"),
    words("mint"),
    words("name"),
    exact("base_units"),
    exact("cost_lamports"),
    Index(None, "run_id", "after_sequence"),
)

# Tokens that are none of our business: their movements are booked, but neither alarm anybody nor stop anything.
IGNORED = Table(
    "pumpswap_ignored",
    METADATA,
    of_run(primary_key=True),
    Column("mint", String, primary_key=True),
    exact("since_ns"),
    words("reason"),
)

# Comparisons of the ledger with the chain: the first of a run, every one that found something, and the latest.
RECONCILIATIONS = Table(
    "pumpswap_reconciliations",
    METADATA,
    identity(),
    of_run(),
    exact("at_ns"),
    exact("slot"),
    words("status"),  # clean, explained, unexplained, repaired
    document("events"),
    document("differences"),  # what stays unexplained, by asset
    CheckConstraint("status IN ('clean', 'explained', 'unexplained', 'repaired')", name="status"),
    Index(None, "run_id", "at_ns"),
)

MARKS = Table(
    "pumpswap_marks",
    METADATA,
    identity(),
    of_run(),
    words("pool"),
    exact("at_ns"),
    exact("state_ns"),
    exact("base_units"),
    exact("value_lamports"),
    words("obstacle"),
    Index(None, "run_id", "pool", "at_ns"),
)


EQUITY = Table(
    "pumpswap_equity",
    METADATA,
    identity(),
    of_run(),
    exact("at_ns"),
    exact("cash_lamports"),
    exact("marks_lamports"),
    exact("rent_lamports"),
    # What the owner had put in by then, less what he had taken out; empty in rows of before this column.
    exact("put_in_lamports", nullable=True),
    Index(None, "run_id", "at_ns"),
)

ALERTS = Table(
    "pumpswap_alerts",
    METADATA,
    identity(),
    Column("run_id", ID, ForeignKey("pumpswap_runs.run_id")),
    exact("at_ns"),
    words("level"),
    words("topic"),
    words("subject"),
    words("text"),
    exact("acknowledged_ns", nullable=True),
    words("acknowledged_by", nullable=True),
    CheckConstraint("level IN ('info', 'warning', 'error', 'critical')", name="level"),
    Index(None, "at_ns"),
    # What nobody has seen yet: every page counts it by level, and lists the newest of it. SQLite answers from an index
    # alone only where each column that is asked about is in it.
    Index(
        "ix_pumpswap_alerts_unseen_level",
        *("level", "run_id", "acknowledged_ns"),
        sqlite_where=text("acknowledged_ns IS NULL"),
        postgresql_where=text("acknowledged_ns IS NULL"),
    ),
    Index(
        "ix_pumpswap_alerts_unseen_id",
        "id",
        sqlite_where=text("acknowledged_ns IS NULL"),
        postgresql_where=text("acknowledged_ns IS NULL"),
    ),
)

# The plan's own name and columns, for the strategy's record of Q50 signals.
Q50_HISTORY = Table(
    "q50_trading_history",
    METADATA,
    identity(),
    Column("run_id", ID, ForeignKey("pumpswap_runs.run_id")),
    words("pool_id", nullable=True),
    exact("timestamp"),  # Unix seconds
    display("q50_signal"),
    words("regime_classification", nullable=True),
    display("position_size"),
    words("nautilus_order_id", nullable=True),
    words("execution_status", nullable=True),
    exact("feature_vector_id", nullable=True),
    stamp("created_at"),
    Index("idx_q50_trading_history_pool_id", "pool_id"),
    Index("idx_q50_trading_history_feature_vector_id", "feature_vector_id"),
    Index("idx_q50_trading_history_timestamp", "timestamp"),
)
