"""Where the collector goes on after a pause or a crash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DUE = ("snapshot_due_ns", "candles_due_ns", "trades_due_ns")


def upgrade() -> None:
    op.create_table(
        "pumpswap_collect_cycles",
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("next_page", sa.BigInteger(), nullable=False),
        sa.Column("finished_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("network", name="pk_pumpswap_collect_cycles"),
    )
    op.create_table(
        "pumpswap_collect_pools",
        sa.Column("pool_id", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("first_seen_ns", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_ns", sa.BigInteger(), nullable=True),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in DUE),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pool_id", name="pk_pumpswap_collect_pools"),
    )
    for name in DUE:
        op.create_index(f"ix_pumpswap_collect_pools_network_{name}", "pumpswap_collect_pools", ["network", name])


def downgrade() -> None:
    op.drop_table("pumpswap_collect_pools")
    op.drop_table("pumpswap_collect_cycles")
