"""Outcome: how an order ended. A value that the type checker can exhaust; nothing is ever "probably done"."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.amm import Quote

__all__ = ["Costs", "Denied", "Filled", "Outcome", "Rejected", "Unknown"]


@dataclass(frozen=True, slots=True)
class Costs:
    """What a transaction cost besides the trade, in lamports. ``rent_paid`` comes back when accounts are closed."""

    network_fee: int = 0
    priority_fee: int = 0
    tip: int = 0
    rent_paid: int = 0
    rent_returned: int = 0

    @property
    def spent(self) -> int:
        """Lamports gone for good: without rent, which is a deposit."""
        return self.network_fee + self.priority_fee + self.tip


@dataclass(frozen=True, slots=True)
class Filled:
    """The order traded. ``executed`` is the exact quote at execution; slippage is it against the order's quote."""

    order_id: str
    at_ns: int
    slot: int
    executed: Quote
    costs: Costs
    signature: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The program refused; the transaction's fees were paid all the same. ``code`` is the program's."""

    order_id: str
    at_ns: int
    slot: int
    code: int | None
    name: str
    text: str
    costs: Costs
    signature: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Did not happen and never will; nothing was paid. A rule of ours stopped it, its simulation failed, or all its
    transactions have expired and are proven absent from the chain (rule ``expired``).
    """

    order_id: str
    at_ns: int
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The order may still land until ``expiry_height``; it blocks further orders on the token until resolved."""

    order_id: str
    at_ns: int
    signature: str
    expiry_height: int


Outcome = Filled | Rejected | Denied | Unknown
