"""Back-tests, and the trials of searches for good settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_backtests()
    _create_sweeps()
    _create_trials()


def downgrade() -> None:
    for table in ("trials", "sweeps", "backtests"):
        op.drop_table(f"pumpswap_{table}")


def _create_backtests() -> None:
    op.create_table(
        "pumpswap_backtests",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("impact", sa.String(), nullable=False),
        sa.Column("data_sha256", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("engine_sha256", sa.String(), nullable=False),
        sa.Column("twin_run_id", sa.BigInteger(), nullable=True),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("ledger_sha256", sa.String(), nullable=False),
        sa.Column("result_sha256", sa.String(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_pumpswap_backtests"),
        sa.ForeignKeyConstraint(["run_id"], ["pumpswap_runs.run_id"], name="fk_pumpswap_backtests_run_id"),
        sa.CheckConstraint("impact IN ('counterfactual', 'naive')", name=op.f("ck_pumpswap_backtests_impact")),
    )
    op.create_index("ix_pumpswap_backtests_key", "pumpswap_backtests", ["key"])
    op.create_index("ix_pumpswap_backtests_data_sha256", "pumpswap_backtests", ["data_sha256"])


def _create_sweeps() -> None:
    op.create_table(
        "pumpswap_sweeps",
        sa.Column("sweep_id", ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("data_sha256", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("engine_sha256", sa.String(), nullable=False),
        sa.Column("trials", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("finished_ns", sa.BigInteger(), nullable=True),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sweep_id", name="pk_pumpswap_sweeps"),
    )
    op.create_index("ix_pumpswap_sweeps_key", "pumpswap_sweeps", ["key"])


def _create_trials() -> None:
    op.create_table(
        "pumpswap_trials",
        sa.Column("sweep_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("net_lamports", sa.BigInteger(), nullable=False),
        sa.Column("fills", sa.BigInteger(), nullable=False),
        sa.Column("rounds", sa.BigInteger(), nullable=False),
        sa.Column("max_drawdown_lamports", sa.BigInteger(), nullable=False),
        sa.Column("sharpe", sa.Double(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_pumpswap_trials"),
        sa.ForeignKeyConstraint(["sweep_id"], ["pumpswap_sweeps.sweep_id"], name="fk_pumpswap_trials_sweep_id"),
        sa.CheckConstraint("path IN ('kernel', 'engine')", name=op.f("ck_pumpswap_trials_path")),
    )
    op.create_index("ix_pumpswap_trials_sweep_id_net_lamports", "pumpswap_trials", ["sweep_id", "net_lamports"])
