"""Venue: where orders are executed. The engine knows no more of paper and chain than this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pumpswap.model import Order, Outcome

__all__ = ["Venue", "VenueWallet"]


class VenueWallet(Protocol):
    """What a venue's wallet holds, told by what moved it, never by our books: two roads, one sum."""

    def balances(self) -> dict[str, int]:
        """Raw units by asset, without zeros; ``SOL`` is native and wrapped lamports together."""
        ...


class Venue(Protocol):
    """Takes orders, and tells each one's outcome exactly once, in the order in which they landed."""

    @property
    def wallet(self) -> VenueWallet: ...

    def deposit(self, lamports: int) -> None:
        """The capital that the orders may use. Paper creates it; a chain must hold it: InsufficientFunds otherwise."""
        ...

    def submit(self, order: Order, at_ns: int) -> None:
        """Send an order on its way. Never waits for it."""
        ...

    def next_landing_ns(self) -> int | None:
        """When the next outcome is due, or None when nothing is on its way. A live venue waits for it."""
        ...

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        """Outcomes of all orders that have landed by ``until_ns``, one at a time."""
        ...
