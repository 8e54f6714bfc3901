"""Books: what a live venue asks of whoever keeps the orders and the ledger. ``live_books`` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pumpswap.chain.node import Node
from pumpswap.model import Order, Outcome, Reconciliation

__all__ = ["Books"]


class Books(Protocol):
    """Orders are in the books before anything is signed for them, outcomes the moment they are known."""

    def admit(self, order: Order) -> None:
        """Store a new order. Raises StorageError when it is stored already: an order is executed once."""
        ...

    def is_stored(self, order_id: str) -> bool:
        """Whether an order was admitted, by whatever process. Raises StorageError when the books cannot tell."""
        ...

    def know_decimals(self, mint: str, decimals: int) -> None:
        """Decimals of a mint, for what people are shown."""
        ...

    def settle(self, order: Order, outcome: Outcome, foreign: Mapping[str, int]) -> None:
        """Store and book an outcome, all of it or nothing. ``foreign`` is what its transaction changed besides."""
        ...

    def unresolved(self) -> Sequence[Order]:
        """Orders whose fate is not known: without an outcome, or Unknown."""
        ...

    def balance(self, asset: str) -> int:
        """What the ledger has of an asset."""
        ...

    def held(self, pool: str) -> int:
        """Base units of the open position in a pool, as far as the wallet is known to have them."""
        ...

    def spent_since(self, since_ns: int) -> int:
        """Lamports that orders have paid for tokens, fees and tips since then; proceeds are not set off."""
        ...

    def obstacle(self, mint: str) -> str:
        """Why nothing of a token may be bought: the books and the wallet disagree. Empty when they agree."""
        ...

    async def reconcile(self, node: Node, unsent: str = "") -> Reconciliation:
        """Compare the ledger with the chain and book what others have moved.

        ``unsent`` is an order of which nothing is on its way yet.
        """
        ...
