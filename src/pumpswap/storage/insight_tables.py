"""The tables of whoever looks on: messages on their way, what is muted, when the engine could act, what was missed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, String, Table

from pumpswap.storage.columns import METADATA, document, exact, identity, of_run, words

__all__ = ["DELIVERIES", "MEMORY", "MUTES", "POOL_POINTS", "SPELLS", "WHAT_IFS"]

DELIVERIES = Table(
    "pumpswap_deliveries",
    METADATA,
    identity(),
    words("channel"),
    words("level"),
    words("title"),
    words("body"),
    exact("created_ns"),
    exact("due_ns"),
    exact("alerts"),
    exact("first_alert"),
    exact("last_alert"),
    words("status"),
    exact("tries"),
    exact("sent_ns", nullable=True),
    words("error"),
    CheckConstraint("status IN ('waiting', 'sent', 'failed')", name="status"),
    CheckConstraint("level IN ('info', 'warning', 'error', 'critical')", name="level"),
    Index(None, "status", "due_ns"),
)

MUTES = Table(
    "pumpswap_mutes",
    METADATA,
    identity(),
    words("topic"),
    words("subject"),
    exact("until_ns"),
    exact("at_ns"),
    words("origin"),
    Index(None, "until_ns"),
)

# One row for each thing that is remembered of no run: how far alerts were told, which reports were written.
MEMORY = Table(
    "pumpswap_memory",
    METADATA,
    Column("name", String, primary_key=True),
    document("document"),
    exact("updated_ns"),
)

SPELLS = Table(
    "pumpswap_spells",
    METADATA,
    identity(),
    of_run(),
    exact("started_ns"),
    exact("began_ns"),
    exact("ended_ns"),
    Column("is_able", Boolean, nullable=False),
    words("reason"),
    Index(None, "run_id", "began_ns"),
    Index(None, "run_id", "ended_ns"),
)

WHAT_IFS = Table(
    "pumpswap_what_ifs",
    METADATA,
    of_run(primary_key=True),
    Column("decision_id", String, primary_key=True),
    Column("horizon_seconds", BigInteger, primary_key=True, autoincrement=False),
    words("pool"),
    words("mint"),
    words("rule"),
    exact("at_ns"),
    exact("due_ns"),
    exact("spent_lamports"),
    exact("base_units"),
    exact("measured_ns", nullable=True),
    exact("value_lamports", nullable=True),
    words("obstacle"),
    ForeignKeyConstraint(["run_id", "decision_id"], ["pumpswap_decisions.run_id", "pumpswap_decisions.decision_id"]),
    Index(None, "run_id", "at_ns"),
)

# What the engine saw of the pools that it thought about: at most one row a minute for each.
POOL_POINTS = Table(
    "pumpswap_pool_points",
    METADATA,
    of_run(primary_key=True),
    Column("pool", String, primary_key=True),
    Column("at_ns", BigInteger, primary_key=True, autoincrement=False),
    exact("base_units"),
    exact("effective_quote_lamports"),
    exact("real_quote_lamports"),
)
