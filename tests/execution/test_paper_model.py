"""Latency, failures and fees of the paper venue: plain without chance, as observed with it, the same by seed."""

from __future__ import annotations

from random import Random
from typing import Any

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.execution.observed_network import FAILED_BPS, PRIORITY_LAMPORTS
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate, Order, Rejected, TradeSide
from pumpswap.settings import PaperVenueSettings
from tests.support.market import START_NS, engine, graduate, seen, settings

DRAWS = 20_000


def model(seed: int | None = 1, **changes: Any) -> PaperModel:
    return PaperModel(PaperVenueSettings(**changes), None if seed is None else Random(seed))


def test_without_chance_nothing_fails_and_the_fee_is_that_of_the_settings() -> None:
    plain = model(None)
    assert not any(plain.fails() for _ in range(100))
    assert {plain.priority_fee() for _ in range(100)} == {30_000}


def test_with_chance_what_the_settings_leave_open_is_as_observed() -> None:
    observed = model()
    failed = sum(observed.fails() for _ in range(DRAWS))
    assert abs(failed * 10_000 // DRAWS - FAILED_BPS) < 60
    assert {observed.priority_fee() for _ in range(DRAWS)} == set(PRIORITY_LAMPORTS)


def test_settings_win_over_what_was_observed() -> None:
    assert not any(model(failed_bps=0).fails() for _ in range(DRAWS))
    assert all(model(failed_bps=10_000).fails() for _ in range(100))
    assert {model(priority="fixed").priority_fee() for _ in range(100)} == {30_000}
    observed = model(None, priority="observed")
    assert {observed.priority_fee() for _ in range(DRAWS)} == set(PRIORITY_LAMPORTS)


def test_slots_win_over_milliseconds() -> None:
    assert model(latency_ms=900).latency_ns == 900_000_000
    assert model(latency_ms=900, latency_slots=3).latency_ns == 1_200_000_000
    assert model(latency_slots=0).latency_ns == 0


def test_the_same_seed_draws_the_same() -> None:
    one, other = model(7), model(7)
    assert [(one.fails(), one.priority_fee()) for _ in range(200)] == [
        (other.fails(), other.priority_fee()) for _ in range(200)
    ]


def test_an_order_that_the_network_fails_pays_its_fees_and_moves_nothing() -> None:
    made = engine(chosen=settings(paper={"failed_bps": 10_000}))
    outcomes: list[object] = []
    book: PoolBook = made.parts.book
    venue = made.parts.venue
    assert isinstance(venue, PaperVenue)
    made.deposit(50 * 10**9)
    made.step(seen(graduate(), 0, scored=True))
    order = made.desk.orders[0]
    made.clock.advance_to(START_NS)
    outcomes += venue.settle(START_NS + 10**10)
    (failed,) = outcomes
    assert isinstance(failed, Rejected)
    assert (failed.order_id, failed.code, failed.name) == (order.order_id, None, "NetworkFailure")
    assert venue.wallet.lamports == 50 * 10**9 - failed.costs.spent == 50 * 10**9 - 35_000
    assert book.state(str(graduate().address)) == graduate()


class _Told:
    """Lands where a test says, in the order of submission."""

    def __init__(self, *waits_ns: int) -> None:
        self._waits = list(waits_ns)

    def landing_ns(self, submit_ns: int, order: Order) -> int:
        return submit_ns + self._waits.pop(0)


def test_a_landing_wins_over_the_latency_and_orders_are_executed_as_they_land() -> None:
    book, settings = PoolBook(), PaperVenueSettings()
    venue = PaperVenue(
        book,
        settings,
        lambda _: current_schedule(),
        max_state_age_seconds=60,
        model=PaperModel(settings, landing=_Told(9, 3, 5, 3)),
    )
    state = graduate()
    book.apply(MarketUpdate(START_NS, str(state.address), state))
    venue.deposit(50 * 10**9)
    quote, mint = buy_exact_quote(state, current_schedule(), 10**9), str(state.pool.base_mint)
    for name in ("o1", "o2", "o3", "o4"):
        order = Order(name, "d", TradeSide.BUY, str(state.address), mint, START_NS, 1, quote, quote_lamports=10**9)
        venue.submit(order, START_NS)
    assert venue.next_landing_ns() == START_NS + 3
    assert [one.order_id for one in venue.settle(START_NS + 2)] == []
    told = [*venue.settle(START_NS + 8), *venue.settle(START_NS + 9)]
    assert [(one.order_id, one.at_ns - START_NS) for one in told] == [("o2", 3), ("o4", 3), ("o3", 5), ("o1", 9)]
    assert venue.next_landing_ns() is None
