"""Profit columns of trades: filled for sales, by both ways of booking, with what the positions have realised."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pumpswap.engine.recorder import StoreRecorder
from pumpswap.model import Position, RealisedGain, gain_between
from pumpswap.portfolio.audit import audit_run
from pumpswap.storage.database import Database, open_database
from tests.portfolio.random_books import Life
from tests.support.market import SOL, START_NS, engine, feed, graduate, moved, seen

HOUR = 3_600 * 10**9


def stored(database: Database) -> list[Any]:
    query = "SELECT order_id, action, pnl_sol, pnl_percentage, holding_period_hours FROM pumpswap_trades ORDER BY id"
    with database._connections.reading() as connection:
        return list(connection.execute(text(query)))


def lamports(sol: float) -> int:
    return round(Decimal(str(sol)).scaleb(9))


def test_live_sales_carry_their_gain_its_share_of_the_cost_and_the_hours_held(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        life = Life(database, 5)
        life.live(30)
        rows, profits = stored(database), life.reference.profits
        assert {row.order_id for row in rows if row.action == "sell"} == profits.keys()
        assert len(profits) > 3
        for row in rows:
            if row.action == "buy":
                assert (row.pnl_sol, row.pnl_percentage, row.holding_period_hours) == (None, None, None)
                continue
            gain, cost, held_ns = profits[row.order_id]
            assert lamports(row.pnl_sol) == gain
            assert row.pnl_percentage == (pytest.approx(gain * 100 / cost) if cost else None)
            assert row.holding_period_hours == held_ns // HOUR


def test_paper_sales_carry_what_their_position_has_realised(tmp_path: Path) -> None:
    state = graduate()
    market = [seen(state, 1, scored=True), seen(state, 3)]
    market += [seen(moved(state, 300), second) for second in (7_300, 7_310, 7_320)]
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", START_NS)
        with StoreRecorder(run) as recorder:
            engine(observers=[recorder]).run(feed(*market), START_NS, 50 * SOL)
        bought, sold = stored(database)
        (position,) = run.positions()
        assert (bought.action, bought.pnl_sol) == ("buy", None)
        assert (sold.action, sold.holding_period_hours) == ("sell", 2)
        assert lamports(sold.pnl_sol) == position.realised_lamports > 0
        assert sold.pnl_percentage == pytest.approx(position.realised_lamports * 100 / position.bought_lamports)
        assert audit_run(run).differences == ()


def test_only_one_sale_of_one_round_has_a_gain() -> None:
    held = Position("P", "coin", 2, 100, base_units=10, cost_lamports=70, realised_lamports=5, sells=1)
    after = Position("P", "coin", 2, 100, 4, 28, realised_lamports=25, sells=2, last_trade_ns=160)
    assert gain_between(held, after) == RealisedGain(20, 42, 60)
    assert gain_between(None, after) is None
    assert gain_between(held, None) is None
    assert gain_between(held, held) is None  # a buy, or a cut
    assert gain_between(held, Position("P", "coin", 3, 100, sells=2)) is None
