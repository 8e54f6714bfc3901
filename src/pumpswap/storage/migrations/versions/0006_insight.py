"""Whoever looks on: messages about alerts, mutes, when the engine could act, what refused buys would have earned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ACCEPTED = "ix_pumpswap_decisions_run_id_accepted_at_ns"
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("pumpswap_alerts", sa.Column("acknowledged_by", sa.String(), nullable=True))
    op.create_index("ix_pumpswap_positions_run_id_closed_ns", "pumpswap_positions", ["run_id", "closed_ns"])
    op.create_index(_ACCEPTED, "pumpswap_decisions", ["run_id", "accepted", "at_ns"])
    _create_deliveries()
    op.create_table(
        "pumpswap_mutes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("until_ns", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_mutes"),
    )
    op.create_index("ix_pumpswap_mutes_until_ns", "pumpswap_mutes", ["until_ns"])
    op.create_table(
        "pumpswap_memory",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pumpswap_memory"),
    )
    _create_spells()
    _create_what_ifs()
    _create_pool_points()


def downgrade() -> None:
    for table in ("pool_points", "what_ifs", "spells", "memory", "mutes", "deliveries"):
        op.drop_table(f"pumpswap_{table}")
    op.drop_index(_ACCEPTED, "pumpswap_decisions")
    op.drop_index("ix_pumpswap_positions_run_id_closed_ns", "pumpswap_positions")
    op.drop_column("pumpswap_alerts", "acknowledged_by")


def _create_deliveries() -> None:
    op.create_table(
        "pumpswap_deliveries",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("alerts", sa.BigInteger(), nullable=False),
        sa.Column("first_alert", sa.BigInteger(), nullable=False),
        sa.Column("last_alert", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("sent_ns", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_deliveries"),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed')", name=op.f("ck_pumpswap_deliveries_status")),
        sa.CheckConstraint(
            "level IN ('info', 'warning', 'error', 'critical')", name=op.f("ck_pumpswap_deliveries_level")
        ),
    )
    op.create_index("ix_pumpswap_deliveries_status_due_ns", "pumpswap_deliveries", ["status", "due_ns"])


def _create_spells() -> None:
    op.create_table(
        "pumpswap_spells",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("began_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=False),
        sa.Column("is_able", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_spells"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_spells_run_id"),
    )
    op.create_index("ix_pumpswap_spells_run_id_began_ns", "pumpswap_spells", ["run_id", "began_ns"])


def _create_what_ifs() -> None:
    op.create_table(
        "pumpswap_what_ifs",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("horizon_seconds", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("spent_lamports", sa.BigInteger(), nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("measured_ns", sa.BigInteger(), nullable=True),
        sa.Column("value_lamports", sa.BigInteger(), nullable=True),
        sa.Column("obstacle", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "decision_id", "horizon_seconds", name="pk_pumpswap_what_ifs"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_what_ifs_run_id"),
        sa.ForeignKeyConstraint(
            ["run_id", "decision_id"],
            ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"],
            name="fk_pumpswap_what_ifs_run_id_decision_id",
        ),
    )
    op.create_index("ix_pumpswap_what_ifs_run_id_at_ns", "pumpswap_what_ifs", ["run_id", "at_ns"])


def _create_pool_points() -> None:
    op.create_table(
        "pumpswap_pool_points",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("base_units", sa.BigInteger(), nullable=False),
        sa.Column("effective_quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("real_quote_lamports", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "pool", "at_ns", name="pk_pumpswap_pool_points"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_pool_points_run_id"),
    )
