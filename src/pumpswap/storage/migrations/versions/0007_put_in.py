"""Beside each measurement of equity: what its owner had put in by then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pumpswap_equity", sa.Column("put_in_lamports", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("pumpswap_equity", "put_in_lamports")
