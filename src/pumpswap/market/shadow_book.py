"""ShadowBook: states of a market that does not know our paper trades, as it would be if it did.

What a chain tells of a pool does not contain what we have bought on paper: taken as it is, our own impact would be gone
with the next reading, and a sale would get a price that our purchase had used up. So what we hold is kept out of the
pool: the same trades of all others, with our tokens missing and the product of the two reserves unchanged. That is
exact for others who trade fixed amounts of the token; when nothing is held any more, nothing remains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from pumpswap.amm import PoolState
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate

__all__ = ["ShadowBook", "without_units"]


class ShadowBook(PoolBook):
    """``held`` are the base units that our paper trades of earlier processes have taken out, by pool."""

    def __init__(self, held: Mapping[str, int] | None = None) -> None:
        super().__init__()
        self._held = {pool: units for pool, units in (held or {}).items() if units}

    def held(self, pool: str) -> int:
        """Base units that are ours and not in the pool."""
        return self._held.get(pool, 0)

    def apply(self, update: MarketUpdate) -> None:
        held = self._held.get(update.pool, 0)
        if held and update.state is not None:
            update = replace(update, state=without_units(update.state, held))
        super().apply(update)

    def put(self, pool: str, state: PoolState) -> None:
        before = self.state(pool)
        if before is not None:
            self._held[pool] = self._held.get(pool, 0) + before.base_reserve - state.base_reserve
            if not self._held[pool]:
                del self._held[pool]
        super().put(pool, state)


def without_units(state: PoolState, base_units: int) -> PoolState:
    """The state from which ``base_units`` were bought without fees, rounded for the pool as the program does. A pool
    that has less than that is left as it is: no trade of ours could have emptied it.
    """
    left = state.base_reserve - base_units
    if left <= 0 or state.effective_quote_reserve <= 0:
        return state
    effective = -(-state.effective_quote_reserve * state.base_reserve // left)
    added = effective - state.effective_quote_reserve
    return msgspec.structs.replace(state, base_reserve=left, quote_vault=state.quote_vault + added)
