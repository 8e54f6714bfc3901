"""LiveRecorder: what is stored beside a live wallet's books, in one piece, and what the next process is told of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.clock import ManualClock
from pumpswap.engine.live_recorder import LiveRecorder, recall
from pumpswap.engine.live_trading import SeenFills, VenueHealth
from pumpswap.errors import StorageError
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    Alert,
    AlertLevel,
    Costs,
    Decision,
    Denied,
    ExitState,
    Filled,
    Intent,
    Mark,
    MarketUpdate,
    Order,
    RiskState,
    TradeSide,
    Unknown,
)
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run
from tests.support.market import SOL, START_NS, at, graduate

STATE = graduate()
POOL, MINT = str(STATE.address), str(STATE.pool.base_mint)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with open_database(tmp_path / "live.sqlite") as database:
        yield database.start_run("live", START_NS, None, wallet="w", network="n")


def recorder(run: Run) -> LiveRecorder:
    return LiveRecorder(run, ManualClock(at(100)), recall(run, at(100)))


def decision(number: int, *, accepted: bool = True) -> Decision:
    intent = Intent(TradeSide.BUY, POOL, MINT, at(number), "a test")
    return Decision(f"d{number:06d}", intent, accepted, (), quote_lamports=SOL if accepted else 0)


def order(number: int) -> Order:
    quote = buy_exact_quote(STATE, current_schedule(), SOL)
    return Order(
        f"l{number:06d}", f"d{number:06d}", TradeSide.BUY, POOL, MINT, at(number), 1, quote, quote_lamports=SOL
    )


def denied(number: int) -> Denied:
    return Denied(f"l{number:06d}", at(number), "funds", "none")


def sent(run: Run, told: LiveRecorder, number: int) -> Order:
    """As the desk and the venue do: decided, ordered, flushed, stored."""
    made = order(number)
    told.on_decision(decision(number))
    told.on_order(made)
    told.flush()
    run.save_order(made)
    return made


@contextmanager
def refusing(file: Path, table: str) -> Iterator[None]:
    """The database takes no new row of this table meanwhile."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END")
        yield
        other.execute("DROP TRIGGER refuse")


def test_everything_of_one_moment_is_stored_together_or_not_at_all(run: Run, tmp_path: Path) -> None:
    told = recorder(run)
    told.on_decision(decision(1, accepted=False))
    told.on_risk(RiskState(peak_lamports=7))
    told.on_exits(ExitState(POOL, 1, peak_lamports=5))
    told.on_alert(Alert(at(1), AlertLevel.INFO, "a", "b", "c"))
    with refusing(tmp_path / "live.sqlite", "pumpswap_states"), pytest.raises(StorageError):
        told.flush()
    assert (list(run.decisions()), run.states.risk(), run.states.exits()) == ([], None, ())
    told.flush()
    assert [one.decision_id for one in run.decisions()] == ["d000001"]
    assert run.states.risk() == RiskState(peak_lamports=7)
    assert [one.peak_lamports for one in run.states.exits()] == [5]
    told.flush()
    assert len(list(run.decisions())) == 1


def test_an_outcome_that_was_stored_and_not_heard_is_told_to_the_next_process(run: Run) -> None:
    told = recorder(run)
    first, second = sent(run, told, 1), sent(run, told, 2)
    for number in (1, 2):
        run.save_outcome(denied(number))
    told.on_outcome(first, denied(1), None)
    told.flush()
    told.on_outcome(second, denied(2), None)  # heard, but the process ends before that is stored
    found = recall(run, at(200))
    assert found.unheard == ((second, denied(2)),)
    again = LiveRecorder(run, ManualClock(at(200)), found)
    again.on_outcome(second, denied(2), None)
    again.flush()
    assert recall(run, at(300)).unheard == ()


def test_an_order_that_is_unknown_stays_unheard_until_its_fate_is_told(run: Run) -> None:
    told = recorder(run)
    made = sent(run, told, 1)
    unknown = Unknown(made.order_id, at(2), "s" * 64, 9)
    run.save_outcome(unknown)
    told.on_outcome(made, unknown, None)
    told.flush()
    assert recall(run, at(200)).orders == (made,)


def test_an_order_that_was_accepted_and_never_stored_is_not_waited_for(run: Run) -> None:
    told = recorder(run)
    told.on_decision(decision(1))
    told.on_order(order(1))
    told.flush()
    assert recall(run, at(200)).unheard == ()


def test_books_of_before_this_was_stored_have_heard_of_all_that_has_ended(run: Run) -> None:
    run.save_decision(decision(1))
    run.save_order(order(1))
    run.save_outcome(denied(1))
    run.save_decision(decision(2))
    run.save_order(order(2))
    assert recall(run, at(200)).orders == (order(2),)


def test_of_the_marks_of_a_pool_one_in_ten_seconds_is_stored_and_the_newest_at_last(run: Run) -> None:
    told = recorder(run)
    for second in range(25):
        told.on_mark(Mark(POOL, at(second), at(second), 5, second))
        told.flush()
    assert [mark.value_lamports for mark in run.marks()] == [0, 10, 20]


def test_an_order_that_could_not_be_sent_stops_entries_for_a_while_a_refused_one_does_not() -> None:
    clock = ManualClock(at(0))
    health = VenueHealth(clock)
    health.on_outcome(order(1), Denied("l000001", at(0), "simulation", "6040"), None)
    assert health.obstacle() == ""
    health.on_outcome(order(1), Denied("l000001", at(0), "key locked", "no key"), None)
    assert health.obstacle() == "order l000001 could not be sent: key locked: no key"
    clock.advance_to(at(61))
    assert health.obstacle() == ""


def test_a_fill_tells_the_book_what_it_has_left_unless_others_have_traded_since() -> None:
    book, clock = PoolBook(), ManualClock(at(5))
    quote = buy_exact_quote(STATE, current_schedule(), SOL)
    filled = Filled("l000001", at(4), 9, quote, Costs(), "s")
    book.apply(MarketUpdate(at(1), POOL, STATE))
    SeenFills(book, clock).on_outcome(order(1), filled, None)
    assert book.state(POOL) == STATE.after(quote)
    assert book.observed_ns(POOL) == at(5)
    other = STATE.after(buy_exact_quote(STATE, current_schedule(), 2 * SOL))
    book.apply(MarketUpdate(at(6), POOL, other))
    SeenFills(book, clock).on_outcome(order(1), filled, None)
    assert book.state(POOL) == other
