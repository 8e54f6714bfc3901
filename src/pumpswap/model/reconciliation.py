"""Reconciliation: one comparison of the ledger with the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pumpswap.model.foreign import ForeignEvent

__all__ = ["Reconciliation", "ReconciliationStatus"]


class ReconciliationStatus(Enum):
    """What came out of it."""

    CLEAN = "clean"  # nothing had moved but by our orders
    EXPLAINED = "explained"  # all that had moved was found on the chain and booked
    UNEXPLAINED = "unexplained"  # something is left that no transaction explains: it stops entries
    REPAIRED = "repaired"  # what was left was booked on its owner's word


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``events`` were found and booked; ``differences`` are what the wallet has beyond the ledger afterwards, by asset
    (negative: less). ``slot`` is that of the balances: everything up to it is accounted for, unless unexplained.
    """

    at_ns: int
    slot: int
    status: ReconciliationStatus
    events: tuple[ForeignEvent, ...] = ()
    differences: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Whether ledger and wallet agree now."""
        return not self.differences
