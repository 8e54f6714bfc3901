"""What ``measure`` is given: plain rows of one run and one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pumpswap.model import EquityPoint
from pumpswap.model.booked import BookedFill, BookedMove, BookedRound

__all__ = ["OUTSIDE", "PerformanceInput", "Sale"]

OUTSIDE = "outside"  # the exit of units that left by no order of ours: sold by hand, sent away, burnt


class Sale(msgspec.Struct, frozen=True, gc=False):
    """Units that left a position, and what they earned over their share of its average cost. Lamports.

    ``received_lamports`` is after all costs, rent apart. ``strategy`` opened the round, ``exit_kind`` sold (``OUTSIDE``
    without an order). ``closes``: nothing of the round is left.
    """

    at_ns: int
    order_id: str
    pool: str
    mint: str
    round: int
    strategy: str
    exit_kind: str
    base_units: int
    received_lamports: int
    cost_lamports: int
    opened_ns: int
    closes: bool

    @property
    def gain_lamports(self) -> int:
        """What came in over what it had cost."""
        return self.received_lamports - self.cost_lamports

    @property
    def held_ns(self) -> int:
        """Since the round was opened; blocks tell times a little early, so never below zero."""
        return max(self.at_ns - self.opened_ns, 0)


@dataclass(frozen=True, slots=True)
class PerformanceInput:
    """The time is from ``since_ns`` on, up to ``until_ns``, which is not part of it.

    ``fills`` and ``moves`` are those of the time, in the order in which they were booked, ``sales`` in order of time.
    ``rounds`` were closed in it or are open at its end. ``equity`` are the points of the time, led by the last one
    before it where there is one. ``*_before`` and ``*_after`` are sums over the whole books up to the two ends, for the
    bridge from the ledger to the profit; ``ledger_after_lamports`` None: the ledger's own sum of that moment is not
    known. ``adopted`` are (time, cost) that owners named for tokens from outside in this time. ``capital`` are
    (time, lamports) of everything that was put in (or taken out, below zero) from the beginning of the books up to the
    end of this time, adopted tokens at their named cost, in order of time: for points that do not say themselves what
    was put in. ``begins_here``: nothing was booked before it. ``is_past``: things were booked or valued afterwards, so
    that not every value of a position is one of then.
    """

    since_ns: int
    until_ns: int
    fills: Sequence[BookedFill] = ()
    sales: Sequence[Sale] = ()
    moves: Sequence[BookedMove] = ()
    rounds: Sequence[BookedRound] = ()
    equity: Sequence[EquityPoint] = ()
    open_cost_before_lamports: int = 0
    open_cost_after_lamports: int = 0
    cash_before_lamports: int = 0
    ledger_after_lamports: int | None = None
    adopted: Sequence[tuple[int, int]] = ()
    capital: Sequence[tuple[int, int]] = ()
    begins_here: bool = True
    is_past: bool = False
