"""The rules of the books: what may follow what, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.errors import NotFound, StorageError, UsageError
from pumpswap.model import Costs, Denied, Outcome, Rejected, TradeSide, Unknown
from pumpswap.storage import Database, Run
from tests.storage import samples

REJECTED = Rejected("o000001", 5, 6, 6004, "ExceededSlippage", "too late", Costs(network_fee=5_000), "s")
DENIED = Denied("o000001", 5, "stale state", "the state is 90 s old")
UNKNOWN = Unknown("o000001", 5, "s", 300)


@pytest.fixture
def ordered(run: Run) -> Run:
    """A run with one order on its way."""
    run.save_decision(samples.decision())
    run.save_order(samples.order())
    return run


# ---------------------------------------------------------------- orders and outcomes


def test_an_order_without_a_stored_decision_is_refused(run: Run) -> None:
    with pytest.raises(StorageError, match="order o000001 contradicts the books") as refused:
        run.save_order(samples.order())
    assert refused.value.hint
    assert [*run.orders()] == []


@pytest.mark.parametrize("outcome", [samples.filled(), REJECTED, DENIED, UNKNOWN])
def test_an_outcome_without_a_stored_order_is_refused(run: Run, outcome: Outcome) -> None:
    with pytest.raises(StorageError, match="is not stored"):
        run.save_outcome(outcome)
    assert [*run.outcomes()] == []
    assert [*run.trades()] == []


def test_a_decision_and_an_order_are_stored_once(ordered: Run) -> None:
    with pytest.raises(StorageError, match="decision d000001 contradicts"):
        ordered.save_decision(samples.decision())
    with pytest.raises(StorageError, match="order o000001 contradicts"):
        ordered.save_order(samples.order())
    assert len([*ordered.orders()]) == len([*ordered.decisions()]) == 1


def test_a_decision_that_another_process_has_stored_is_kept_as_it_is(ordered: Run) -> None:
    ordered.keep_decision(replace(samples.decision(), quote_lamports=samples.decision().quote_lamports + 1))
    assert [*ordered.decisions()] == [samples.decision()]
    ordered.keep_decision(replace(samples.decision(), decision_id="d000002"))
    assert [one.decision_id for one in ordered.decisions()] == ["d000001", "d000002"]


@pytest.mark.parametrize("final", [samples.filled(), REJECTED, DENIED])
def test_a_final_outcome_may_be_told_again_but_not_changed(ordered: Run, final: Outcome) -> None:
    ordered.save_outcome(final)
    ordered.save_outcome(final)
    assert [*ordered.outcomes()] == [final]
    assert [*ordered.orders(unresolved=True)] == []
    for other in (samples.filled(at_ns=7), replace(REJECTED, slot=7), replace(DENIED, text="other"), UNKNOWN):
        with pytest.raises(StorageError, match=f"has ended as {type(final).__name__} already"):
            ordered.save_outcome(other)
    assert [*ordered.outcomes()] == [final]


@pytest.mark.parametrize("final", [samples.filled(), REJECTED, DENIED])
def test_an_unknown_outcome_is_resolved_later(ordered: Run, final: Outcome) -> None:
    ordered.save_outcome(UNKNOWN)
    assert [*ordered.orders(unresolved=True)] == [samples.order()]
    ordered.save_outcome(replace(UNKNOWN, expiry_height=301))
    assert [*ordered.outcomes()] == [replace(UNKNOWN, expiry_height=301)]
    ordered.save_outcome(final)
    assert [*ordered.outcomes()] == [final]
    assert [*ordered.orders(unresolved=True)] == []


def test_the_quote_of_the_other_side_is_refused(ordered: Run) -> None:
    with pytest.raises(UsageError, match="is a buy with the quote of a sell"):
        ordered.save_outcome(samples.filled(executed=samples.sell_quote()))
    with pytest.raises(UsageError, match="is a sell with the quote of a buy"):
        ordered.save_order(samples.order(2, decision_id="d000001", side=TradeSide.SELL))
    assert [*ordered.outcomes()] == []
    assert [*ordered.orders(unresolved=True)] == [samples.order()]


# ---------------------------------------------------------------- ledger


def test_the_ledger_grows_without_gaps_and_repetitions(run: Run) -> None:
    run.append_entries([])
    run.append_entries([samples.entry(1), samples.entry(2)])
    for wrong in ([1], [2], [4], [0], [3, 5], [3, 3], [4, 3]):
        with pytest.raises(StorageError, match="came where"):
            run.append_entries([samples.entry(sequence) for sequence in wrong])
    run.append_entries([samples.entry(3)])
    assert [entry.sequence for entry in run.ledger()] == [1, 2, 3]


def test_an_asset_that_was_given_away_again_stays_in_the_balances_with_nothing(run: Run) -> None:
    run.append_entries([samples.entry(1, 5, asset="M"), samples.entry(2, -5, asset="M")])
    assert run.balances() == {"M": 0}


# ---------------------------------------------------------------- positions


def test_a_position_is_replaced_within_its_round_and_kept_beside_other_rounds_and_pools(run: Run) -> None:
    first, closed = samples.position(), samples.position(base_units=0, cost_lamports=0, sells=1, closed_ns=samples.NS)
    again, elsewhere = samples.position(round=2), samples.position(pool="Pool2222")
    for position in (first, closed, again, elsewhere):
        run.save_position(position)
    assert [*run.positions()] == [closed, again, elsewhere]


# ---------------------------------------------------------------- runs


def test_a_run_is_finished_once(run: Run) -> None:
    run.finish(2_000, {"trades": 0})
    with pytest.raises(StorageError, match="finished already"):
        run.finish(3_000, {"trades": 1})
    assert run.header().finished_ns == 2_000
    assert run.summary() == {"trades": 0}


def test_runs_are_listed_oldest_first_and_found_by_number(database: Database) -> None:
    assert database.runs() == ()
    numbers = [database.start_run(kind, 0).run_id for kind in ("demo", "replay", "paper")]
    assert [(run.run_id, run.kind) for run in database.runs()] == [
        *zip(numbers, ("demo", "replay", "paper"), strict=True)
    ]
    assert database.run(numbers[1]).header().kind == "replay"
    with pytest.raises(NotFound, match="no run 99") as missing:
        database.run(99)
    assert missing.value.exit_code == 3


def test_the_run_that_is_shown_is_the_newest_live_one_that_goes_on_else_the_newest(database: Database) -> None:
    assert database.shown_run() is None and database.count_runs() == 0
    shown = []
    for kind in ("paper", "live", "live", "demo"):
        run = database.start_run(kind, 0, settings={"a": 1})
        found = database.shown_run()
        assert found is not None
        shown.append(found.run_id - run.run_id)
    assert shown == [0, 0, 0, -1]
    for run_id, expected in ((3, 2), (2, 4)):
        database.run(run_id).finish(1, {})
        found = database.shown_run()
        assert found is not None and found.run_id == expected
    assert database.count_runs() == 4


def test_a_back_test_in_nautilus_is_shown_only_where_there_is_nothing_else(database: Database) -> None:
    shown = []
    for kind in ("nautilus", "nautilus", "paper", "nautilus"):
        database.start_run(kind, 0, settings={"a": 1})
        found = database.shown_run()
        assert found is not None
        shown.append(found.header().kind)
    assert shown == ["nautilus", "nautilus", "paper", "paper"]
