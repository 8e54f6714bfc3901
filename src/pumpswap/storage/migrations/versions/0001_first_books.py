"""The first books: runs, decisions, orders, trades, ledger, positions, marks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DISPLAY = sa.Numeric(38, 18)
NOW = sa.text("CURRENT_TIMESTAMP")


def upgrade() -> None:
    _create_runs()
    _create_decisions()
    _create_orders()
    _create_trades()
    _create_ledger()
    _create_positions()
    _create_marks()


def downgrade() -> None:
    for table in ("marks", "positions", "ledger", "trades", "orders", "decisions", "runs"):
        op.drop_table(f"pumpswap_{table}")


def _create_runs() -> None:
    op.create_table(
        "pumpswap_runs",
        sa.Column("run_id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("finished_ns", sa.BigInteger(), nullable=True),
        sa.Column("seed", sa.String(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_pumpswap_runs"),
    )


def _create_decisions() -> None:
    op.create_table(
        "pumpswap_decisions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("intent_base_units", sa.BigInteger(), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("signal_score", sa.Double(), nullable=True),
        sa.Column("signal_strength", sa.Double(), nullable=True),
        sa.Column("signal", sa.Text(), nullable=True),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.Column("sizing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_decisions"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_decisions_run_id"),
        sa.UniqueConstraint("run_id", "decision_id", name="uq_pumpswap_decisions_run_id_decision_id"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_pumpswap_decisions_side")),
    )
    op.create_index(
        "ix_pumpswap_decisions_run_id_mint_at_ns", "pumpswap_decisions", ["run_id", "mint", "at_ns"], unique=False
    )


def _create_orders() -> None:
    op.create_table(
        "pumpswap_orders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("limit_units", sa.BigInteger(), nullable=False),
        sa.Column("quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("slippage_bps", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome_ns", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_orders"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_orders_run_id"),
        sa.UniqueConstraint("run_id", "order_id", name="uq_pumpswap_orders_run_id_order_id"),
        sa.ForeignKeyConstraint(
            ["run_id", "decision_id"],
            ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"],
            name="fk_pumpswap_orders_run_id_decision_id",
        ),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_pumpswap_orders_side")),
    )
    op.create_index("ix_pumpswap_orders_run_id_status", "pumpswap_orders", ["run_id", "status"], unique=False)


def _create_trades() -> None:
    op.create_table(
        "pumpswap_trades",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("gross_quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("lp_fee_lamports", sa.BigInteger(), nullable=False),
        sa.Column("protocol_fee_lamports", sa.BigInteger(), nullable=False),
        sa.Column("creator_fee_lamports", sa.BigInteger(), nullable=False),
        sa.Column("cashback_lamports", sa.BigInteger(), nullable=False),
        sa.Column("network_fee_lamports", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee_lamports", sa.BigInteger(), nullable=False),
        sa.Column("tip_lamports", sa.BigInteger(), nullable=False),
        sa.Column("rent_paid_lamports", sa.BigInteger(), nullable=False),
        sa.Column("rent_returned_lamports", sa.BigInteger(), nullable=False),
        sa.Column("executed", sa.Text(), nullable=False),
        sa.Column("pool_id", sa.String(), nullable=True),
        sa.Column("mint_address", sa.String(), nullable=False),
        sa.Column("pair_address", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("sol_amount", DISPLAY, nullable=True),
        sa.Column("token_amount", DISPLAY, nullable=True),
        sa.Column("price_per_token", DISPLAY, nullable=True),
        sa.Column("signal_score", DISPLAY, nullable=True),
        sa.Column("q50_value", DISPLAY, nullable=True),
        sa.Column("vol_regime", sa.String(), nullable=True),
        sa.Column("signal_strength", DISPLAY, nullable=True),
        sa.Column("transaction_hash", sa.String(), nullable=True),
        sa.Column("block_timestamp", sa.BigInteger(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("execution_status", sa.String(), nullable=True),
        sa.Column("pnl_sol", DISPLAY, nullable=True),
        sa.Column("pnl_percentage", DISPLAY, nullable=True),
        sa.Column("holding_period_hours", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=NOW, nullable=True),
        sa.Column("updated_at", sa.DateTime(), server_default=NOW, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_trades"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_trades_run_id"),
        sa.UniqueConstraint("run_id", "order_id", name="uq_pumpswap_trades_run_id_order_id"),
        sa.ForeignKeyConstraint(
            ["run_id", "order_id"],
            ["pumpswap_orders.run_id", "pumpswap_orders.order_id"],
            name="fk_pumpswap_trades_run_id_order_id",
        ),
        sa.CheckConstraint("action IN ('buy', 'sell')", name=op.f("ck_pumpswap_trades_action")),
    )
    op.create_index("idx_pumpswap_trades_pool_id", "pumpswap_trades", ["pool_id"], unique=False)
    op.create_index("idx_pumpswap_trades_timestamp", "pumpswap_trades", ["block_timestamp"], unique=False)


def _create_ledger() -> None:
    op.create_table(
        "pumpswap_ledger",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("asset", sa.String(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "sequence", name="pk_pumpswap_ledger"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_ledger_run_id"),
    )


def _create_positions() -> None:
    op.create_table(
        "pumpswap_positions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("cost_lamports", sa.BigInteger(), nullable=False),
        sa.Column("bought_lamports", sa.BigInteger(), nullable=False),
        sa.Column("sold_lamports", sa.BigInteger(), nullable=False),
        sa.Column("realised_lamports", sa.BigInteger(), nullable=False),
        sa.Column("rent_lamports", sa.BigInteger(), nullable=False),
        sa.Column("buys", sa.BigInteger(), nullable=False),
        sa.Column("sells", sa.BigInteger(), nullable=False),
        sa.Column("last_trade_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_ns", sa.BigInteger(), nullable=True),
        sa.Column("marked_ns", sa.BigInteger(), nullable=True),
        sa.Column("value_lamports", sa.BigInteger(), nullable=True),
        sa.Column("mint_address", sa.String(), nullable=False),
        sa.Column("pool_id", sa.String(), nullable=True),
        sa.Column("pair_address", sa.String(), nullable=False),
        sa.Column("token_amount", DISPLAY, nullable=True),
        sa.Column("average_buy_price", DISPLAY, nullable=True),
        sa.Column("total_sol_invested", DISPLAY, server_default=sa.text("0"), nullable=False),
        sa.Column("current_value_sol", DISPLAY, nullable=True),
        sa.Column("unrealized_pnl_sol", DISPLAY, nullable=True),
        sa.Column("unrealized_pnl_percentage", DISPLAY, nullable=True),
        sa.Column("first_buy_at", sa.DateTime(), nullable=True),
        sa.Column("last_trade_at", sa.DateTime(), nullable=True),
        sa.Column("trade_count", sa.BigInteger(), server_default=sa.text("0"), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=NOW, nullable=True),
        sa.Column("updated_at", sa.DateTime(), server_default=NOW, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_positions"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_positions_run_id"),
        sa.UniqueConstraint("run_id", "pair_address", "round", name="uq_pumpswap_positions_run_id_pair_address_round"),
    )
    op.create_index("idx_pumpswap_positions_active", "pumpswap_positions", ["is_active"], unique=False)


def _create_marks() -> None:
    op.create_table(
        "pumpswap_marks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("state_ns", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("value_lamports", sa.BigInteger(), nullable=False),
        sa.Column("obstacle", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_marks"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_marks_run_id"),
    )
    op.create_index("ix_pumpswap_marks_run_id_pool_at_ns", "pumpswap_marks", ["run_id", "pool", "at_ns"], unique=False)
