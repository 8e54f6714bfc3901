"""Whoever looks at books that are being traded in sees one moment of them, and never an error."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pumpswap.amm import Quote, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.model import Costs, Decision, Filled, Intent, Mark, Order, TradeSide
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.settings import load_settings
from pumpswap.storage import Database, open_database
from tests.cli.books_of import place
from tests.cli.running import answer, run
from tests.support.market import SOL, at, graduate

STATE = graduate()
# A check needs a moment without a trade to begin in, on a busy machine too.
PAUSE_SECONDS = 0.25
POOL, MINT = str(STATE.address), str(STATE.pool.base_mint)


class Trading(threading.Thread):
    """Buys, sells half, sells the rest, again and again, each trade in one transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.run_books = database.start_run("live", at(0), wallet="W" * 43, network="N" * 43)
        self.portfolio = Portfolio()
        self.trades = 0
        self.over = threading.Event()
        self.run_books.append_entries(self.portfolio.deposit(1_000 * SOL, at(0)))

    def run(self) -> None:
        schedule = current_schedule()
        buy = buy_exact_quote(STATE, schedule, SOL)
        half = buy.base_out // 2
        while not self.over.wait(PAUSE_SECONDS):
            self.trade(TradeSide.BUY, buy)
            self.over.wait(PAUSE_SECONDS)
            self.trade(TradeSide.SELL, sell_exact_base(STATE, schedule, half))
            self.over.wait(PAUSE_SECONDS)
            self.trade(TradeSide.SELL, sell_exact_base(STATE, schedule, buy.base_out - half))

    def trade(self, side: TradeSide, quote: Quote) -> None:
        self.trades += 1
        number, now = f"{self.trades:06d}", at(self.trades)
        order = Order(f"o{number}", f"d{number}", side, POOL, MINT, now, 1, quote)
        decision = Decision(f"d{number}", Intent(side, POOL, MINT, now, "by hand"), True, (), ())
        outcome = Filled(f"o{number}", now, self.trades, quote, Costs(5_000, 1_000), f"s{number}")
        books = self.run_books
        books.know_decimals(MINT, 6)
        with books.batch():
            books.save_decision(decision)
            books.save_order(order)
            books.save_outcome(outcome)
            entries, position = self.portfolio.book(order, outcome, "BUSY / SOL")
            books.append_entries(entries)
            assert position is not None
            books.save_position(position)
            if position.is_open:
                books.save_mark(Mark(POOL, now, now, position.base_units, SOL))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_every_look_is_of_one_moment(tmp_path: Path, engine: str) -> None:
    where = place(tmp_path, engine)
    settings = load_settings(tmp_path / "pumpswap.yaml", data_dir=tmp_path / "data")
    with open_database(settings.database_target) as database:
        trading = Trading(database)
        trading.trade(TradeSide.BUY, buy_exact_quote(STATE, current_schedule(), SOL))
        trading.trade(TradeSide.SELL, sell_exact_base(STATE, current_schedule(), next_units(trading)))
        trading.start()
        try:
            looks = 0
            while looks < 4 or (trading.trades <= 10 and trading.is_alive()):
                looks += 1
                assert answer("ledger", "check", *where)["balanced"] is True
                listed = answer("positions", "list", "--all", *where)
                assert listed["in_no_position"] == {}
                story = answer("positions", "show", "busy", *where)
                assert {lot["end"] for lot in story["lots"]} <= {"sold", "held"}
                for export in ("trades", "ledger", "tax-lots"):
                    result = run("export", export, *where)
                    assert result.exit_code == 0, result.output
        finally:
            trading.over.set()
            trading.join()
        assert trading.trades > 10
    assert answer("ledger", "check", *where)["balanced"] is True


def next_units(trading: Trading) -> int:
    """All that is held."""
    (position,) = trading.portfolio.positions.open_positions()
    return position.base_units
