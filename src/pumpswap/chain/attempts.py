"""What the sender must have stored, and in which order. The storage room implements it; app joins the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pumpswap.model import Attempt, AttemptState

__all__ = ["AttemptStore"]


class AttemptStore(Protocol):
    """Signed transactions. Every writer returns only when the row survives a power cut."""

    def add(self, attempt: Attempt) -> None:
        """Store a new attempt before its first broadcast. Its order must be stored.

        Raises StorageError while another attempt of the same order is open: one signature at a time per order.
        """
        ...

    def mark(self, signature: str, state: AttemptState, at_ns: int, note: str = "") -> None:
        """Take an attempt forward: signed → sent → landed or expired. Never back; the same state again is harmless."""
        ...

    def of_order(self, order_id: str) -> Sequence[Attempt]:
        """Attempts of an order, first to last."""
        ...

    def unresolved(self) -> Sequence[Attempt]:
        """Attempts that may still land, of all orders, oldest first."""
        ...
