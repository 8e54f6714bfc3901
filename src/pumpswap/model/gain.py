"""RealisedGain: what one sale has earned over its share of the cost."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.model.position import Position

__all__ = ["RealisedGain", "gain_between"]


@dataclass(frozen=True, slots=True)
class RealisedGain:
    """By average cost, after all fees and costs, rent apart. ``held_ns``: since the round was opened."""

    gain_lamports: int
    cost_lamports: int
    held_ns: int


def gain_between(before: Position | None, after: Position | None) -> RealisedGain | None:
    """The gain of the sale that turned one position into the other; None when there was no sale."""
    if before is None or after is None or after.round != before.round or after.sells != before.sells + 1:
        return None
    return RealisedGain(
        after.realised_lamports - before.realised_lamports,
        before.cost_lamports - after.cost_lamports,
        after.last_trade_ns - after.opened_ns,
    )
