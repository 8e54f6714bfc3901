"""Live orders: signed transactions, chores of the wallet; the wallet and the network of a run; budgets by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IS_OPEN = sa.text("state IN ('signed', 'sent')")


def upgrade() -> None:
    op.add_column("pumpswap_runs", sa.Column("wallet", sa.String(), nullable=True))
    op.add_column("pumpswap_runs", sa.Column("network", sa.String(), nullable=True))
    op.add_column("pumpswap_decisions", sa.Column("intent_quote_lamports", sa.BigInteger(), nullable=True))
    _create_attempts()
    _create_chores()


def downgrade() -> None:
    op.drop_table("pumpswap_chores")
    op.drop_table("pumpswap_attempts")
    op.drop_column("pumpswap_decisions", "intent_quote_lamports")
    op.drop_column("pumpswap_runs", "network")
    op.drop_column("pumpswap_runs", "wallet")


def _create_attempts() -> None:
    op.create_table(
        "pumpswap_attempts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("blockhash", sa.String(), nullable=False),
        sa.Column("last_valid_block_height", sa.BigInteger(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_slot", sa.BigInteger(), nullable=False),
        sa.Column("compute_unit_limit", sa.BigInteger(), nullable=False),
        sa.Column("compute_unit_price_micro_lamports", sa.BigInteger(), nullable=False),
        sa.Column("tip_lamports", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("resolved_ns", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_attempts"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_attempts_run_id"),
        sa.UniqueConstraint("signature", name="uq_pumpswap_attempts_signature"),
        sa.UniqueConstraint("run_id", "order_id", "number", name="uq_pumpswap_attempts_run_id_order_id_number"),
        sa.CheckConstraint("state IN ('signed', 'sent', 'landed', 'expired')", name=op.f("ck_pumpswap_attempts_state")),
    )
    op.create_index(
        "uq_pumpswap_attempts_open",
        "pumpswap_attempts",
        ["run_id", "order_id"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )


def _create_chores() -> None:
    op.create_table(
        "pumpswap_chores",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("lamports", sa.BigInteger(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome_ns", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_chores"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_chores_run_id"),
        sa.UniqueConstraint("run_id", "order_id", name="uq_pumpswap_chores_run_id_order_id"),
        sa.CheckConstraint("kind IN ('wrap', 'unwrap', 'close_empty')", name=op.f("ck_pumpswap_chores_kind")),
    )
