"""Indexes for whoever looks on: costs of a day, sums of closed rounds, pools by their last trade, unseen alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_CLOSED = "ix_pumpswap_positions_run_id_closed_ns"
_INDEXES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (f"{_CLOSED}_realised_lamports", "pumpswap_positions", ("run_id", "closed_ns", "realised_lamports")),
    ("ix_pumpswap_positions_run_id_last_trade_ns", "pumpswap_positions", ("run_id", "last_trade_ns")),
    ("ix_pumpswap_trades_run_id_pair_address_at_ns", "pumpswap_trades", ("run_id", "pair_address", "at_ns")),
    ("ix_pumpswap_spells_run_id_ended_ns", "pumpswap_spells", ("run_id", "ended_ns")),
)
_UNSEEN = sa.text("acknowledged_ns IS NULL")
_SALES = sa.text("side = 'sell'")
_COSTS = sa.text("kind IN ('lp_fee', 'protocol_fee', 'creator_fee', 'cashback', 'network_fee', 'priority_fee', 'tip')")
_PARTIAL: tuple[tuple[str, str, tuple[str, ...], sa.TextClause], ...] = (
    ("ix_pumpswap_alerts_unseen_level", "pumpswap_alerts", ("level", "run_id", "acknowledged_ns"), _UNSEEN),
    ("ix_pumpswap_alerts_unseen_id", "pumpswap_alerts", ("id",), _UNSEEN),
    ("ix_pumpswap_ledger_costs", "pumpswap_ledger", ("run_id", "kind", "at_ns", "units"), _COSTS),
    ("ix_pumpswap_decisions_sales", "pumpswap_decisions", ("run_id", "accepted", "at_ns"), _SALES),
)


def upgrade() -> None:
    op.drop_index(_CLOSED, "pumpswap_positions")
    for name, table, columns in _INDEXES:
        op.create_index(name, table, list(columns), unique=False)
    for name, table, columns, where in _PARTIAL:
        op.create_index(name, table, list(columns), unique=False, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in _PARTIAL:
        op.drop_index(name, table)
    for name, table, _ in _INDEXES:
        op.drop_index(name, table)
    op.create_index(_CLOSED, "pumpswap_positions", ["run_id", "closed_ns"])
