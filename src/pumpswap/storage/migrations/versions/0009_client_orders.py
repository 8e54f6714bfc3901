"""Orders may carry the name that another system gave them: each name once in a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAMED = sa.text("client_order_id IS NOT NULL")
_INDEX = "ix_pumpswap_orders_client_order_id"


def upgrade() -> None:
    op.add_column("pumpswap_orders", sa.Column("client_order_id", sa.String(), nullable=True))
    op.create_index(
        _INDEX,
        "pumpswap_orders",
        ["run_id", "client_order_id"],
        unique=True,
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "pumpswap_orders")
    op.drop_column("pumpswap_orders", "client_order_id")
