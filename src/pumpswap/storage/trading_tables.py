"""The tables of the running engine: what it remembers over a restart, what is asked of it, what waits for a person."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, String, Table

from pumpswap.storage.columns import METADATA, document, exact, identity, of_run, words

__all__ = ["COMMANDS", "PROPOSALS", "STATES"]

# One row for each thing that is remembered, replaced when it changes: the locks of risk, the exits of each open round,
# the heartbeat.
STATES = Table(
    "pumpswap_states",
    METADATA,
    of_run(primary_key=True),
    Column("name", String, primary_key=True),
    document("document"),
    exact("updated_ns"),
)

COMMANDS = Table(
    "pumpswap_commands",
    METADATA,
    identity(),
    of_run(),
    exact("at_ns"),
    words("verb"),
    words("origin"),
    document("arguments"),
    words("status"),  # waiting, done, failed
    words("answer"),
    exact("done_ns", nullable=True),
    CheckConstraint("status IN ('waiting', 'done', 'failed')", name="status"),
    Index(None, "run_id", "status"),
)

PROPOSALS = Table(
    "pumpswap_proposals",
    METADATA,
    of_run(primary_key=True),
    Column("decision_id", String, primary_key=True),
    words("pool"),
    words("mint"),
    words("name"),
    exact("quote_lamports"),
    exact("at_ns"),
    exact("expires_ns"),
    words("status"),
    words("origin"),
    exact("decided_ns", nullable=True),
    Column("acted", Boolean, nullable=False),  # whether the engine has seen the answer
    words("follow_up"),  # the decision that its approval led to
    ForeignKeyConstraint(["run_id", "decision_id"], ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"]),
    CheckConstraint(
        "status IN ('waiting', 'approved', 'declined', 'expired', 'ordered', 'refused')",
        name="status",
    ),
    Index(None, "run_id", "status"),
)
