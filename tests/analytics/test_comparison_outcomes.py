"""Round trips: exact against the quotes, on states of the right moment, and never on one of the future."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import PoolState, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.analytics.comparison.outcomes import (
    ENDS,
    NO_PRICE,
    REFUSED,
    UNUSABLE,
    OutcomeRules,
    OutcomeTracker,
    RoundTrip,
)
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import MarketUpdate
from tests.support.market import SOL, at, graduate, moved, seen, snapshot

FEE = 35_000


def rules(*seconds: int, latency_s: float = 0, size: int = SOL) -> OutcomeRules:
    horizons = tuple(each * NS_PER_SECOND for each in seconds)
    return OutcomeRules(size, FEE, int(latency_s * NS_PER_SECOND), horizons, lambda _: current_schedule())


def follow(chosen: OutcomeRules, *updates: MarketUpdate, end: float = 1_000) -> OutcomeTracker:
    """The tracker after these updates; every update with a snapshot is a decision, numbered as they come."""
    tracker, key = OutcomeTracker(chosen), 0
    for update in updates:
        tracker.see(update)
        if update.snapshot is not None and update.state is not None:
            tracker.decide(key, update.pool, update.at_ns, update.state)
            key += 1
    tracker.finish(at(end))
    return tracker


def exact(entry: PoolState, leave: PoolState) -> tuple[int, int]:
    bought = buy_exact_quote(entry, current_schedule(), SOL)
    sold = sell_exact_base(leave, current_schedule(), bought.base_out)
    return bought.total_quote + 2 * FEE, sold.user_quote_out


def gone(seconds: float, reserve: Any) -> MarketUpdate:
    """A snapshot that was seen and gives no state."""
    row = snapshot(graduate(), seconds)
    fields = {name: getattr(row, name) for name in ("pool_id", "pool", "dex", "at_ns")}
    return MarketUpdate(at(seconds), row.pool, None, type(row)(**fields, reserve_usd=reserve), obstacle="no price")


def test_a_round_trip_is_two_exact_quotes_and_the_network() -> None:
    state = graduate()
    tracker = follow(rules(60), seen(state, 0, scored=True), seen(moved(state, 20), 50))
    paid, received = exact(state, moved(state, 20))
    trip = tracker.trips[0][0]
    assert trip == RoundTrip(at(0), at(50), at(60), paid, received)
    assert trip.result == Fraction(received, paid) - 1
    assert 0.1 < trip.result < 0.2
    assert trip.price_age_ns == 10 * NS_PER_SECOND
    assert tracker.seen_later == {str(state.address)}


def test_a_price_that_stays_costs_the_fees_and_the_impact() -> None:
    state = graduate()
    trip = follow(rules(60), seen(state, 0, scored=True), seen(state, 50)).trips[0][0]
    assert -0.05 < trip.result < -0.02


def test_the_sale_is_on_the_last_state_at_the_horizon_and_not_after_it() -> None:
    state = graduate()
    path = [seen(state, 0, scored=True), seen(moved(state, 10), 30), seen(moved(state, 50), 60), seen(state, 61)]
    tracker = follow(rules(59, 60, 61), *path)
    assert [trips[0].exit_ns for trips in tracker.trips] == [at(30), at(60), at(61)]
    assert [trips[0].received_lamports for trips in tracker.trips] == [
        exact(state, leave)[1] for leave in (moved(state, 10), moved(state, 50), state)
    ]


def test_the_purchase_waits_for_its_latency() -> None:
    state = graduate()
    path = [seen(state, 0, scored=True), seen(moved(state, 5), 1), seen(moved(state, 30), 2), seen(moved(state, 40), 9)]
    tracker = follow(rules(60, latency_s=1.2), *path)
    trip = tracker.trips[0][0]
    assert (trip.entry_ns, trip.exit_ns) == (at(2), at(9))
    assert (trip.paid_lamports, trip.received_lamports) == exact(moved(state, 30), moved(state, 40))


def test_a_state_that_comes_exactly_with_the_latency_is_bought() -> None:
    state = graduate()
    tracker = follow(rules(60, latency_s=2), seen(state, 0, scored=True), seen(moved(state, 5), 2), seen(state, 9))
    assert tracker.trips[0][0].entry_ns == at(2)


def test_reasons_for_having_no_outcome() -> None:
    state = graduate()
    once = seen(state, 0, scored=True)
    assert follow(rules(60, latency_s=1), once).missing[0] == {NO_PRICE: 1, ENDS: 0}
    assert follow(rules(60), once).missing[0][NO_PRICE] == 1  # bought, never seen again
    assert follow(rules(60), once, seen(state, 61)).missing[0][NO_PRICE] == 1  # seen again too late
    assert follow(rules(60, latency_s=1), once, seen(state, 61), seen(state, 90)).missing[0][NO_PRICE] == 1
    assert follow(rules(60), once, seen(state, 30), end=59).missing[0][ENDS] == 1
    assert follow(rules(60, latency_s=1), once, end=59).missing[0][ENDS] == 1
    assert follow(rules(60), once, seen(state, 30), end=60).trips[0]  # the horizon itself is inside


def test_a_pool_that_sells_nothing_is_counted() -> None:
    state = graduate()
    empty = msgspec.structs.replace(state, base_reserve=1)
    tracker = follow(rules(60), seen(empty, 0, scored=True), seen(state, 30))
    assert tracker.missing[0] == {REFUSED: 1, ENDS: 0}
    assert tracker.trips == [{}]


def test_a_drained_pool_is_a_total_loss_and_no_missing_value() -> None:
    state = graduate()
    drained = follow(rules(60), seen(state, 0, scored=True), seen(moved(state, 90), 10), gone(40, 0))
    trip = drained.trips[0][0]
    assert (trip.received_lamports, trip.is_sellable, trip.result, trip.exit_ns) == (0, False, -1, at(40))
    unknown = follow(rules(60), seen(state, 0, scored=True), seen(moved(state, 90), 10), gone(40, None))
    assert unknown.trips == [{}]
    assert unknown.missing[0][UNUSABLE] == 1
    revived = follow(rules(60), seen(state, 0, scored=True), gone(40, 0), seen(moved(state, 7), 50))
    assert revived.trips[0][0].received_lamports == exact(state, moved(state, 7))[1]


def test_a_snapshot_that_tells_nothing_new_of_the_pool_changes_nothing() -> None:
    """A tape of trades has snapshots without a state: the pool is as the last trade left it."""
    state = graduate()
    silent = replace(seen(state, 40, scored=True), state=None)
    tracker = follow(rules(60), seen(state, 0, scored=True), seen(moved(state, 20), 30), silent)
    assert tracker.trips[0][0].exit_ns == at(30)


def test_a_pool_that_cannot_pay_is_a_total_loss() -> None:
    state = graduate()
    # Virtual reserves price the sale, but nobody is paid from them.
    poor = msgspec.structs.replace(
        state, quote_vault=1_000, pool=state.pool.with_changes(virtual_quote_reserves=state.quote_vault)
    )
    trip = follow(rules(60), seen(state, 0, scored=True), seen(poor, 30)).trips[0][0]
    assert (trip.result, trip.is_sellable) == (-1, False)


def test_pools_do_not_mix() -> None:
    first, second = graduate(1), graduate(2)
    path = [seen(first, 0, scored=True), seen(second, 1, scored=True), seen(moved(second, 50), 20), seen(first, 30)]
    tracker = follow(rules(40), *path)
    assert tracker.trips[0][0].received_lamports == exact(first, first)[1]
    assert tracker.trips[0][1].received_lamports == exact(second, moved(second, 50))[1]


STEPS = st.lists(st.tuples(st.integers(1, 40), st.integers(-60, 120), st.booleans()), min_size=1, max_size=15)


@given(STEPS, st.integers(0, 30), st.integers(1, 120), st.integers(0, 200))
def test_the_future_changes_no_outcome(
    steps: list[tuple[int, int, bool]], latency_s: int, horizon_s: int, cut_s: int
) -> None:
    """What is due by a moment is the same whatever happens after it."""
    state, path, now = graduate(), [seen(graduate(), 0, scored=True)], 0
    for wait, change, scored in steps:
        now += wait
        path.append(seen(moved(state, change), now, scored=scored))
    chosen = rules(horizon_s, latency_s=latency_s)
    crash = [seen(moved(state, -90), cut_s + each, scored=True) for each in range(1, 4)]
    whole = follow(chosen, *path)
    early = [update for update in path if update.at_ns <= at(cut_s)]
    other = follow(chosen, *early, *crash)
    for key in range(sum(update.snapshot is not None for update in early)):
        one, two = whole.trips[0].get(key), other.trips[0].get(key)
        deadline = [update for update in early if update.snapshot is not None][key].at_ns + chosen.horizons_ns[0]
        if deadline <= at(cut_s):
            assert one == two
        for trip in (one, two):
            assert trip is None or trip.entry_ns < trip.exit_ns <= trip.deadline_ns
    every = sum(update.snapshot is not None for update in path)
    assert len(whole.trips[0]) + sum(whole.missing[0].values()) == every
