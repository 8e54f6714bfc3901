"""Keepers: who keeps the books of what the engine trades. On paper the engine itself does, live the wallet's books."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pumpswap.amm import PoolState
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.venue import VenueWallet
from pumpswap.model import Decision, Filled, LedgerEntry, Order, Outcome, Position
from pumpswap.portfolio.portfolio import Portfolio

__all__ = ["Keeper", "LiveKeeper", "PaperKeeper"]

Booked = tuple[Sequence[LedgerEntry], Position | None]


class Keeper(Protocol):
    """Numbers decisions and orders, and knows what is held."""

    @property
    def portfolio(self) -> Portfolio: ...

    def decision_id(self) -> str:
        """An id that no decision of these books has had."""
        ...

    def order_id(self) -> str:
        """The same for orders."""
        ...

    def decided(self, decision: Decision, state: PoolState | None) -> None:
        """A decision was made, before anything follows from it."""
        ...

    def book(self, order: Order, outcome: Outcome, name: str) -> Booked:
        """The entries of an outcome that are not stored yet, and the position that it changed."""
        ...

    def held(self, position: Position) -> int:
        """How many units of a position the wallet is known to have."""
        ...

    def obstacle(self, mint: str) -> str:
        """Why nothing of a token may be bought: the books and the wallet disagree. Empty when they agree."""
        ...


class PaperKeeper:
    """Books in memory, compared with the venue's wallet after every outcome; an observer stores them.

    ``decisions`` and ``orders`` are the highest numbers given out before a restart.
    """

    def __init__(
        self, wallet: VenueWallet, portfolio: Portfolio | None = None, *, decisions: int = 0, orders: int = 0
    ) -> None:
        self.portfolio = portfolio or Portfolio()
        self._wallet = wallet
        self._decisions, self._orders = decisions, orders

    def decision_id(self) -> str:
        self._decisions += 1
        return f"d{self._decisions:06d}"

    def order_id(self) -> str:
        self._orders += 1
        return f"o{self._orders:06d}"

    def decided(self, decision: Decision, state: PoolState | None) -> None:
        """Nothing beside what observers do."""

    def book(self, order: Order, outcome: Outcome, name: str) -> Booked:
        entries, position = self.portfolio.book(order, outcome, name)
        # The wallet moved by the program's transfers, the ledger by itemised fees: two roads, one sum.
        self.portfolio.ledger.check_against(self._wallet.balances())
        return entries, position

    def held(self, position: Position) -> int:
        return position.base_units

    def obstacle(self, mint: str) -> str:
        return ""


class LiveKeeper:
    """The books of a live wallet. The venue has stored and booked an outcome before the engine hears of it; decisions
    are stored by an observer, before their order is.
    """

    def __init__(self, books: LiveBooks) -> None:
        self._books = books

    @property
    def portfolio(self) -> Portfolio:
        return self._books.portfolio

    def decision_id(self) -> str:
        return self._books.next_decision_id()

    def order_id(self) -> str:
        return self._books.next_order_id()

    def decided(self, decision: Decision, state: PoolState | None) -> None:
        if state is not None:
            self._books.know_decimals(decision.intent.mint, state.base_decimals)
        signal = decision.intent.signal
        if decision.accepted and signal is not None and signal.name:
            self._books.know_name(decision.intent.pool, signal.name)

    def book(self, order: Order, outcome: Outcome, name: str) -> Booked:
        changed = self._books.portfolio.positions.latest(order.pool) if isinstance(outcome, Filled) else None
        return (), changed

    def held(self, position: Position) -> int:
        return self._books.held(position.pool)

    def obstacle(self, mint: str) -> str:
        return self._books.obstacle(mint)
