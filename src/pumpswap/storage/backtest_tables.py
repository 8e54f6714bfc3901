"""The tables of back-tests: what decided a run, what came out, and the trials of searches."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, ForeignKey, Index, LargeBinary, Table

from pumpswap.storage.columns import ID, METADATA, document, exact, of_run, words

__all__ = ["BACKTESTS", "SWEEPS", "TRIALS"]

BACKTESTS = Table(
    "pumpswap_backtests",
    METADATA,
    of_run(primary_key=True),
    words("key"),
    words("name"),
    words("strategy"),
    words("impact"),
    words("data_sha256"),
    words("version"),
    words("engine_sha256"),
    exact("twin_run_id", nullable=True),
    document("spec"),
    words("ledger_sha256"),
    words("result_sha256"),
    document("result"),
    CheckConstraint("impact IN ('counterfactual', 'naive')", name="impact"),
    Index(None, "key"),
    Index(None, "data_sha256"),
)

SWEEPS = Table(
    "pumpswap_sweeps",
    METADATA,
    Column("sweep_id", ID, primary_key=True, autoincrement=True),
    words("key"),
    words("name"),
    words("method"),
    words("data_sha256"),
    words("version"),
    words("engine_sha256"),
    exact("trials"),
    words("seed"),
    exact("started_ns"),
    exact("finished_ns", nullable=True),
    document("spec"),
    document("summary", nullable=True),
    Index(None, "key"),
)

TRIALS = Table(
    "pumpswap_trials",
    METADATA,
    Column("sweep_id", ID, ForeignKey("pumpswap_sweeps.sweep_id"), primary_key=True, nullable=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    words("role"),
    document("params"),
    exact("net_lamports"),
    exact("fills"),
    exact("rounds"),
    exact("max_drawdown_lamports"),
    Column("sharpe", Double),
    words("path"),
    Column("result", LargeBinary, nullable=False),
    CheckConstraint("path IN ('kernel', 'engine')", name="path"),
    Index(None, "sweep_id", "net_lamports"),
)
