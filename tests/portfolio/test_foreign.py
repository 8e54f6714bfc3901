"""What others move: which positions it takes from and for how much; what may be adopted; what upkeep shows."""

from __future__ import annotations

import pytest

from pumpswap.amm import BuyQuote
from pumpswap.errors import AmountOutOfRange, LedgerMismatch, UsageError
from pumpswap.model import (
    SOL,
    Adoption,
    Chore,
    ChoreResult,
    Costs,
    EntryKind,
    Filled,
    ForeignEvent,
    ForeignKind,
    Order,
    PlanKind,
    TradeSide,
)
from pumpswap.portfolio.ledger import Ledger
from pumpswap.portfolio.movements import movements
from pumpswap.portfolio.portfolio import Portfolio
from tests.support.market import at

FOREIGN = EntryKind.FOREIGN


def filled(number: int, pool: str, base: int, lamports: int) -> tuple[Order, Filled]:
    quote = BuyQuote(lamports, 0, 0, 0, 0, 0, 0, 0, 0, 10**15, 10**12, base, lamports)
    order = Order(f"o{number}", f"d{number}", TradeSide.BUY, pool, "coin", at(number), 1, quote, lamports)
    return order, Filled(order.order_id, at(number), number, quote, Costs(), f"s{number}")


@pytest.fixture
def books() -> Portfolio:
    """1,000 units for 900 lamports in pool P, then 500 for 500 in Q."""
    portfolio = Portfolio()
    portfolio.deposit(10_000, at(0))
    portfolio.book(*filled(1, "P", 1_000, 900))
    portfolio.book(*filled(2, "Q", 500, 500))
    return portfolio


def event(kind: ForeignKind, *moves: tuple[str, int, EntryKind]) -> ForeignEvent:
    return ForeignEvent(kind, "f", 9, at(9), moves)


def test_the_newest_round_gives_first_and_proceeds_go_by_units(books: Portfolio) -> None:
    sale = event(
        ForeignKind.MANUAL_SELL, (SOL, 1_001, FOREIGN), ("coin", -700, FOREIGN), (SOL, -5, EntryKind.NETWORK_FEE)
    )
    entries, (newest, oldest) = books.book_foreign(sale)
    assert [entry.note for entry in entries] == ["manual sell"] * 3
    assert (newest.pool, newest.base_units, newest.closed_ns) == ("Q", 0, at(9))
    assert (newest.sold_lamports, newest.realised_lamports) == (715, 215)  # 1,001 × 500 ÷ 700
    assert (oldest.pool, oldest.base_units, oldest.cost_lamports) == ("P", 800, 720)
    assert (oldest.sold_lamports, oldest.realised_lamports) == (286, 106)  # what is left of 1,001
    assert (oldest.sells, oldest.last_trade_ns) == (0, at(1))  # no trade of ours


def test_units_that_belong_to_no_position_take_their_part_of_the_proceeds(books: Portfolio) -> None:
    books.book_foreign(event(ForeignKind.AIRDROP, ("coin", 100, FOREIGN)))
    _, (cut,) = books.book_foreign(event(ForeignKind.MANUAL_SELL, (SOL, 999, FOREIGN), ("coin", -300, FOREIGN)))
    assert (cut.pool, cut.base_units, cut.sold_lamports) == ("Q", 300, 666)


@pytest.mark.parametrize("kind", [one for one in ForeignKind if one is not ForeignKind.MANUAL_SELL])
def test_only_a_sale_by_hand_has_a_price(books: Portfolio, kind: ForeignKind) -> None:
    _, (cut,) = books.book_foreign(event(kind, (SOL, 999, FOREIGN), ("coin", -250, FOREIGN)))
    assert (cut.sold_lamports, cut.realised_lamports) == (0, -250)


def test_a_sale_by_hand_of_two_tokens_has_no_price_that_could_be_told(books: Portfolio) -> None:
    books.book_foreign(event(ForeignKind.AIRDROP, ("other", 5, FOREIGN)))
    moves = ((SOL, 999, FOREIGN), ("coin", -250, FOREIGN), ("other", -5, FOREIGN))
    _, (cut,) = books.book_foreign(event(ForeignKind.MANUAL_SELL, *moves))
    assert cut.sold_lamports == 0


def test_a_sale_by_hand_that_cost_more_than_it_brought_has_no_negative_price(books: Portfolio) -> None:
    _, (cut,) = books.book_foreign(event(ForeignKind.MANUAL_SELL, (SOL, -9, FOREIGN), ("coin", -250, FOREIGN)))
    assert (cut.sold_lamports, cut.realised_lamports) == (0, -250)


def test_a_tax_on_transfers_is_cut_from_the_position_that_was_bought() -> None:
    portfolio = Portfolio()
    portfolio.deposit(10_000, at(0))
    order, outcome = filled(1, "P", 1_000, 900)
    portfolio.book(order, outcome)
    entries, (cut,) = portfolio.book_remainder(order, outcome, {"coin": -30, SOL: 2})
    assert [(one.asset, one.units, one.order_id, one.signature) for one in entries] == [
        (SOL, 2, "o1", "s1"),
        ("coin", -30, "o1", "s1"),
    ]
    assert (cut.base_units, cut.cost_lamports, cut.realised_lamports) == (970, 873, -27)
    assert portfolio.book_remainder(order, outcome, {}) == ([], [])


def test_a_transaction_that_moves_a_token_twice_takes_it_in_one_piece(books: Portfolio) -> None:
    entries, (cut,) = books.book_foreign(event(ForeignKind.OTHER, ("coin", 50, FOREIGN), ("coin", -53, FOREIGN)))
    assert [(entry.asset, entry.units) for entry in entries] == [("coin", -3)]
    assert (cut.base_units, cut.cost_lamports) == (497, 497)


def test_rent_of_others_is_rent(books: Portfolio) -> None:
    books.book_foreign(event(ForeignKind.ACCOUNT_OPENED, (SOL, -500, EntryKind.RENT_PAID)))
    assert books.rent_lamports == 500
    books.book_foreign(event(ForeignKind.ACCOUNT_CLOSED, (SOL, 500, EntryKind.RENT_RETURNED)))
    assert books.rent_lamports == 0


def test_what_the_owner_trades_by_hand_beside_the_positions_is_put_in_or_taken_out(books: Portfolio) -> None:
    """So that what it earned is none of our results; what positions were given of it is theirs."""
    assert books.put_in_lamports == 10_000
    books.book_foreign(event(ForeignKind.MANUAL_BUY, (SOL, -50, FOREIGN), ("coin", 100, FOREIGN)))
    assert books.put_in_lamports == 9_950
    books.book_foreign(event(ForeignKind.MANUAL_SELL, (SOL, 999, FOREIGN), ("coin", -300, FOREIGN)))
    assert books.put_in_lamports == 9_950 + 333  # 666 are what 200 units of the position were sold for
    books.book_foreign(event(ForeignKind.OTHER, (SOL, -7, FOREIGN), ("other", 5, FOREIGN)))
    books.book_foreign(event(ForeignKind.WITHDRAWAL, (SOL, -83, EntryKind.WITHDRAWAL)))
    assert books.put_in_lamports == 10_200
    adoption = Adoption(at(10), books.ledger.last_sequence, "R", "other", 5, 77)
    books.adopt(adoption)
    assert books.put_in_lamports == books.equity_at(at(11)).put_in_lamports == 10_277


def test_adopted_tokens_are_a_round_at_the_cost_that_was_named(books: Portfolio) -> None:
    books.book_foreign(event(ForeignKind.AIRDROP, ("coin", 100, FOREIGN)))
    adoption = Adoption(at(10), books.ledger.last_sequence, "R", "coin", 60, 77, "COIN")
    position = books.adopt(adoption)
    assert (position.round, position.base_units, position.cost_lamports, position.bought_lamports) == (1, 60, 77, 77)
    assert (position.buys, position.opened_ns, position.name) == (0, at(10), "COIN")
    assert books.free_units("coin") == 40
    assert books.positions.open_round("R") == position


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"base_units": 101}, UsageError, "101 base units of coin to adopt, 100 belong to no position"),
        ({"base_units": 0}, UsageError, "0 base units"),
        ({"cost_lamports": -1}, UsageError, "-1 lamports"),
        ({"pool": "P"}, UsageError, "pool P has an open position"),
        ({"after_sequence": 3}, LedgerMismatch, "adopted after ledger entry 3"),
    ],
)
def test_what_cannot_be_adopted_is_refused_and_changes_nothing(
    books: Portfolio, change: dict[str, int], error: type[Exception], says: str
) -> None:
    books.book_foreign(event(ForeignKind.AIRDROP, ("coin", 100, FOREIGN)))
    told = {"at_ns": at(10), "after_sequence": books.ledger.last_sequence, "pool": "R", "mint": "coin"}
    before = books.positions.open_positions()
    with pytest.raises(error, match=says):
        books.adopt(Adoption(**{**told, "base_units": 60, "cost_lamports": 77, **change}))  # type: ignore[arg-type]
    assert books.positions.open_positions() == before


@pytest.mark.parametrize(("kind", "entry"), [(PlanKind.WRAP, EntryKind.WRAP), (PlanKind.UNWRAP, EntryKind.UNWRAP)])
def test_wrapping_is_in_the_history_and_changes_no_sum(books: Portfolio, kind: PlanKind, entry: EntryKind) -> None:
    cash = books.cash
    result = ChoreResult("done", at(5), "", "s", 5, Costs(5), turned_lamports=700)
    entries = books.book_chore(Chore("w1", kind, at(5), 700), result)
    assert [(one.units, one.kind) for one in entries] == [(-700, entry), (700, entry), (-5, EntryKind.NETWORK_FEE)]
    assert books.cash == cash - 5


def test_closing_accounts_turns_nothing(books: Portfolio) -> None:
    result = ChoreResult("done", at(5), "", "s", 5, Costs(rent_returned=20), turned_lamports=700)
    entries = books.book_chore(Chore("w1", PlanKind.CLOSE_EMPTY, at(5)), result, 3)
    assert [(one.units, one.kind) for one in entries] == [(20, EntryKind.RENT_RETURNED), (3, FOREIGN)]
    assert books.rent_lamports == -20


@pytest.mark.parametrize(
    ("moves", "error"),
    [
        ([(SOL, 5, FOREIGN), ("coin", -1, FOREIGN)], LedgerMismatch),
        ([(SOL, 5, FOREIGN), (SOL, 2**63, FOREIGN)], AmountOutOfRange),
        ([(SOL, 2**63 - 6, FOREIGN), (SOL, 7, FOREIGN)], AmountOutOfRange),
    ],
)
def test_a_post_that_is_refused_has_changed_nothing(
    moves: list[tuple[str, int, EntryKind]], error: type[Exception]
) -> None:
    ledger = Ledger({SOL: 4}, 11)
    with pytest.raises(error):
        ledger.post(moves, at(0))
    assert (ledger.balances(), ledger.entries, ledger.last_sequence) == ({SOL: 4}, [], 11)


def test_entries_are_grouped_by_what_moved_them() -> None:
    ledger = Ledger({SOL: 1_000, "a": 10, "b": 10})
    ledger.post([(SOL, 1, EntryKind.DEPOSIT), ("a", 1, EntryKind.DEPOSIT)], 1)
    ledger.post([(SOL, -5, EntryKind.TRADE_QUOTE), ("a", 1, EntryKind.TRADE_BASE)], 1, order_id="o1", signature="s1")
    ledger.post([("a", -1, FOREIGN)], 1, order_id="o1", signature="s1")
    ledger.post([("a", -1, FOREIGN), (SOL, 2, FOREIGN)], 1, signature="s2", note="manual sell")
    ledger.post([("a", -1, FOREIGN)], 1, note="unexplained")
    ledger.post([("a", -1, FOREIGN)], 1, note="unexplained")
    ledger.post([("b", -1, FOREIGN)], 2, note="unexplained")
    assert [len(movement.entries) for movement in movements(ledger.entries)] == [2, 3, 2, 1, 1, 1]
