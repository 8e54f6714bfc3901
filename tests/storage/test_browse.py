"""Browse: pages of lists that join without a gap whatever is equal in them, and sums that are those of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pumpswap.model import (
    SOL,
    Denied,
    EntryKind,
    EquityPoint,
    Filled,
    Rejected,
    TradeSide,
    Unknown,
    Verdict,
)
from pumpswap.storage import Database, Run
from pumpswap.storage.browse import Browse, DecisionWish, Place
from tests.storage import samples


@pytest.fixture
def run(database: Database) -> Run:
    return database.start_run("paper", samples.NS)


@pytest.fixture
def browse(database: Database, run: Run) -> Browse:
    return database.browse(run.run_id)


def decided(run: Run, number: int, **changes: Any) -> None:
    """Decision ``number``; ``intent`` changes what was wished."""
    made = samples.decision(number)
    intent = replace(made.intent, **changes.pop("intent", {}))
    run.save_decision(replace(made, intent=intent, **changes))


def ordered(run: Run, number: int, status: str = "pending") -> None:
    decided(run, number, intent={"at_ns": number})
    run.save_order(samples.order(number, created_ns=number))
    order_id, costs = f"o{number:06d}", samples.filled().costs
    if status == "filled":
        run.save_outcome(samples.filled(number, signature=f"s{number}"))
    elif status == "denied":
        run.save_outcome(Denied(order_id, 9, "expired", "gone"))
    elif status == "rejected":
        run.save_outcome(Rejected(order_id, 9, 8, 6_004, "ExceededSlippage", "no", costs, f"s{number}"))
    elif status == "unknown":
        run.save_outcome(Unknown(order_id, 9, f"s{number}", 7))


def joined(ask: Callable[[Place | None], list[Any]], place: Callable[[Any], Place]) -> list[Any]:
    """All pages of a list, one after the other."""
    found: list[Any] = []
    before = None
    while page := ask(before):
        found += page
        before = place(page[-1])
    return found


def test_decisions_come_the_newest_first_in_pages_that_join(run: Run, browse: Browse, database: Database) -> None:
    for number in range(1, 12):
        decided(run, number, accepted=number % 3 == 0, intent={"at_ns": number // 4})
    decided(database.start_run("paper", 1), 50)
    expected = [f"d{number:06d}" for number in range(11, 0, -1)]
    for size in (1, 2, 3, 50):
        pages = joined(lambda before, size=size: browse.decisions(DecisionWish(), size, before), lambda one: one[0])  # type: ignore[misc]
        assert [stored.decision.decision_id for _, stored in pages] == expected
    accepted = browse.decisions(DecisionWish(accepted=True), 50)
    assert [stored.decision.decision_id for _, stored in accepted] == ["d000009", "d000006", "d000003"]


def test_decisions_are_filtered_by_side_pool_and_coin(run: Run, browse: Browse) -> None:
    decided(run, 1)
    decided(run, 2, intent={"side": TradeSide.SELL, "signal": None}, accepted=False)
    decided(run, 3, intent={"pool": "Pool2222"})
    decided(run, 4, intent={"pool": "Pool3333", "mint": "Mint3333"})

    def found(wish: DecisionWish) -> list[str]:
        return [stored.decision.decision_id[-1] for _, stored in browse.decisions(wish, 50)]

    assert found(DecisionWish(side=TradeSide.SELL)) == ["2"]
    assert found(DecisionWish(address="Pool2222")) == ["3"]
    assert found(DecisionWish(address=samples.MINT)) == ["3", "2", "1"]
    assert found(DecisionWish(address=samples.POOL, accepted=True)) == ["1"]
    assert found(DecisionWish(address="nothing")) == []
    assert [one.decision_id[-1] for one in browse.signals(50)] == ["4", "3", "1"]
    assert [one.decision_id[-1] for one in browse.signals(50, Place(samples.NS, 3))] == ["1"]


def test_decisions_are_counted_with_their_repetitions(run: Run, browse: Browse) -> None:
    refusal = (
        Verdict("impact", False, "too much"),
        Verdict("size", True, "fits"),
        Verdict("liquidity", False, "little"),
    )
    for number in (1, 2, 3):
        decided(run, number, accepted=False, verdicts=refusal, intent={"at_ns": number})
    decided(run, 4, intent={"at_ns": 4})
    run.decided.repeat("d000002", 40, 9)
    assert browse.decided_since(0) == (1, 43)
    assert browse.decided_since(3) == (1, 1)
    assert browse.decided_since(5) == (0, 0)

    def found(policy: str, most: int, before: Place | None = None) -> tuple[list[str], Place | None]:
        hits, following = browse.refusals_by(policy, DecisionWish(), most, before)
        return [stored.decision.decision_id[-1] for _, stored in hits], following

    assert found("impact", 9) == (["3", "2", "1"], None)
    assert found("impact", 2) == (["3", "2"], Place(2, 2))
    assert found("impact", 2, Place(2, 2)) == (["1"], None)
    assert found("size", 3) == ([], Place(1, 1))
    assert browse.refusing_policies(2) == [(("impact", "liquidity"), 0), (("impact", "liquidity"), 40)]


def test_orders_come_with_what_became_of_them(run: Run, browse: Browse) -> None:
    statuses = ["filled", "denied", "rejected", "unknown", "pending", "filled", "filled"]
    for number, status in enumerate(statuses, start=1):
        ordered(run, number, status)
    for size in (1, 3, 50):
        pages = joined(lambda before, size=size: browse.orders((), size, before), lambda one: one.place)  # type: ignore[misc]
        assert [(one.order.order_id, one.status) for one in pages] == [
            (f"o{number:06d}", statuses[number - 1]) for number in range(7, 0, -1)
        ]
    kinds = [type(one.outcome) for one in browse.orders(("unknown", "pending", "denied", "rejected"))]
    assert kinds == [type(None), Unknown, Rejected, Denied]
    assert isinstance(browse.orders(("filled",), 1)[0].outcome, Filled)
    assert browse.order_counts() == {"filled": 3, "denied": 1, "rejected": 1, "unknown": 1, "pending": 1}
    assert browse.unresolved() == 2


def test_positions_are_listed_summed_and_named(run: Run, browse: Browse) -> None:
    for number in range(1, 6):
        closed = {"closed_ns": number // 2, "base_units": 0, "cost_lamports": 0} if number > 2 else {}
        pool = f"Pool000{number}"
        given = samples.position(pool=pool, round=1, realised_lamports=number - 4, name=f"C{number}", **closed)
        run.save_position(given)
    held = [one.position.pool for one in browse.open_positions(10)]
    assert held == ["Pool0002", "Pool0001"]
    assert [one.position.pool for one in browse.open_positions(10, Place(0, 2))] == ["Pool0001"]
    pages = joined(lambda before: browse.closed_positions(1, before), lambda one: one.place)
    assert [one.position.pool for one in pages] == ["Pool0005", "Pool0004", "Pool0003"]
    (mark,) = [samples.mark(pool="Pool0001", base_units=samples.position().base_units, value_lamports=77)]
    run.save_mark(mark)
    sums = browse.position_sums()
    assert (sums.open, sums.closed, sums.won, sums.realised_lamports) == (2, 3, 1, -3 - 2 - 1 + 0 + 1)
    assert sums.cost_lamports == 2 * samples.position().cost_lamports
    assert (sums.valued, sums.value_lamports, sums.valued_cost_lamports) == (1, 77, samples.position().cost_lamports)
    assert browse.marks({"Pool0001", "Pool0002"}) == {"Pool0001": mark}
    assert browse.marks(set()) == browse.names(set()) == {}
    assert browse.names({"Pool0001", "Pool0005", "other"}) == {"Pool0001": "C1", "Pool0005": "C5"}
    assert [one.pool for one in browse.pools(10)] == [f"Pool000{number}" for number in (5, 4, 3, 2, 1)]
    listed = joined(lambda before: browse.pools(2, before), lambda one: one.place)
    assert [one.pool for one in listed] == [f"Pool000{number}" for number in (5, 4, 3, 2, 1)]
    assert [one.position.round for one in browse.rounds("Pool0003", 9)] == [1]


def test_pools_come_once_with_all_their_rounds_in_pages_that_join(run: Run, browse: Browse) -> None:
    """The round that was traded last is the newest of its pool; equal times are told apart by the number of the row."""
    traded = [("A", 1, 10), ("B", 1, 20), ("A", 2, 30), ("C", 1, 30), ("A", 3, 40), ("B", 2, 40), ("D", 1, 5)]
    for pool, number, at_ns in traded:
        closed = {"closed_ns": at_ns, "base_units": 0, "cost_lamports": 0}
        held = {} if (pool, number) == ("B", 2) else closed
        given = {"pool": pool, "round": number, "last_trade_ns": at_ns, "sells": 1, "realised_lamports": number} | held
        run.save_position(samples.position(**given))
    for size in (1, 2, 3, 9):
        pages = joined(lambda before, size=size: browse.pools(size, before), lambda one: one.place)  # type: ignore[misc]
        assert [one.pool for one in pages] == ["B", "A", "C", "D"]
    held, most, *_ = browse.pools(9)
    assert (most.rounds, most.open, most.trades, most.realised_lamports) == (3, 0, 6, 6)
    assert (held.rounds, held.open, held.cost_lamports) == (2, 1, samples.position().cost_lamports)
    assert [one.position.round for one in browse.rounds("A", 2)] == [3, 2]


def test_the_newest_mark_is_told_once_for_a_pool_of_many_rounds(run: Run, browse: Browse) -> None:
    for number in range(1, 4):
        closed = {"closed_ns": number, "base_units": 0, "cost_lamports": 0} if number < 3 else {}
        run.save_position(samples.position(round=number, **closed))
    marks = [samples.mark(at_ns=at_ns, value_lamports=at_ns) for at_ns in (5, 7, 6)]
    for mark in marks:
        run.save_mark(mark)
    assert browse.marks({samples.POOL, "other"}) == {samples.POOL: marks[1]}
    assert browse.marks({samples.POOL}, before_ns=7) == {samples.POOL: marks[2]}
    assert browse.marks({samples.POOL}, before_ns=5) == {}


def test_decimals_of_what_is_held_are_told_where_the_rows_have_them(run: Run, browse: Browse) -> None:
    run.save_position(samples.position(pool="unknown"))
    run.know_decimals(samples.MINT, 6)
    run.save_position(samples.position(pool="known"))
    run.save_position(samples.position(pool="closed", closed_ns=5, base_units=0, cost_lamports=0))
    assert browse.held_decimals({"known", "unknown", "closed"}) == {"known": 6}
    assert browse.held_decimals(set()) == {}


def test_sales_are_found_among_many_purchases(run: Run, browse: Browse) -> None:
    for number in range(1, 9):
        side = {"side": TradeSide.SELL, "signal": None} if number in (2, 5, 6) else {}
        decided(run, number, accepted=number != 5, intent={"at_ns": number, **side})

    def found(wish: DecisionWish, before: Place | None = None) -> list[str]:
        return [stored.decision.decision_id[-1] for _, stored in browse.decisions(wish, 2, before)]

    assert found(DecisionWish(side=TradeSide.SELL)) == ["6", "5"]
    assert found(DecisionWish(side=TradeSide.SELL), Place(5, 5)) == ["2"]
    assert found(DecisionWish(accepted=False, side=TradeSide.SELL)) == ["5"]
    assert found(DecisionWish(side=TradeSide.BUY)) == ["8", "7"]


def test_an_empty_run_has_empty_lists_and_sums_of_nothing(browse: Browse) -> None:
    assert browse.decisions(DecisionWish(), 5) == browse.orders() == browse.pools(5) == browse.signals(5) == []
    assert browse.open_positions(5) == browse.closed_positions(5) == browse.curve(0, 10, 5) == []
    assert browse.position_sums().realised_lamports == 0
    assert (browse.equity_at(5), browse.moved(SOL), browse.costs_since(0)) == (None, {}, {})
    assert (browse.order_counts(), browse.decided_since(0), browse.unseen_alerts()) == ({}, (0, 0), {})


def test_a_curve_has_few_points_spread_over_its_time(run: Run, browse: Browse) -> None:
    with run.batch():
        for number in range(1_000):
            run.equity.add(EquityPoint(number * 10, number, 0, 0))
    curve = browse.curve(0, 9_990, 10)
    assert len(curve) == 10
    assert [point.at_ns for point in curve] == [number * 1_000 for number in range(10)]  # steps of 999: the next point
    assert browse.curve(9_985, 9_990, 5) == [EquityPoint(9_990, 999, 0, 0)]
    assert len(browse.curve(0, 9_991, 5_000)) == 1_000
    found = (browse.equity_at(55), browse.equity_at(50), browse.equity_at(-1))
    assert [None if point is None else point.at_ns for point in found] == [50, 50, 0]


def test_what_moved_is_the_sum_of_the_ledger(run: Run, browse: Browse) -> None:
    run.append_entries(
        [
            samples.entry(1, 10**18, at_ns=1),
            samples.entry(2, -7, at_ns=2, kind=EntryKind.LP_FEE),
            samples.entry(3, -5, at_ns=3, kind=EntryKind.LP_FEE),
            samples.entry(4, 9, at_ns=3, asset="M", kind=EntryKind.TRADE_BASE),
        ]
    )
    assert browse.moved(SOL) == {EntryKind.DEPOSIT: 10**18, EntryKind.LP_FEE: -12}
    assert browse.costs_since(3) == {EntryKind.LP_FEE: -5}
    assert browse.costs_since(0) == {EntryKind.LP_FEE: -12}
    assert browse.costs_since(4) == {}


def test_what_the_owner_has_put_in_is_told_without_anything_else_that_moved(run: Run, browse: Browse) -> None:
    run.append_entries(
        [
            samples.entry(1, 50, at_ns=1),
            samples.entry(2, 9, at_ns=2, asset="M"),
            samples.entry(3, -20, at_ns=3, kind=EntryKind.WITHDRAWAL),
            samples.entry(4, -5, at_ns=3, kind=EntryKind.NETWORK_FEE),
            samples.entry(5, -7, at_ns=3, kind=EntryKind.TRADE_QUOTE, order_id="o000001"),
            samples.entry(6, 4, at_ns=4),
        ]
    )
    assert [browse.put_in_since(at_ns) for at_ns in (0, 1, 2, 3, 4, 5)] == [34, 34, -16, -16, 4, 0]
