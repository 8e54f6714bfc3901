"""What people look up in a stored run: trades beside their orders, rounds by name, marks, decimals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.model import EntryKind, TradeSide
from pumpswap.storage import Database, Run
from pumpswap.storage.history import StoredTrade
from tests.storage import samples

OTHER = "Mint2222"


def trade(run: Run, number: int, mint: str = samples.MINT, at_ns: int = samples.NS) -> StoredTrade:
    """A stored buy, with the ledger entry of its tokens."""
    order = samples.order(number, mint=mint)
    filled = samples.filled(number, at_ns=at_ns)
    run.save_decision(samples.decision(number))
    run.save_order(order)
    run.save_outcome(filled)
    last = run.books.last()
    moved = samples.entry(
        last.sequence + 1 if last else 1,
        units=1_880_000_000_000,
        asset=mint,
        kind=EntryKind.TRADE_BASE,
        order_id=order.order_id,
    )
    run.append_entries([moved])
    return StoredTrade(order, filled, None)


def test_a_trade_stands_beside_its_own_order_only(run: Run, database: Database) -> None:
    first, second = trade(run, 1), trade(run, 2, OTHER)
    trade(database.start_run("test", 2_000), 1)
    assert list(run.history.trades()) == [first, second]
    assert list(run.history.trades_of(OTHER)) == [second]
    assert list(run.history.trades_of("nobody's")) == []


def test_trades_of_a_time_end_before_its_end(run: Run) -> None:
    trades = [trade(run, number, at_ns=samples.NS + number) for number in (1, 2, 3)]
    found = list(run.history.trades(samples.NS + 2, samples.NS + 3))
    assert found == [trades[1]]
    assert list(run.history.trades(samples.NS + 2)) == trades[1:]


@pytest.mark.parametrize("decimals", [0, 2, 6, 9, 18])
def test_decimals_are_what_the_saved_trades_tell(run: Run, decimals: int) -> None:
    trade(run, 1, OTHER)
    run.know_decimals(samples.MINT, decimals)
    trade(run, 2)
    assert run.history.decimals(samples.MINT) == decimals
    assert run.history.decimals(OTHER) is None
    assert [each.decimals for each in run.history.trades()] == [None, decimals]


def test_rounds_are_found_by_pool_mint_and_name(run: Run) -> None:
    closed = samples.position(base_units=0, closed_ns=samples.NS + 5)
    again = samples.position(round=2)
    other = samples.position(pool="Pool2222", mint=OTHER, name="another")
    for position in (closed, other, again):
        run.save_position(position)
    for text in (samples.POOL, samples.MINT, "test / sol", "Test", "TEST / SOL"):
        assert list(run.history.rounds(text)) == [closed, again]
    assert list(run.history.rounds("ANOTHER")) == [other]
    assert list(run.history.rounds("an%")) == []


def test_the_newest_marks_of_a_pool_come_first(run: Run) -> None:
    marks = [samples.mark(at_ns=samples.NS + number, value_lamports=number) for number in (1, 3, 2)]
    for mark in (*marks, samples.mark(pool="Pool2222", at_ns=samples.NS + 9)):
        run.save_mark(mark)
    assert run.history.marks_of(samples.POOL, 2) == [marks[1], marks[2]]


def test_the_last_value_is_that_of_the_newest_mark_that_could_value_the_same_units(run: Run) -> None:
    units = samples.mark().base_units
    valued = samples.mark(at_ns=samples.NS + 2, value_lamports=7)
    for mark in (
        samples.mark(at_ns=samples.NS + 1, value_lamports=6),
        valued,
        samples.mark(at_ns=samples.NS + 3, value_lamports=0, obstacle="not read"),
        samples.mark(at_ns=samples.NS + 4, base_units=units + 1),
    ):
        run.save_mark(mark)
    held = samples.position(base_units=units, opened_ns=samples.NS + 3)  # by the chain's time
    assert run.history.last_value(held) == valued
    assert run.history.last_value(replace(held, round=2)) is None  # it is of the round before
    assert run.history.last_value(replace(held, round=2, opened_ns=samples.NS + 2)) == valued
    assert run.history.last_value(replace(held, base_units=units + 2)) is None


def test_the_end_of_the_ledger_is_in_sequence(run: Run) -> None:
    entries = [samples.entry(1), samples.entry(2, 5, asset=OTHER), samples.entry(3, -7, kind=EntryKind.TIP)]
    run.append_entries(entries)
    history = run.history
    assert history.latest_entries(2) == entries[1:]
    assert history.latest_entries(9, asset=OTHER) == [entries[1]]
    assert history.latest_entries(9, kind=EntryKind.TIP) == [entries[2]]
    assert history.latest_entries(1, kind=EntryKind.DEPOSIT) == [entries[1]]


def test_a_sale_is_read_back_as_it_was(run: Run) -> None:
    quote = samples.sell_quote()
    order = samples.order(side=TradeSide.SELL, quote=quote, base_units=quote.base_in, quote_lamports=0)
    run.save_decision(samples.decision())
    run.save_order(order)
    run.save_outcome(samples.filled(executed=quote))
    (found,) = run.history.trades()
    assert (found.order, found.filled) == (order, samples.filled(executed=quote))


def test_decimals_are_told_to_open_positions_that_lack_them(run: Run) -> None:
    adopted, other = samples.position(), samples.position(pool="Pool2222", mint=OTHER)
    for position in (adopted, other):
        run.save_position(position)
    run.save_mark(samples.mark())
    assert run.history.decimals(samples.MINT) is None
    run.tell_decimals(samples.MINT, 6)
    assert run.history.decimals(samples.MINT) == 6
    assert run.history.decimals(OTHER) is None
    assert list(run.positions()) == [adopted, other]


def test_a_coin_without_a_name_is_found_by_the_first_eight_characters_of_its_mint(run: Run) -> None:
    position = samples.position(mint="ABCDEFGHijklm", name="")
    run.save_position(position)
    assert list(run.history.rounds("ABCDEFGH")) == [position]
    for text in ("ABCDEFG", "ABCDEFGHi", "abcdefgh", ""):
        assert list(run.history.rounds(text)) == []


def test_a_coin_is_called_what_its_newest_named_signal_calls_it(run: Run) -> None:
    assert run.history.called(samples.MINT) == ""
    plain = samples.decision().intent
    signal = plain.signal
    assert signal is not None
    for number, name in ((1, "OLD"), (2, "NEW"), (3, "")):
        intent = replace(plain, at_ns=samples.NS + number, signal=replace(signal, name=name))
        run.save_decision(samples.decision(number, intent=intent))
    assert run.history.called(samples.MINT) == "NEW"
    assert run.history.called("another") == ""


def test_trades_of_a_pool_are_the_newest_ones_or_those_of_a_time(run: Run) -> None:
    trades = []
    for number in range(1, 6):
        pool = "Pool2222" if number == 3 else samples.POOL
        order, filled = samples.order(number, pool=pool), samples.filled(number, at_ns=samples.NS + number)
        run.save_decision(samples.decision(number))
        run.save_order(order)
        run.save_outcome(filled)
        trades.append(StoredTrade(order, filled, None))
    here = [trades[place] for place in (0, 1, 3, 4)]
    assert run.history.trades_in(samples.POOL, 9) == here
    assert run.history.trades_in(samples.POOL, 2) == here[-2:]
    assert run.history.trades_in("Pool2222", 9) == [trades[2]]
    assert run.history.trades_between(samples.POOL, samples.NS + 2, samples.NS + 4) == here[1:3]
    assert run.history.trades_between(samples.POOL, samples.NS + 2, None) == here[1:]
    assert run.history.trades_in("nobody's", 9) == []


def test_the_round_of_a_moment_is_the_first_that_was_open_then(run: Run) -> None:
    """The chain tells seconds: a round may be closed and the next one opened in the same one."""
    first = samples.position(round=1, opened_ns=10, closed_ns=20, base_units=0, cost_lamports=0)
    second = samples.position(round=2, opened_ns=20, closed_ns=30, base_units=0, cost_lamports=0)
    third = samples.position(round=3, opened_ns=40)
    for each in (first, second, third, samples.position(pool="Pool2222", opened_ns=1)):
        run.save_position(each)
    expected = {9: None, 10: first, 20: first, 21: second, 30: second, 35: None, 40: third, 99: third}
    assert {at_ns: run.history.round_at(samples.POOL, at_ns) for at_ns in expected} == expected
