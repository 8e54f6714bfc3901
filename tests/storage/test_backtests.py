"""Back-tests and searches: stored byte by byte, found again by what decided them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.errors import AmountOutOfRange, NotFound, StorageError
from pumpswap.storage import Database
from pumpswap.storage.backtests import StoredBacktest, StoredSweep, StoredTrial

SPEC = '{"chronicle":"aa","floats":0.1}'
SWEEP = StoredSweep("k", "a search\0", "grid", "d" * 64, "0.1.0", "e" * 64, 3, 2**70, 5, SPEC)


def tried(database: Database, *, data: str = "aa11", strategy: str = "momentum", key: str = "k1") -> StoredBacktest:
    run = database.start_run("backtest", 5)
    one = StoredBacktest(
        run_id=run.run_id,
        key=key,
        name="",
        strategy=strategy,
        impact="naive",
        data_sha256=data,
        version="0.1.0",
        engine_sha256="e",
        twin_run_id=None,
        spec=SPEC,
        ledger_sha256="l",
        result_sha256="r",
        result='{"net_lamports":"-5"}',
    )
    database.backtests.add(one)
    return one


def trial(number: int, net: int = 0) -> StoredTrial:
    return StoredTrial(number, "test", '[["a","1"]]', net, 4, 2, 7, None if number else 0.25, "kernel", bytes([0, 255]))


def test_a_back_test_comes_back_as_it_was_and_is_found_by_what_decided_it(database: Database) -> None:
    kept = database.backtests
    first = tried(database)
    second = tried(database, data="ab22", strategy="plan-loop")
    third = tried(database, key="k2")
    assert kept.get(first.run_id) == first
    assert kept.of_key("k1") == [second, first]
    assert kept.newest(2) == [third, second]
    assert kept.newest(9, data="aa") == [third, first]
    assert kept.newest(9, data="a%") == [] and kept.newest(9, strategy="plan-loop") == [second]
    kept.pair(first.run_id, third.run_id)
    assert kept.get(first.run_id).twin_run_id == third.run_id
    assert kept.get(third.run_id).twin_run_id == first.run_id
    assert kept.get(second.run_id).twin_run_id is None


def test_what_is_no_back_test_says_so(database: Database) -> None:
    run = database.start_run("paper", 1)
    with pytest.raises(NotFound, match=f"run {run.run_id} is no back-test"):
        database.backtests.get(run.run_id)
    with pytest.raises(NotFound, match="no search 7"):
        database.backtests.sweep(7)
    made = tried(database)
    with pytest.raises(StorageError, match="contradicts the books"):
        database.backtests.add(made)
    with pytest.raises(StorageError):
        database.backtests.add(replace(made, run_id=999))
    with pytest.raises(StorageError):
        database.backtests.add(replace(made, run_id=database.start_run("backtest", 1).run_id, impact="none"))


def test_a_search_takes_trials_in_parts_and_ends_once(database: Database) -> None:
    kept = database.backtests
    number = kept.start_sweep(SWEEP)
    assert kept.sweep(number) == replace(SWEEP, sweep_id=number, name="a search\N{REPLACEMENT CHARACTER}")
    kept.add_trials(number, [])
    kept.add_trials(number, [trial(1, 5), trial(0, -3)])
    kept.add_trials(number, [trial(2, 5)])
    assert kept.trials(number) == [trial(0, -3), trial(1, 5), trial(2, 5)]
    assert kept.best_trials(number, 2) == [trial(1, 5), trial(2, 5)]
    assert kept.count_trials(number) == 3
    with pytest.raises(StorageError):
        kept.add_trials(number, [trial(3), trial(2)])
    assert kept.count_trials(number) == 3
    with pytest.raises(AmountOutOfRange):
        kept.add_trials(number, [trial(4, 2**63)])
    kept.finish_sweep(number, 9, {"best": 1})
    done = kept.sweep(number)
    assert (done.finished_ns, done.summary) == (9, {"best": 1})
    other = kept.start_sweep(replace(SWEEP, name="other"))
    assert [one.sweep_id for one in kept.sweeps(5)] == [other, number]
    assert kept.trials(other) == []
