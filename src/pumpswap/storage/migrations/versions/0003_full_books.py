"""The books in full: balances, equity, adoptions, reconciliations, alerts; notes and indexes of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DISPLAY = sa.Numeric(38, 18, asdecimal=False)
WIDE = sa.String().with_variant(sa.Numeric(78, 0), "postgresql")
NOW = sa.text("CURRENT_TIMESTAMP")
OPEN = sa.text("closed_ns IS NULL")
TABLES = (
    "q50_trading_history",
    "pumpswap_alerts",
    "pumpswap_equity",
    "pumpswap_reconciliations",
    "pumpswap_ignored",
    "pumpswap_adoptions",
    "pumpswap_balances",
)
LISTED = (
    "id",
    "decision_id",
    "pool",
    "side",
    "accepted",
    "reason",
    "quote_lamports",
    "base_units",
    "signal_score",
    "signal_strength",
)
INDEXES = (
    ("ix_pumpswap_ledger_run_id_at_ns", "pumpswap_ledger", ("run_id", "at_ns")),
    ("ix_pumpswap_ledger_run_id_order_id_sequence", "pumpswap_ledger", ("run_id", "order_id", "sequence")),
    ("ix_pumpswap_ledger_run_id_asset_sequence", "pumpswap_ledger", ("run_id", "asset", "sequence")),
    ("ix_pumpswap_trades_run_id_at_ns", "pumpswap_trades", ("run_id", "at_ns")),
    ("ix_pumpswap_orders_run_id_created_ns", "pumpswap_orders", ("run_id", "created_ns")),
    ("ix_pumpswap_orders_run_id_decision_id", "pumpswap_orders", ("run_id", "decision_id")),
    ("idx_pumpswap_positions_pool_id", "pumpswap_positions", ("pool_id",)),
)


def upgrade() -> None:
    op.add_column("pumpswap_ledger", sa.Column("note", sa.String(), nullable=True))
    for name, table, columns in INDEXES:
        op.create_index(name, table, list(columns), unique=False)
    op.create_index(
        "ix_pumpswap_positions_open",
        "pumpswap_positions",
        ["run_id", "pair_address"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    _widen_decisions(LISTED)
    _create_balances()
    _create_holdings()
    _create_reconciliations()
    _create_history()
    _fill_balances()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    _widen_decisions(())
    op.drop_index("ix_pumpswap_positions_open", "pumpswap_positions")
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_column("pumpswap_ledger", "note")


def _widen_decisions(columns: tuple[str, ...]) -> None:
    """The index by token answers lists of decisions by itself. SQLite has no such indexes."""
    if op.get_bind().dialect.name != "postgresql":
        return
    name = "ix_pumpswap_decisions_run_id_mint_at_ns"
    op.drop_index(name, "pumpswap_decisions")
    key = ["run_id", "mint", "at_ns"]
    op.create_index(name, "pumpswap_decisions", key, unique=False, postgresql_include=list(columns))


def _create_balances() -> None:
    op.create_table(
        "pumpswap_balances",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("units", WIDE, nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "asset", "kind", name="pk_pumpswap_balances"),
        _of_run("pumpswap_balances"),
    )


def _create_holdings() -> None:
    op.create_table(
        "pumpswap_adoptions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("after_sequence", sa.BigInteger(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("cost_lamports", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_adoptions"),
        _of_run("pumpswap_adoptions"),
    )
    op.create_index(
        "ix_pumpswap_adoptions_run_id_after_sequence", "pumpswap_adoptions", ["run_id", "after_sequence"], unique=False
    )
    op.create_table(
        "pumpswap_ignored",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "mint", name="pk_pumpswap_ignored"),
        _of_run("pumpswap_ignored"),
    )


def _create_reconciliations() -> None:
    op.create_table(
        "pumpswap_reconciliations",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_reconciliations"),
        _of_run("pumpswap_reconciliations"),
        sa.CheckConstraint(
            "status IN ('clean', 'explained', 'unexplained', 'repaired')",
            name=op.f("ck_pumpswap_reconciliations_status"),
        ),
    )
    op.create_index(
        "ix_pumpswap_reconciliations_run_id_at_ns", "pumpswap_reconciliations", ["run_id", "at_ns"], unique=False
    )


def _create_history() -> None:
    op.create_table(
        "pumpswap_equity",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("cash_lamports", sa.BigInteger(), nullable=False),
        sa.Column("marks_lamports", sa.BigInteger(), nullable=False),
        sa.Column("rent_lamports", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_equity"),
        _of_run("pumpswap_equity"),
    )
    op.create_index("ix_pumpswap_equity_run_id_at_ns", "pumpswap_equity", ["run_id", "at_ns"], unique=False)
    op.create_table(
        "pumpswap_alerts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("acknowledged_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_alerts"),
        _of_run("pumpswap_alerts"),
        sa.CheckConstraint("level IN ('info', 'warning', 'error', 'critical')", name=op.f("ck_pumpswap_alerts_level")),
    )
    op.create_index("ix_pumpswap_alerts_at_ns", "pumpswap_alerts", ["at_ns"], unique=False)
    op.create_table(
        "q50_trading_history",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("pool_id", sa.String(), nullable=True),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("q50_signal", DISPLAY, nullable=True),
        sa.Column("regime_classification", sa.String(), nullable=True),
        sa.Column("position_size", DISPLAY, nullable=True),
        sa.Column("nautilus_order_id", sa.String(), nullable=True),
        sa.Column("execution_status", sa.String(), nullable=True),
        sa.Column("feature_vector_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=NOW, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_q50_trading_history"),
        _of_run("q50_trading_history"),
    )
    for column in ("pool_id", "feature_vector_id", "timestamp"):
        op.create_index(f"idx_q50_trading_history_{column}", "q50_trading_history", [column], unique=False)


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name=f"fk_{table}_run_id")


def _fill_balances() -> None:
    """Sums of what is in the ledger already. In halves: SQLite's sums stop at 64 bits."""
    ledger = sa.table("pumpswap_ledger", *(sa.column(name) for name in ("run_id", "asset", "kind", "units")))
    units = sa.cast(ledger.c.units, sa.BigInteger)
    high = sa.func.sum(units.bitwise_rshift(sa.literal_column("32", sa.Integer)))
    low = sa.func.sum(units.bitwise_and(sa.literal_column("4294967295", sa.Integer)))
    key = (ledger.c.run_id, ledger.c.asset, ledger.c.kind)
    sums = op.get_bind().execute(sa.select(*key, high, low, sa.func.count()).group_by(*key)).all()
    balances = sa.table(
        "pumpswap_balances",
        sa.column("run_id"),
        sa.column("asset"),
        sa.column("kind"),
        sa.column("units", WIDE),
        sa.column("entries"),
    )
    if sums:
        is_text = op.get_bind().dialect.name == "sqlite"
        rows = [
            {"run_id": run_id, "asset": asset, "kind": kind, "units": total, "entries": count}
            for run_id, asset, kind, above, below, count in sums
            for total in [(int(above) << 32) + int(below)]
        ]
        for row in rows:
            row["units"] = str(row["units"]) if is_text else row["units"]
        op.get_bind().execute(balances.insert(), rows)
