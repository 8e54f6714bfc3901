"""HandVenue: for trades by hand the desk decides, and who has asked for the trade sends it and waits for it himself."""

from __future__ import annotations

from collections.abc import Iterator

from pumpswap.errors import UsageError
from pumpswap.execution.live_wallet import LiveWallet
from pumpswap.model import Order, Outcome

__all__ = ["HandVenue"]


class HandVenue:
    """Implements ``Venue`` and sends nothing: the desk returns the order to its caller, who tells it the outcome."""

    def __init__(self) -> None:
        self.wallet = LiveWallet()

    def deposit(self, lamports: int) -> None:
        """Raises UsageError: the wallet holds what it holds."""
        raise UsageError("a wallet cannot be given money by saying so", hint="send it some")

    def submit(self, order: Order, at_ns: int) -> None:
        """Nothing: the caller has the order."""

    def next_landing_ns(self) -> int | None:
        """Nothing lands here."""
        return None

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        """Nothing lands here."""
        return iter(())
