"""Position: what we hold in one pool, one round at a time."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Position"]


@dataclass(frozen=True, slots=True)
class Position:
    """A round starts with the first buy and ends when nothing is held. All figures in raw units and lamports.

    ``cost_lamports`` is what the units still held have cost (average cost, all fees in, rent apart);
    ``bought_lamports`` and ``sold_lamports`` are totals of the round, fees and transaction costs in;
    ``realised_lamports`` is what sales have earned over their share of the cost.
    """

    pool: str
    mint: str
    round: int
    opened_ns: int
    base_units: int = 0
    cost_lamports: int = 0
    bought_lamports: int = 0
    sold_lamports: int = 0
    realised_lamports: int = 0
    rent_lamports: int = 0
    buys: int = 0
    sells: int = 0
    last_trade_ns: int = 0
    closed_ns: int | None = None
    name: str = ""

    @property
    def is_open(self) -> bool:
        """Whether anything is held."""
        return self.closed_ns is None
