"""The columns that the host's reports expect, beside the exact ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.model import Intent, TradeSide
from pumpswap.storage import Run, open_database
from tests.storage import samples, stranger

LAST_DIGIT = 1e-18  # of NUMERIC(38, 18)

PLAN_TRADES = {
    *("id", "pool_id", "mint_address", "pair_address", "action", "sol_amount", "token_amount", "price_per_token"),
    *("signal_score", "q50_value", "vol_regime", "signal_strength", "transaction_hash", "block_timestamp", "gas_used"),
    *("execution_status", "pnl_sol", "pnl_percentage", "holding_period_hours", "created_at", "updated_at"),
}
PLAN_POSITIONS = {
    *("id", "mint_address", "pool_id", "token_amount", "average_buy_price", "total_sol_invested", "current_value_sol"),
    *("unrealized_pnl_sol", "unrealized_pnl_percentage", "first_buy_at", "last_trade_at", "trade_count", "is_active"),
    *("created_at", "updated_at"),
}


def only_row(target: str | Path, table: str) -> Mapping[str, object]:
    """The single row of a table, read as a stranger would; times as text, figures as floats."""
    (row,) = stranger.query(target, f"SELECT * FROM {table}")
    return {
        name: float(value)
        if isinstance(value, Decimal)
        else value.isoformat(" ", "microseconds")
        if isinstance(value, datetime)
        else value
        for name, value in zip(stranger.columns_of(target, table), row, strict=True)
    }


def test_a_trade_shows_the_figures_of_the_plan(target: str | Path, run: Run) -> None:
    run.know_decimals(samples.MINT, 6)
    run.save_decision(samples.decision())
    run.save_order(samples.order())
    run.save_outcome(samples.filled())
    row = only_row(target, "pumpswap_trades")
    assert row.keys() >= PLAN_TRADES
    shown = {name: row[name] for name in PLAN_TRADES if row[name] is not None}
    assert shown == {
        "id": 1,
        "pool_id": "solana_Pool1111",
        "mint_address": "Mint1111",
        "pair_address": "Pool1111",
        "action": "buy",
        "sol_amount": 1.0,
        "token_amount": 1_880_000.0,
        "price_per_token": pytest.approx(1 / 1_880_000, rel=1e-15, abs=LAST_DIGIT),
        "signal_score": 82.5,
        "signal_strength": 0.825,
        "transaction_hash": "paper-1",
        "block_timestamp": 1_793_577_600,
        "gas_used": 35_000,
        "execution_status": "filled",
        "created_at": "2026-11-02 00:00:00.800000",
        "updated_at": "2026-11-02 00:00:00.800000",
    }
    assert (row["base_units"], row["quote_lamports"]) == (1_880_000_000_000, 1_000_000_000)
    assert (row["network_fee_lamports"], row["priority_fee_lamports"], row["rent_paid_lamports"]) == (
        5_000,
        30_000,
        2_039_280,
    )
    assert {"idx_pumpswap_trades_pool_id", "idx_pumpswap_trades_timestamp"} <= stranger.indexes(target)


def test_a_sale_without_a_signal_shows_what_was_received(target: str | Path, run: Run) -> None:
    intent = Intent(TradeSide.SELL, samples.POOL, samples.MINT, samples.NS, "take profit", base_units=900_000_000_000)
    run.save_decision(samples.decision(intent=intent))
    run.save_order(samples.order(side=TradeSide.SELL, quote=samples.sell_quote(), base_units=900_000_000_000))
    run.save_outcome(samples.filled(executed=samples.sell_quote()))
    row = only_row(target, "pumpswap_trades")
    assert (row["action"], row["sol_amount"], row["quote_lamports"]) == ("sell", 0.494, 494_000_000)
    assert (row["signal_score"], row["token_amount"], row["price_per_token"]) == (None, None, None)
    assert (row["base_units"], row["cashback_lamports"]) == (900_000_000_000, 4_750_000)


def test_an_open_position_shows_cost_and_value_until_it_changes(target: str | Path, run: Run) -> None:
    run.know_decimals(samples.MINT, 6)
    run.save_position(samples.position())
    row = only_row(target, "pumpswap_positions")
    assert row.keys() >= PLAN_POSITIONS
    assert (row["pool_id"], row["pair_address"], row["mint_address"]) == ("solana_Pool1111", "Pool1111", "Mint1111")
    assert (row["token_amount"], row["total_sol_invested"], row["current_value_sol"]) == (1_880_000, 1.000035, None)
    assert row["average_buy_price"] == pytest.approx(1.000035 / 1_880_000, rel=1e-15, abs=LAST_DIGIT)
    assert (row["trade_count"], row["is_active"]) == (1, 1)
    assert row["first_buy_at"] == row["last_trade_at"] == row["created_at"] == "2026-11-02 00:00:00.000000"

    run.save_mark(samples.mark())
    row = only_row(target, "pumpswap_positions")
    assert (row["value_lamports"], row["marked_ns"]) == (1_200_000_000, samples.NS + 10**9)
    assert (row["current_value_sol"], row["unrealized_pnl_sol"]) == (1.2, 0.199965)
    assert row["unrealized_pnl_percentage"] == pytest.approx(19_996_500 / 1_000_035, rel=1e-15, abs=LAST_DIGIT)
    assert row["updated_at"] == "2026-11-02 00:00:01.000000"

    run.save_mark(samples.mark(value_lamports=0, obstacle="the pool is empty"))
    row = only_row(target, "pumpswap_positions")
    assert (row["value_lamports"], row["current_value_sol"], row["unrealized_pnl_sol"]) == (None, None, None)

    run.save_mark(samples.mark())
    run.save_position(samples.position(base_units=5, sells=1))
    row = only_row(target, "pumpswap_positions")
    assert (row["value_lamports"], row["unrealized_pnl_percentage"], row["marked_ns"]) == (None, None, None)
    assert "idx_pumpswap_positions_active" in stranger.indexes(target)


def test_a_mark_of_other_units_or_of_a_closed_round_shows_nowhere(target: str | Path, run: Run) -> None:
    run.save_position(samples.position())
    run.save_mark(samples.mark(base_units=1))
    assert only_row(target, "pumpswap_positions")["value_lamports"] is None
    run.save_position(replace(samples.position(), closed_ns=samples.NS + 5))
    run.save_mark(samples.mark())
    row = only_row(target, "pumpswap_positions")
    assert (row["value_lamports"], row["is_active"]) == (None, 0)
    assert len([*run.marks()]) == 2


def test_decimals_are_never_assumed(target: str | Path, run: Run) -> None:
    run.save_position(samples.position())
    row = only_row(target, "pumpswap_positions")
    assert (row["token_amount"], row["average_buy_price"]) == (None, None)
    assert row["base_units"] == 1_880_000_000_000


def test_a_price_that_no_column_holds_is_left_out(target: str | Path, run: Run) -> None:
    run.know_decimals(samples.MINT, 255)
    run.save_position(samples.position(base_units=1))
    row = only_row(target, "pumpswap_positions")
    assert (row["average_buy_price"], row["cost_lamports"]) == (None, 1_000_035_000)


def test_a_score_that_no_column_holds_is_left_out(target: str | Path, run: Run) -> None:
    signal = replace(samples.SIGNAL, score=float("inf"), strength=1e300)
    run.save_decision(samples.decision(intent=replace(samples.decision().intent, signal=signal)))
    run.save_order(samples.order())
    run.save_outcome(samples.filled())
    row = only_row(target, "pumpswap_trades")
    assert (row["signal_score"], row["signal_strength"]) == (None, None)
    assert [decision.intent.signal for decision in run.decisions()] == [signal]


def test_documents_hold_exact_numbers_as_text(target: str | Path, run: Run) -> None:
    run.save_decision(samples.decision())
    run.save_order(samples.order(quote=samples.buy_quote(effective_quote_reserve=2**64 + 1)))
    assert '"effective_quote_reserve":"18446744073709551617"' in str(only_row(target, "pumpswap_orders")["quote"])
    decision = only_row(target, "pumpswap_decisions")
    assert '"lamports":"1000000000"' in str(decision["sizing"])
    assert '{"depth":"95392576430"}' in str(decision["verdicts"])
    assert '"score":"82.5"' in str(decision["signal"])


def test_the_books_lie_where_they_were_asked_for(sqlite_file: Path) -> None:
    with open_database(sqlite_file) as database:
        assert database.location == str(sqlite_file)
    assert sqlite_file.read_bytes().startswith(b"SQLite format 3\0")
