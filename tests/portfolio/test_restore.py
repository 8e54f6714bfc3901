"""Books restored from storage are the books that were stored, and go on from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.amm import Quote, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.errors import LedgerMismatch
from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import (
    Costs,
    Decision,
    EntryKind,
    Filled,
    ForeignEvent,
    ForeignKind,
    Intent,
    Mark,
    Order,
    Outcome,
    Position,
    Rejected,
    TradeSide,
)
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.restore import restore_ledger, restore_portfolio, restore_positions
from pumpswap.storage.database import open_database
from tests.support.market import SOL, at, graduate

STATE = graduate()
COSTS = Costs(5_000, 1_000, 200, 2_039_280, 0)


def order_of(number: int, quote: Quote, *, side: TradeSide, units: int = 0) -> Order:
    pool, mint = str(STATE.address), str(STATE.pool.base_mint)
    return Order(f"o{number}", f"d{number}", side, pool, mint, at(number), 1, quote, SOL if not units else 0, units)


def history() -> tuple[Portfolio, list[tuple[Order, Outcome]], list[Position]]:
    """Deposit, buy, a failed sale, a sale of all, a second round that is open."""
    books = Portfolio()
    books.deposit(10 * SOL, at(0))
    buy = buy_exact_quote(STATE, current_schedule(), SOL)
    sale = sell_exact_base(STATE, current_schedule(), buy.base_out)
    told: list[tuple[Order, Outcome]] = [
        (order_of(1, buy, side=TradeSide.BUY), Filled("o1", at(1), 11, buy, COSTS, "s1")),
        (
            order_of(2, sale, side=TradeSide.SELL, units=buy.base_out),
            Rejected("o2", at(2), 12, 6004, "ExceededSlippage", "too low", Costs(5_000, 900), "s2"),
        ),
        (
            order_of(3, sale, side=TradeSide.SELL, units=buy.base_out),
            Filled("o3", at(3), 13, sale, Costs(5_000, 900, 0, 0, 2_039_280), "s3"),
        ),
        (order_of(4, buy, side=TradeSide.BUY), Filled("o4", at(4), 14, buy, COSTS, "s4")),
    ]
    changed = [position for order, outcome in told if (position := books.book(order, outcome)[1]) is not None]
    return books, told, changed


def latest_of(changed: list[Position]) -> list[Position]:
    return list({(position.pool, position.round): position for position in changed}.values())


def same(ours: Portfolio, theirs: Portfolio) -> None:
    assert ours.ledger.entries == theirs.ledger.entries
    assert ours.ledger.balances() == theirs.ledger.balances()
    assert list(ours.positions) == list(theirs.positions)
    assert ours.rent_lamports == theirs.rent_lamports
    assert ours.put_in_lamports == theirs.put_in_lamports
    assert (ours.cash, ours.exposure, ours.marks) == (theirs.cash, theirs.exposure, theirs.marks)


def test_restored_books_are_the_same_books() -> None:
    books, _, changed = history()
    mark = Mark(str(STATE.address), at(5), at(5), 1, 77)
    books.mark(mark)
    stale = replace(mark, at_ns=at(4), value_lamports=1)
    other = replace(mark, pool="a pool without a position")
    same(restore_portfolio(books.ledger.entries, latest_of(changed), [stale, mark, other]), books)


def test_p23_books_come_back_from_the_database_and_go_on(tmp_path: Path) -> None:
    books, told, changed = history()
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("live", 1, wallet="w", network="n")
        for order, outcome in told:
            intent = Intent(
                order.side, order.pool, order.mint, order.created_ns, "test", None, order.base_units or None
            )
            run.save_decision(Decision(order.decision_id, intent, True, (), (), order.quote_lamports, order.base_units))
            run.save_order(order)
            run.save_outcome(outcome)
        run.append_entries(books.ledger.entries)
        for position in changed:
            run.save_position(position)
    with open_database(tmp_path / "books.sqlite") as database:
        stored = database.open_live("w", "n")
        assert stored is not None
        restored = restore_portfolio(stored.ledger(), stored.positions())
        same(restored, books)
        sale = sell_exact_base(STATE, current_schedule(), 1_000_000)
        outcome = Filled("o5", at(6), 15, sale, Costs(5_000), "s5")
        order = order_of(5, sale, side=TradeSide.SELL, units=1_000_000)
        assert restored.book(order, outcome) == books.book(order, outcome)
        assert restored.ledger.entries[-1].sequence == len(books.ledger.entries)


def test_a_gap_in_the_ledger_is_never_closed_silently() -> None:
    books, _, _ = history()
    entries = books.ledger.entries
    with pytest.raises(LedgerMismatch):
        restore_ledger([*entries[:2], *entries[3:]])
    with pytest.raises(LedgerMismatch):
        restore_ledger([entries[0], entries[0]])


def test_two_open_rounds_in_one_pool_contradict_each_other() -> None:
    _, _, changed = history()
    opened = changed[-1]
    with pytest.raises(LedgerMismatch):
        restore_positions([opened, replace(opened, round=opened.round + 1)])


def moved_by_hand(number: int, kind: ForeignKind, *moves: tuple[str, int]) -> ForeignEvent:
    foreign = tuple((asset, units, EntryKind.FOREIGN) for asset, units in moves)
    return ForeignEvent(kind, f"f{number}", 20 + number, at(number), foreign)


def test_p29_units_that_somebody_took_leave_the_position_with_their_cost() -> None:
    books, _, changed = history()
    (held,) = books.positions.open_positions()
    mint, taken = held.mint, held.base_units // 3
    entries, (left,) = books.book_foreign(moved_by_hand(7, ForeignKind.TRANSFER_OUT, (mint, -taken)))
    assert [(one.signature, one.slot, one.note, one.order_id) for one in entries] == [("f7", 27, "transfer out", "")]
    share = held.cost_lamports * taken // held.base_units
    assert left.base_units == held.base_units - taken
    assert left.cost_lamports == held.cost_lamports - share
    assert left.realised_lamports == held.realised_lamports - share
    assert books.positions.open_positions() == [left]
    _, (gone,) = books.book_foreign(moved_by_hand(9, ForeignKind.BURN, (mint, -left.base_units)))
    assert (gone.base_units, gone.cost_lamports, gone.closed_ns) == (0, 0, at(9))
    assert gone.realised_lamports == gone.sold_lamports - gone.bought_lamports
    assert books.positions.open_positions() == []
    assert len(changed) == 3


def test_units_that_somebody_sent_belong_to_no_position_and_leave_first() -> None:
    books, _, _ = history()
    before = books.positions.open_positions()
    mint = before[0].mint
    assert books.book_foreign(moved_by_hand(7, ForeignKind.AIRDROP, (mint, 5), (SOL_ASSET, 5)))[1] == []
    assert books.free_units(mint) == 5
    assert books.book_foreign(moved_by_hand(8, ForeignKind.TRANSFER_OUT, (mint, -5)))[1] == []
    assert books.positions.open_positions() == before
