"""The running engine: what it remembers over a restart, commands, proposals; what else a decision tells."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DECISIONS = "pumpswap_decisions"
OF_DECISIONS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("q50_value", sa.Double()),
    ("vol_regime", sa.String()),
    ("exit_kind", sa.String()),
    ("slippage_bps", sa.BigInteger()),
    ("strategy", sa.String()),
    ("repeats", sa.BigInteger()),
    ("repeated_ns", sa.BigInteger()),
)


def upgrade() -> None:
    for name, kind in OF_DECISIONS:
        op.add_column(DECISIONS, sa.Column(name, kind, nullable=True))
    op.create_index("ix_pumpswap_decisions_run_id_pool_at_ns", DECISIONS, ["run_id", "pool", "at_ns"])
    _create_states()
    _create_commands()
    _create_proposals()
    if op.get_bind().dialect.name == "sqlite":
        _correct_signals_of_trades()


def downgrade() -> None:
    op.drop_table("pumpswap_proposals")
    op.drop_table("pumpswap_commands")
    op.drop_table("pumpswap_states")
    op.drop_index("ix_pumpswap_decisions_run_id_pool_at_ns", DECISIONS)
    for name, _ in reversed(OF_DECISIONS):
        op.drop_column(DECISIONS, name)


def _create_states() -> None:
    op.create_table(
        "pumpswap_states",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_pumpswap_states"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_states_run_id"),
    )


def _create_commands() -> None:
    op.create_table(
        "pumpswap_commands",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_pumpswap_commands"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_commands_run_id"),
        sa.CheckConstraint("status IN ('waiting', 'done', 'failed')", name=op.f("ck_pumpswap_commands_status")),
    )
    op.create_index("ix_pumpswap_commands_run_id_status", "pumpswap_commands", ["run_id", "status"])


def _create_proposals() -> None:
    op.create_table(
        "pumpswap_proposals",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("mint", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("quote_lamports", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=True),
        sa.Column("acted", sa.Boolean(), nullable=False),
        sa.Column("follow_up", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "decision_id", name="pk_pumpswap_proposals"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_proposals_run_id"),
        sa.ForeignKeyConstraint(
            ["run_id", "decision_id"],
            ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"],
            name="fk_pumpswap_proposals_run_id_decision_id",
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'approved', 'declined', 'expired', 'ordered', 'refused')",
            name=op.f("ck_pumpswap_proposals_status"),
        ),
    )
    op.create_index("ix_pumpswap_proposals_run_id_status", "pumpswap_proposals", ["run_id", "status"])


def _correct_signals_of_trades() -> None:
    """Versions before this one gave every trade on SQLite the score and strength of the first decision of the books."""
    for name in ("signal_score", "signal_strength"):
        op.execute(
            f"UPDATE pumpswap_trades SET {name} = (SELECT CASE WHEN abs(d.{name}) < 1e20 THEN d.{name} END "
            "FROM pumpswap_orders o JOIN pumpswap_decisions d ON d.run_id = o.run_id AND d.decision_id = o.decision_id "
            "WHERE o.run_id = pumpswap_trades.run_id AND o.order_id = pumpswap_trades.order_id)"
        )
