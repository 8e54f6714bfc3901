"""Chore: upkeep of the wallet that is no trade: wrap, unwrap, close empty accounts. Stored and sent like an order."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.model.outcome import Costs
from pumpswap.model.spend_plan import PlanKind

__all__ = ["CHORE_PREFIX", "Chore", "ChoreResult", "is_chore"]

CHORE_PREFIX = "w"  # of their ids: orders have other ones


@dataclass(frozen=True, slots=True)
class Chore:
    """``lamports`` is what is wrapped; ``accounts`` are addresses that are closed."""

    order_id: str
    kind: PlanKind
    created_ns: int
    lamports: int = 0
    accounts: tuple[str, ...] = ()


def is_chore(order_id: str) -> bool:
    """Whether this id is that of a chore, and of no order."""
    return order_id.startswith(CHORE_PREFIX)


@dataclass(frozen=True, slots=True)
class ChoreResult:
    """``status`` is done, rejected, denied or unknown; an unknown one may land until ``expiry_height``.

    ``turned_lamports`` is what was wrapped or unwrapped, by the balances.
    """

    status: str
    at_ns: int
    text: str = ""
    signature: str = ""
    slot: int = 0
    costs: Costs = field(default_factory=Costs)
    expiry_height: int = 0
    turned_lamports: int = 0
