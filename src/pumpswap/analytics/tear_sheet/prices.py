"""PricePath: how the price of a pool went while we traded in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.storage.fills import FillRow

__all__ = ["PricePath", "biggest_pools"]


@dataclass(frozen=True, slots=True)
class PricePath:
    """``points`` are (time, lamports, raw units of the coin that these are the price of); a point without units is
    none. ``is_spot``: the pool's own price; else what our units would have brought. ``decimals`` are None where nobody
    has told them: then prices are of raw units.
    """

    pool: str
    name: str
    decimals: int | None
    points: Sequence[tuple[int, int, int]]
    fills: Sequence[FillRow]
    gain_lamports: int
    is_spot: bool

    def price(self, lamports: int, units: int) -> float | None:
        """SOL for a million tokens, or lamports for a million raw units; None without units."""
        if not units:
            return None
        scale = 1.0 if self.decimals is None else 10.0 ** (self.decimals - 9)
        return lamports / units * 1_000_000 * scale

    @property
    def line(self) -> str:
        """What its line shows."""
        return "price of the pool" if self.is_spot else "what a sale of ours would have brought"

    @property
    def unit(self) -> str:
        """What prices are in."""
        return "lamports per million raw units" if self.decimals is None else "SOL per million tokens"


def biggest_pools(gains: Sequence[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """(pool, gain) of the pools whose gains or losses are the largest, from rounds: (pool, gain) of each."""
    sums: dict[str, int] = {}
    for pool, gain in gains:
        sums[pool] = sums.get(pool, 0) + gain
    return sorted(sums.items(), key=lambda pair: (-abs(pair[1]), pair[0]))[:most]
