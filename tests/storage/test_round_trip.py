"""Whatever the books take, they give back equal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import UsageError
from pumpswap.model import (
    Decision,
    Filled,
    Intent,
    LedgerEntry,
    Mark,
    Order,
    Outcome,
    Position,
    Side,
    Signal,
    TradeSide,
    Unknown,
)
from pumpswap.storage import Database, Run
from tests.storage import samples, strategies


@given(story=strategies.stories())
def test_a_decision_its_order_and_its_outcome_come_back_equal(
    shared_database: Database, story: tuple[Decision, Order, Outcome]
) -> None:
    decision, order, outcome = story
    run = shared_database.start_run("story", 0)
    with run.batch():
        run.save_decision(decision)
        run.save_order(order)
        run.save_outcome(outcome)
    assert list(run.decisions()) == [decision]
    assert list(run.decisions(accepted=decision.accepted)) == [decision]
    assert list(run.decisions(accepted=not decision.accepted)) == []
    assert list(run.orders()) == [order]
    assert list(run.orders(unresolved=True)) == ([order] if isinstance(outcome, Unknown) else [])
    assert list(run.outcomes()) == [outcome]
    assert list(run.trades()) == ([outcome] if isinstance(outcome, Filled) else [])


@given(entries=strategies.ledgers())
def test_the_ledger_comes_back_equal_and_its_sums_are_exact(
    shared_database: Database, entries: list[LedgerEntry]
) -> None:
    run = shared_database.start_run("ledger", 0)
    run.append_entries(entries)
    assert list(run.ledger()) == entries
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.asset] = sums.get(entry.asset, 0) + entry.units
    assert run.balances() == sums


@given(positions=st.lists(strategies.positions, max_size=5, unique_by=lambda one: (one.pool, one.round)))
def test_positions_come_back_equal(shared_database: Database, positions: list[Position]) -> None:
    run = shared_database.start_run("positions", 0)
    with run.batch():
        for position in positions:
            run.save_position(position)
    assert list(run.positions()) == positions


@given(marks=st.lists(strategies.marks, max_size=5))
def test_marks_come_back_equal(shared_database: Database, marks: list[Mark]) -> None:
    run = shared_database.start_run("marks", 0)
    with run.batch():
        for mark in marks:
            run.save_mark(mark)
    assert list(run.marks()) == marks


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False, allow_infinity=False)
    | strategies.texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strategies.texts, inner, max_size=3),
    max_leaves=10,
)


@given(
    seed=st.none() | st.integers(-(2**200), 2**200),
    settings=st.dictionaries(strategies.texts, json_values, max_size=4),
    summary=st.dictionaries(strategies.texts, json_values, max_size=4),
)
def test_a_run_keeps_its_seed_settings_and_summary(
    shared_database: Database, seed: int | None, settings: Mapping[str, object], summary: Mapping[str, object]
) -> None:
    run = shared_database.start_run("replay", 5, seed, settings)
    assert run.summary() is None
    run.finish(9, summary)
    header = shared_database.run(run.run_id).header()
    assert (header.kind, header.started_ns, header.finished_ns) == ("replay", 5, 9)
    assert (header.seed, header.settings, header.summary) == (seed, settings, summary)
    assert run.summary() == summary
    assert shared_database.runs()[-1] == header


def test_decimals_of_settings_become_text_and_other_objects_are_refused(database: Database) -> None:
    run = database.start_run("test", 0, settings={"max_sol": Decimal("0.10")})
    assert run.header().settings == {"max_sol": "0.10"}
    with pytest.raises(UsageError, match="settings of the run"):
        database.start_run("test", 0, settings={"clock": object()})
    with pytest.raises(UsageError, match="summary of the run"):
        run.finish(1, {"pools": object()})
    assert len(database.runs()) == 1
    assert run.summary() is None


def test_a_score_that_is_no_number_is_stored_as_such(run: Run) -> None:
    signal = Signal("p", 1, Side.HOLD, float("nan"), float("inf"), "broken")
    run.save_decision(samples.decision(intent=Intent(TradeSide.BUY, "p", "m", 1, "", signal)))
    (stored,) = run.decisions()
    assert stored.intent.signal is not None
    assert repr(stored.intent.signal) == repr(signal)


def test_names_that_no_database_can_hold_are_stored_with_a_replacement(run: Run) -> None:
    run.save_position(samples.position(name="a\0b\ud800c"))
    hostile = Signal("p", 1, Side.LONG, 1.0, 1.0, "base", ("\udfff",), "m", "x\ud800")
    run.save_decision(samples.decision(intent=Intent(TradeSide.BUY, "p", "m", 1, "\ud800 pumps", hostile)))
    assert [position.name for position in run.positions()] == ["a\ufffdb\ufffdc"]
    (stored,) = run.decisions()
    assert stored.intent.reason == "\ufffd pumps"
    assert stored.intent.signal is not None
    assert (stored.intent.signal.name, stored.intent.signal.reasons) == ("x\ufffd", ("\ufffd",))


def test_objects_come_back_in_the_order_in_which_they_were_saved(run: Run) -> None:
    for number in (3, 1, 2):
        run.save_decision(samples.decision(number, accepted=number != 1))
        run.save_order(samples.order(number))
    for number in (2, 3, 1):
        run.save_outcome(samples.filled(number))
    assert [one.decision_id for one in run.decisions()] == ["d000003", "d000001", "d000002"]
    assert [one.decision_id for one in run.decisions(accepted=True)] == ["d000003", "d000002"]
    assert [one.order_id for one in run.orders()] == ["o000003", "o000001", "o000002"]
    assert [one.order_id for one in run.outcomes()] == ["o000003", "o000001", "o000002"]
    assert [one.order_id for one in run.trades()] == ["o000002", "o000003", "o000001"]


def test_runs_do_not_see_each_other(database: Database) -> None:
    one, two = database.start_run("a", 0), database.start_run("b", 0)
    for run in (one, two):
        run.save_decision(samples.decision())
        run.save_order(samples.order())
        run.append_entries([samples.entry()])
        run.save_position(samples.position())
        run.save_mark(samples.mark())
    one.save_outcome(samples.filled())
    one.append_entries([samples.entry(2, -1)])
    assert (len(list(one.trades())), len(list(two.trades()))) == (1, 0)
    assert list(two.orders(unresolved=True)) == [samples.order()]
    assert (one.balances(), two.balances()) == ({"SOL": 10**9 - 1}, {"SOL": 10**9})


def test_five_thousand_decisions(run: Run) -> None:
    refusals = [samples.decision(number, accepted=number % 10 == 0, quote_lamports=number) for number in range(5_000)]
    for start in range(0, len(refusals), 500):
        with run.batch():
            for decision in refusals[start : start + 500]:
                run.save_decision(decision)
    assert list(run.decisions()) == refusals
    assert sum(1 for _ in run.decisions(accepted=True)) == 500
