"""A live venue books what it hears at once and tells the engine later, several outcomes together: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

from pumpswap.amm import PoolState, current_schedule
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.keeper import Booked
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.venue import VenueWallet
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, EquityPoint, ExitKind, Filled, Order, Outcome, Position, RunObserver
from pumpswap.portfolio.portfolio import Portfolio
from tests.support.market import SOL, START_NS, always, graduate, seen, settings


class EarlyBooks:
    """Books that are written by the venue, as those of a live wallet are."""

    def __init__(self) -> None:
        self.portfolio = Portfolio()
        self._number = 0

    def decision_id(self) -> str:
        self._number += 1
        return f"d{self._number:06d}"

    def order_id(self) -> str:
        self._number += 1
        return f"l{self._number:06d}"

    def decided(self, decision: Decision, state: PoolState | None) -> None:
        """Nothing to store."""

    def book(self, order: Order, outcome: Outcome, name: str) -> Booked:
        return (), self.portfolio.positions.latest(order.pool) if isinstance(outcome, Filled) else None

    def held(self, position: Position) -> int:
        return position.base_units

    def obstacle(self, mint: str) -> str:
        return ""


class EarlyVenue:
    """Executes as the paper venue does; everything is in the books before the first outcome is told."""

    def __init__(self, inner: PaperVenue, books: EarlyBooks) -> None:
        self._inner, self._books = inner, books
        self._orders: dict[str, Order] = {}

    @property
    def wallet(self) -> VenueWallet:
        return self._inner.wallet

    def deposit(self, lamports: int) -> None:
        self._inner.deposit(lamports)

    def submit(self, order: Order, at_ns: int) -> None:
        self._orders[order.order_id] = order
        self._inner.submit(order, at_ns)

    def next_landing_ns(self) -> int | None:
        return self._inner.next_landing_ns()

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        outcomes = list(self._inner.settle(until_ns))
        for outcome in outcomes:
            self._books.portfolio.book(self._orders[outcome.order_id], outcome)
        yield from outcomes


class Points(RunObserver):
    """Remembers equity."""

    def __init__(self) -> None:
        self.all: list[int] = []

    def on_equity(self, point: EquityPoint) -> None:
        self.all.append(point.equity_lamports)


def live_like() -> tuple[Engine, Points]:
    used, book, books, points = settings(), PoolBook(), EarlyBooks(), Points()
    inner = PaperVenue(book, used.paper, lambda _: current_schedule(), max_state_age_seconds=60)
    parts = EngineParts(
        book, EarlyVenue(inner, books), always(100.0), lambda _: current_schedule(), used, keeper=books, mode="auto"
    )
    made = Engine(parts, [points])
    made.clock.advance_to(START_NS)
    made.deposit(5 * SOL)
    return made, points


def test_fills_that_are_told_together_lock_neither_the_day_nor_the_drawdown() -> None:
    made, points = live_like()
    for number in (1, 2, 3):
        made.step(seen(graduate(number), 0, scored=True))
    assert len(made.desk.orders) == 3
    measured = len(points.all)
    made.settle(made.clock.now_ns() + 5 * 10**9)
    assert len(made.portfolio.positions.open_positions()) == 3
    assert len(points.all) == measured + 1  # once, when all of it is booked and valued
    assert points.all[-1] > 4.9 * SOL
    state = made.risk.state
    assert (state.day_is_lost, state.is_drawn_down) == (False, False)


def test_parts_that_are_sold_together_do_not_raise_the_highest_equity() -> None:
    made, _ = live_like()
    for number in (1, 2, 3):
        made.step(seen(graduate(number), 0, scored=True))
    for number in (1, 2, 3):
        made.step(seen(graduate(number), 3))
    for position in made.portfolio.positions.open_positions():
        made.desk.wish(made._wishes.sell(position, "half", share_bps=5_000, kind=ExitKind.BY_HAND))
    made.settle(made.clock.now_ns() + 5 * 10**9)
    assert [position.sells for position in made.portfolio.positions.open_positions()] == [1, 1, 1]
    assert made.risk.state.peak_lamports == 5 * SOL
