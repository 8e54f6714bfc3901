"""A batch is stored as a whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pumpswap.errors import StorageError
from pumpswap.storage import Database, Run, open_database
from tests.storage import samples


def everything(run: Run) -> None:
    """One write of every kind."""
    run.save_decision(samples.decision())
    run.save_order(samples.order())
    run.save_outcome(samples.filled())
    run.append_entries([samples.entry()])
    run.save_position(samples.position())
    run.save_mark(samples.mark())
    run.finish(5, {"trades": 1})


def counts(run: Run) -> list[int]:
    """How much of each kind is stored."""
    readers = (run.decisions, run.orders, run.outcomes, run.trades, run.ledger, run.positions, run.marks)
    return [sum(1 for _ in reader()) for reader in readers]


def test_a_batch_that_ends_well_is_stored(run: Run) -> None:
    with run.batch():
        everything(run)
    assert counts(run) == [1] * 7
    assert run.summary() == {"trades": 1}


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), SystemExit(1)])
def test_a_batch_that_ends_with_an_error_leaves_nothing(run: Run, error: BaseException) -> None:
    def broken() -> None:
        with run.batch():
            everything(run)
            raise error

    with pytest.raises(type(error)):
        broken()
    assert counts(run) == [0] * 7
    assert run.summary() is None
    with run.batch():
        everything(run)
    assert counts(run) == [1] * 7


def test_a_batch_sees_its_own_writes_and_others_do_not_before_it_ends(target: str | Path, run: Run) -> None:
    with open_database(target) as other:
        elsewhere = other.run(run.run_id)
        with run.batch():
            everything(run)
            assert counts(run) == [1] * 7
            assert run.balances() == {"SOL": 10**9}
            assert run.summary() == {"trades": 1}
            assert counts(elsewhere) == [0] * 7
            assert elsewhere.balances() == {}
        assert counts(elsewhere) == [1] * 7


def test_a_batch_in_a_batch_joins_it(run: Run) -> None:
    def broken() -> None:
        with run.batch():
            with run.batch():
                everything(run)
            assert counts(run) == [1] * 7
            raise ValueError("after the inner batch has ended")

    with pytest.raises(ValueError, match="after the inner"):
        broken()
    assert counts(run) == [0] * 7


def test_a_batch_spans_the_runs_of_a_database(database: Database) -> None:
    one, two = database.start_run("a", 0), database.start_run("b", 0)

    def broken() -> None:
        with one.batch():
            two.append_entries([samples.entry()])
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        broken()
    assert [*two.ledger()] == []


def test_a_refused_write_spoils_the_batch_even_when_its_error_is_caught(run: Run) -> None:
    def stubborn() -> None:
        with run.batch():
            run.save_decision(samples.decision())
            with pytest.raises(StorageError):
                run.save_decision(samples.decision())
            for attempt in (lambda: run.save_mark(samples.mark()), lambda: list(run.marks()), run.balances):
                with pytest.raises(StorageError, match="nothing of it is kept"):
                    attempt()

    with pytest.raises(StorageError, match="nothing of it is kept"):
        stubborn()
    assert counts(run) == [0] * 7
    run.save_decision(samples.decision())
    assert counts(run) == [1, 0, 0, 0, 0, 0, 0]


def test_a_trade_is_stored_with_its_outcome_or_neither(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.save_decision(samples.decision())
    run.save_order(samples.order())

    def fail(*_: object) -> None:
        raise OSError("the machine stops here")

    with monkeypatch.context() as patched:
        patched.setattr("pumpswap.storage.rows.trade_values", fail)
        with pytest.raises(OSError, match="stops here"):
            run.save_outcome(samples.filled())
    assert [*run.outcomes()] == []
    assert [*run.orders(unresolved=True)] == [samples.order()]
    run.save_outcome(samples.filled())
    assert [*run.trades()] == [*run.outcomes()] == [samples.filled()]


def test_a_reader_keeps_its_moment_while_the_books_grow(run: Run) -> None:
    run.append_entries([samples.entry(number) for number in range(1, 2_501)])
    reader = run.ledger()
    assert next(reader).sequence == 1
    run.append_entries([samples.entry(2_501)])
    assert sum(1 for _ in reader) == 2_499
    assert sum(1 for _ in run.ledger()) == 2_501


def test_abandoned_readers_give_their_connections_back(run: Run) -> None:
    run.append_entries([samples.entry(number) for number in range(1, 2_501)])
    for _ in range(50):
        assert next(run.ledger()).sequence == 1
    run.append_entries([samples.entry(2_501)])


def test_threads_write_one_after_the_other(database: Database) -> None:
    runs = [database.start_run("thread", 0) for _ in range(4)]

    def write(run: Run) -> None:
        for number in range(20):
            with run.batch():
                run.append_entries([samples.entry(2 * number + 1, 1), samples.entry(2 * number + 2, -1)])

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.balances() for run in runs] == [{"SOL": 0}] * 4
    assert [sum(1 for _ in run.ledger()) for run in runs] == [40] * 4
