"""NotedBooks: money and positions as a caller reports them, for a risk manager that has no executor's books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pumpswap.amm import FeeSchedule, PoolState, current_schedule
from pumpswap.engine.desk import Desk
from pumpswap.engine.desk_parts import DeskParts
from pumpswap.engine.keeper import Booked
from pumpswap.engine.promised import with_orders
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.execution.hand_venue import HandVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, Intent, Order, Outcome, Position, RiskState, TradeSide
from pumpswap.portfolio.portfolio import Portfolio
from pumpswap.risk.policies import BookView
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import Settings

__all__ = ["NotedBooks", "with_approved"]


class _NotedKeeper:
    """``Keeper`` of what a caller reports: nothing is stored, and no wallet is compared."""

    def __init__(self) -> None:
        self.portfolio = Portfolio()
        self._numbers = 0

    def decision_id(self) -> str:
        self._numbers += 1
        return f"v{self._numbers:06d}"

    order_id = decision_id

    def decided(self, decision: Decision, state: PoolState | None) -> None:
        """Nothing beside what is returned."""

    def book(self, order: Order, outcome: Outcome, name: str) -> Booked:
        return self.portfolio.book(order, outcome, name)

    def held(self, position: Position) -> int:
        return position.base_units

    def obstacle(self, mint: str) -> str:
        return ""


class NotedBooks:
    """A desk that decides and sends nothing: it books what its caller reports."""

    def __init__(self, settings: Settings, now_ns: Callable[[], int], risk: RiskState | None = None) -> None:
        self.settings, self._now_ns = settings, now_ns
        self.keeper = _NotedKeeper()
        self.book = PoolBook()
        self.schedule: FeeSchedule = current_schedule()
        self.risk = RiskTracker(settings.risk, risk)
        parts = DeskParts(
            book=self.book,
            venue=HandVenue(),
            keeper=self.keeper,
            risk=self.risk,
            exits=ExitManager(settings.exits),
            schedule_for=lambda _: self.schedule,
            settings=settings,
        )
        self.desk = Desk(parts, now_ns)

    @property
    def balance(self) -> int:
        """Lamports that are there."""
        return self.keeper.portfolio.cash

    def ended(self, order: Order, outcome: Outcome) -> None:
        """An order of the caller's has ended so."""
        if order.side is TradeSide.BUY:
            self.risk.entered(order)
        self.desk.restore([order])
        self.desk.book(outcome)

    def set_balance(self, lamports: int) -> None:
        """The owner's wallet holds so much now: what was put in or taken out is neither gain nor loss."""
        moved = lamports - self.balance
        if moved:
            self.keeper.portfolio.deposit(moved, self._now_ns())
            self.risk.moved(moved)


def with_approved(desk: Desk, orders: list[Order], intent: Intent) -> BookView:
    """What the gate sees when these, which the desk does not know, are on their way besides."""
    view = desk.book_view(intent)
    held = desk.parts.keeper.portfolio.positions.open_positions()
    counted = {position.pool for position in held}
    counted |= {order.pool for order in desk.orders if order.side is TradeSide.BUY}
    view = with_orders(view, orders, intent, desk.parts.settings.risk, counted)
    buys = sum(1 for order in orders if order.side is TradeSide.BUY)
    minute, hour, day = view.risk.entries
    entries = minute + buys, hour + buys, day + buys
    return replace(view, risk=replace(view.risk, entries=entries, trial_is_out=view.risk.trial_is_out or buys > 0))
