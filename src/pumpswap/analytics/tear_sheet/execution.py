"""Execution: how far fills were from their quotes, what their own size moved, how long they took, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from pumpswap.model import TradeSide
from pumpswap.storage.fills import FillRow, UnfilledRow

__all__ = ["Execution", "Failure", "Spread", "execution_of", "spread_of"]

_SHOWN = (5, 50, 95)


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: ``percentiles`` by their number (the value that so many of a hundred do not exceed)."""

    count: int
    mean: float
    lowest: float
    highest: float
    percentiles: dict[int, float]

    def to_json(self) -> dict[str, object]:
        """For scripts; rounded to billionths."""
        shown = {f"p{number}": round(value, 9) for number, value in self.percentiles.items()}
        ends = {"lowest": round(self.lowest, 9), "highest": round(self.highest, 9)}
        return {"count": self.count, "mean": round(self.mean, 9), **ends, **shown}


@dataclass(frozen=True, slots=True)
class Failure:
    """Orders of one side that have traded nothing for one reason. ``status`` is ``rejected`` (by the program),
    ``denied`` (not sent, or expired), ``unknown`` or ``pending``.
    """

    side: TradeSide
    status: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Execution:
    """Of one time. Slippage and impact are shares (positive is worse), ``landing`` seconds from the decision to its
    confirmation: below zero where the clocks of chain and machine disagree.

    ``slippages`` are those of the fills, for a chart, by side.
    """

    buys: Spread | None
    sells: Spread | None
    impact: Spread | None
    landing: Spread | None
    failures: Sequence[Failure]
    slippages: dict[TradeSide, Sequence[float]]
    landings: Sequence[float]

    @property
    def fills(self) -> int:
        """Orders that have traded."""
        return sum(map(len, self.slippages.values()))

    @property
    def failed(self) -> int:
        """Orders that have ended without."""
        return sum(one.count for one in self.failures if one.status in ("rejected", "denied"))

    @property
    def fill_rate(self) -> float | None:
        """Share of the orders that have ended; None without any."""
        ended = self.fills + self.failed
        return self.fills / ended if ended else None


def execution_of(fills: Sequence[FillRow], unfilled: Sequence[UnfilledRow]) -> Execution:
    """The figures of these orders."""
    by_side = {side: [fill.slippage for fill in fills if fill.side is side] for side in TradeSide}
    counts = Counter((one.side, one.status, one.reason) for one in unfilled)
    landings = [fill.landing_ns / 1e9 for fill in fills]
    return Execution(
        buys=spread_of(by_side[TradeSide.BUY]),
        sells=spread_of(by_side[TradeSide.SELL]),
        impact=spread_of([fill.impact for fill in fills]),
        landing=spread_of(landings),
        failures=[Failure(side, status, reason, count) for (side, status, reason), count in counts.most_common()],
        slippages={side: tuple(found) for side, found in by_side.items()},
        landings=tuple(landings),
    )


def spread_of(values: Sequence[float]) -> Spread | None:
    """None without a value."""
    if not values:
        return None
    ordered = sorted(values)
    count = len(ordered)
    percentiles = {number: ordered[max(-(-count * number // 100) - 1, 0)] for number in _SHOWN}
    return Spread(count, fsum(ordered) / count, ordered[0], ordered[-1], percentiles)
