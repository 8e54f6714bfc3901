"""Positions and ledger against an independent account of the same trades."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import PoolState, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.errors import AmountOutOfRange, LedgerMismatch, TradeRefused
from pumpswap.model import SOL, Costs, Denied, EntryKind, Filled, Order, Rejected, TradeSide, Unknown
from pumpswap.portfolio.ledger import Ledger, ledger_line, ledger_sha256
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.portfolio.positions import PositionBook
from tests.support.market import START_NS, graduate

COSTS = Costs(network_fee=5_000, priority_fee=20_000, tip=0, rent_paid=0)


def _buy(state: PoolState, budget: int, number: int) -> tuple[Order, Filled, PoolState]:
    quote = buy_exact_quote(state, current_schedule(), budget)
    mint = str(state.pool.base_mint)
    order = Order(f"o{number}", "d", TradeSide.BUY, str(state.address), mint, START_NS, 1, quote, budget)
    return order, Filled(order.order_id, START_NS + number, 0, quote, COSTS, "s"), state.after(quote)


def _sell(state: PoolState, units: int, number: int) -> tuple[Order, Filled, PoolState]:
    quote = sell_exact_base(state, current_schedule(), units)
    mint = str(state.pool.base_mint)
    order = Order(f"o{number}", "d", TradeSide.SELL, str(state.address), mint, START_NS, 1, quote, 0, units)
    return order, Filled(order.order_id, START_NS + number, 0, quote, COSTS, "s"), state.after(quote)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10_000)), min_size=1, max_size=30))
def test_positions_agree_with_an_independent_account(steps: list[tuple[bool, int]]) -> None:
    """Plain cash and token counters, kept beside; a round's figures must explain them to the lamport."""
    portfolio, state, cash, tokens = Portfolio(), graduate(), 10**13, 0
    portfolio.deposit(cash, START_NS)
    for number, (is_buy, size) in enumerate(steps):
        held = portfolio.positions.open_round(str(state.address))
        try:
            if is_buy or held is None:
                order, filled, state = _buy(state, size * 10**5, number)
                cash -= filled.executed.total_quote + COSTS.spent
                tokens += filled.executed.base_out
            else:
                order, filled, state = _sell(state, max(held.base_units * size // 10_000, 1), number)
                cash += filled.executed.user_quote_out - COSTS.spent
                tokens -= filled.executed.base_in
        except TradeRefused:
            continue
        portfolio.book(order, filled)
        mint = str(state.pool.base_mint)
        assert (portfolio.cash, portfolio.ledger.balance(mint)) == (cash, tokens)
        rounds = list(portfolio.positions)
        assert sum(one.base_units for one in rounds) == tokens
        assert all(one.cost_lamports >= 0 for one in rounds)
        # What came in minus what went out is the realised result minus what is still invested.
        invested = sum(one.cost_lamports for one in rounds)
        assert 10**13 - cash == invested - sum(one.realised_lamports for one in rounds)
        for one in rounds:
            if not one.is_open:
                assert one.realised_lamports == one.sold_lamports - one.bought_lamports
                assert (one.base_units, one.cost_lamports) == (0, 0)


def test_a_new_round_begins_after_everything_was_sold() -> None:
    portfolio, state = Portfolio(), graduate()
    portfolio.deposit(10**12, START_NS)
    for number in (0, 2):
        order, filled, state = _buy(state, 10**9, number)
        portfolio.book(order, filled)
        order, filled, state = _sell(state, filled.executed.base_out, number + 1)
        portfolio.book(order, filled)
    assert [one.round for one in portfolio.positions] == [1, 2]
    assert portfolio.positions.last_closed_ns(str(state.address)) == START_NS + 3


def test_closed_rounds_of_stored_books_stay_in_the_database() -> None:
    portfolio, state = Portfolio(positions=PositionBook(lambda _: None)), graduate()
    portfolio.deposit(10**13, START_NS)
    for number in range(0, 20, 2):
        order, filled, state = _buy(state, 10**9, number)
        portfolio.book(order, filled)
        order, filled, state = _sell(state, filled.executed.base_out, number + 1)
        portfolio.book(order, filled)
    assert list(portfolio.positions) == portfolio.positions._closed == []
    assert portfolio.positions.next_round(str(state.address)) == 11
    assert portfolio.positions.last_closed_ns(str(state.address)) == START_NS + 19


def test_each_fee_and_cost_has_its_own_kind_and_they_sum_to_the_cash() -> None:
    portfolio, state = Portfolio(), graduate()
    portfolio.deposit(10**12, START_NS)
    order, filled, _ = _buy(state, 10**9, 1)
    entries, _ = portfolio.book(order, filled)
    quote = filled.executed
    booked = {entry.kind: entry.units for entry in entries}
    assert booked == {
        EntryKind.TRADE_QUOTE: -quote.gross_quote,
        EntryKind.LP_FEE: -quote.lp_fee,
        EntryKind.PROTOCOL_FEE: -quote.protocol_fee,
        EntryKind.CREATOR_FEE: -quote.creator_fee,
        EntryKind.TRADE_BASE: quote.base_out,
        EntryKind.NETWORK_FEE: -5_000,
        EntryKind.PRIORITY_FEE: -20_000,
    }
    assert portfolio.cash == 10**12 - quote.total_quote - 25_000


def test_a_rejected_order_costs_its_fees_and_nothing_else() -> None:
    portfolio = Portfolio()
    portfolio.deposit(10**9, START_NS)
    order, _, _ = _buy(graduate(), 10**8, 1)
    rejected = Rejected("o1", START_NS, 0, 6004, "ExceededSlippage", "moved", COSTS, "s")
    entries, position = portfolio.book(order, rejected)
    assert position is None
    assert [entry.kind for entry in entries] == [EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE]
    assert 10**9 - portfolio.cash == 25_000


@pytest.mark.parametrize("outcome", [Denied("o1", START_NS, "rule", "text"), Unknown("o1", START_NS, "s", 7)])
def test_what_did_not_happen_books_nothing(outcome: Denied | Unknown) -> None:
    portfolio = Portfolio()
    portfolio.deposit(10**9, START_NS)
    order, _, _ = _buy(graduate(), 10**8, 1)
    assert portfolio.book(order, outcome) == ([], None)
    assert portfolio.cash == 10**9


def test_selling_what_is_not_held_is_a_bug_and_says_so() -> None:
    order, filled, _ = _sell(graduate(), 10**9, 1)
    with pytest.raises(LedgerMismatch):
        Portfolio().book(order, filled)


def test_a_balance_below_zero_is_refused_by_the_ledger() -> None:
    with pytest.raises(LedgerMismatch, match="-1"):
        Ledger().post([(SOL, -1, EntryKind.WITHDRAWAL)], START_NS)


def test_amounts_beyond_64_bits_are_a_named_error() -> None:
    with pytest.raises(AmountOutOfRange):
        Ledger().post([(SOL, 2**63, EntryKind.DEPOSIT)], START_NS)


def test_a_wallet_that_differs_from_the_ledger_is_named_asset_by_asset() -> None:
    ledger = Ledger()
    ledger.post([(SOL, 10, EntryKind.DEPOSIT)], START_NS)
    ledger.check_against({SOL: 10})
    with pytest.raises(LedgerMismatch, match="SOL: ledger 10, wallet 11; mint: ledger 0, wallet 5"):
        ledger.check_against({SOL: 11, "mint": 5})


def test_the_ledger_hash_depends_on_every_field_of_every_entry() -> None:
    ledger = Ledger()
    ledger.post([(SOL, 10, EntryKind.DEPOSIT), ("mint", 3, EntryKind.TRADE_BASE)], START_NS, order_id="o1")
    other = Ledger()
    other.post([(SOL, 10, EntryKind.DEPOSIT), ("mint", 3, EntryKind.TRADE_BASE)], START_NS, order_id="o2")
    assert ledger_sha256(ledger.entries) != ledger_sha256(other.entries)
    assert '"units":"10"' in ledger_line(ledger.entries[0])
