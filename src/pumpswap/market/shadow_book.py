"""ShadowBook: states of a market that does not know our paper trades, as it would be if it did.

What a chain tells of a pool does not contain what we have bought on paper: taken as it is, our own impact would be gone
with the next reading, and a sale would get a price that our purchase had used up. So what we hold is kept out of the
pool. What the others would have done in a pool that contains our trade nobody can know; this is what is held constant:

* Buyers spend an amount of quote, sellers sell an amount of the token: when the others have bought on balance since our
  trade, the pool has the quote of our trade more than the chain's; when they have sold, our tokens less. Both lie on
  the chain's own curve, and the one that changes less counts, which is exactly that distinction.
* Liquidity is put in and taken out as a share of the pool, and with it the same share of what our trade has changed.
  Whoever pulls nine tenths of a pool takes nine tenths of our money along; a sale never pays more than what is left.

When nothing is held any more, nothing remains.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import msgspec

from pumpswap.amm import PoolState
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate

__all__ = ["OurShare", "ShadowBook", "without_units"]


@dataclass(frozen=True, slots=True)
class OurShare:
    """What our trades have changed in a pool, measured at the last of them: ``base_out`` units less and ``quote_in``
    lamports more than the chain told, which had ``lp_supply`` then. Both are negative where a part was sold at a price
    for which the chain's pool had fewer tokens. ``units`` are those that we hold.
    """

    units: int
    base_out: int
    quote_in: int
    lp_supply: int

    @classmethod
    def measured(cls, told: PoolState, base_out: int, units: int) -> OurShare | None:
        """``told`` is the chain's state. None when its curve cannot tell: it has fewer tokens than are missing."""
        left, quote = told.base_reserve - base_out, told.effective_quote_reserve
        if left <= 0 or quote <= 0:
            return None
        return cls(units, base_out, -(-quote * told.base_reserve // left) - quote, told.pool.lp_supply)

    def taken_from(self, told: PoolState) -> PoolState:
        """The state with our trades in it; a pool without a curve is left as it is."""
        base, quote = told.base_reserve, told.effective_quote_reserve
        if base <= 0 or quote <= 0:
            return told
        left, added = base - self._scaled(self.base_out, told), self._scaled(self.quote_in, told)
        if left > 0 and abs((by_base := -(-quote * base // left)) - quote) <= abs(added):
            return _with(told, left, by_base - quote)
        return _with(told, -(-quote * base // (quote + added)), added)

    def _scaled(self, amount: int, told: PoolState) -> int:
        if not self.lp_supply or not told.pool.lp_supply:
            return amount  # a recording without it
        return amount * told.pool.lp_supply // self.lp_supply


class ShadowBook(PoolBook):
    """``held`` are the base units that our paper trades of earlier processes have taken out, by pool, ``remembered``
    what ``memory`` gave then. Where that is missing, they count as bought from the first state that is told.
    """

    def __init__(self, held: Mapping[str, int] | None = None, remembered: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self._held = {pool: units for pool, units in (held or {}).items() if units}
        self._shares: dict[str, OurShare] = {}
        self._told: dict[str, PoolState] = {}  # of the pools in which we have a share
        for pool, share in (remembered or {}).items():
            found = msgspec.convert(share, OurShare)
            if found.units == self._held.get(pool):
                self._shares[pool] = found

    def held(self, pool: str) -> int:
        """Base units that are ours and not in the pool."""
        return self._held.get(pool, 0)

    def memory(self) -> dict[str, object]:
        """What the next process must know, by pool, to go on where this one ends."""
        return {pool: msgspec.to_builtins(share) for pool, share in self._shares.items()}

    def apply(self, update: MarketUpdate) -> None:
        state, units = update.state, self._held.get(update.pool)
        if units and state is not None and not self._is_older(update.pool, state):
            self._told[update.pool] = state
            share = self._shares.get(update.pool) or OurShare.measured(state, units, units)
            if share is not None:
                self._shares[update.pool] = share
                update = replace(update, state=share.taken_from(state))
        super().apply(update)

    def put(self, pool: str, state: PoolState) -> None:
        before = self.state(pool)
        if before is not None:
            units = self._held.get(pool, 0) + before.base_reserve - state.base_reserve
            told = self._told.get(pool, before)
            share = OurShare.measured(told, told.base_reserve - state.base_reserve, units) if units else None
            if units:
                self._held[pool] = units
                self._told[pool] = told
            else:
                self._held.pop(pool, None)
                self._told.pop(pool, None)
            if share is not None:
                self._shares[pool] = share
            else:
                self._shares.pop(pool, None)
        super().put(pool, state)

    def forget(self, before_ns: int, kept: Container[str]) -> None:
        """What is ours is not forgotten either."""
        super().forget(before_ns, {pool for pool in self if pool in kept or pool in self._held})


def without_units(state: PoolState, base_units: int) -> PoolState:
    """The state from which ``base_units`` were bought without fees, rounded for the pool as the program does. A pool
    that has less than that is left as it is: no trade of ours could have emptied it.
    """
    share = OurShare.measured(state, base_units, base_units)
    return state if share is None else share.taken_from(state)


def _with(told: PoolState, base_reserve: int, added_quote: int) -> PoolState:
    return msgspec.structs.replace(told, base_reserve=base_reserve, quote_vault=told.quote_vault + added_quote)
