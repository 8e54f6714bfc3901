"""SimulatedScreens: the coins of a simulated market, screened by the real rules on what that market knows of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import SYSTEM_PROGRAM
from pumpswap.market.book import PoolBook
from pumpswap.market.simulated_cast import SUPPLY, Listing, PoolKind
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import (
    Holder,
    HolderRole,
    Holders,
    MarketUpdate,
    MintBasics,
    MintControls,
    PoolAge,
    PoolStanding,
    ScreenReport,
    SeenSwap,
    TokenFacts,
    TradingSeen,
)
from pumpswap.settings import ScreenSettings
from pumpswap.signals.screens import screen_token

__all__ = ["SimulatedScreens"]

_DECIMALS = 6


class SimulatedScreens:
    """Nobody can look a simulated coin up on a chain; what a node would tell of a real one the simulator knows: who
    holds it, how old its pool is, who has traded, what can be withdrawn. ``now`` is the market's time.
    """

    def __init__(
        self, market: MarketSimulator, book: PoolBook, settings: ScreenSettings, now: Callable[[], int]
    ) -> None:
        self._book, self._settings, self._now = book, settings, now
        self._listings = {str(one.floor.opening.pool.base_mint): one for one in market.listings}
        self._pools = {one.floor.address for one in market.listings}
        self._states: dict[str, PoolState] = {}
        self._swaps: dict[str, deque[SeenSwap]] = {pool: deque(maxlen=settings.recent_swaps) for pool in self._pools}
        self._counted = dict.fromkeys(self._pools, 0)

    def hearing(self, updates: Iterable[MarketUpdate]) -> Iterator[MarketUpdate]:
        """The same updates; their trades are remembered, with the reserves before each."""
        for update in updates:
            before = self._states.get(update.pool)
            if update.swap is not None and before is not None:
                self._counted[update.pool] += 1
                swap = update.swap
                seen = (swap.at_ns, swap.is_buy, swap.base_units, swap.quote_units, swap.trader)
                self._swaps[update.pool].append(SeenSwap(*seen, before.base_reserve, before.effective_quote_reserve))
            if update.state is not None:
                self._states[update.pool] = update.state
            yield update

    def report(self, mint: str) -> ScreenReport | None:
        """The report of this moment; None for a coin that is not of this market."""
        listing = self._listings.get(mint)
        state = None if listing is None else self._book.state(listing.floor.address)
        if listing is None or state is None:
            return None
        return screen_token(self._facts(listing, state), self._settings)

    def _facts(self, listing: Listing, state: PoolState) -> TokenFacts:
        pool, address = state.pool, listing.floor.address
        swaps = tuple(self._swaps[address])
        is_young = listing.created_ns >= listing.opens_ns  # an older pool was traded before the simulation
        return TokenFacts(
            mint=str(pool.base_mint),
            at_ns=self._now(),
            slot=state.slot,
            basics=MintBasics(str(state.base_token_program), _DECIMALS, SUPPLY, None, None, MintControls()),
            pool=_standing(listing, state),
            age=PoolAge(listing.created_ns, is_creation=True),
            holders=_holders(listing, state),
            creators=(str(pool.creator if pool.coin_creator == SYSTEM_PROGRAM else pool.coin_creator),),
            trading=TradingSeen(swaps, is_young and self._counted[address] == len(swaps), failed_sells=0),
        )


def _standing(listing: Listing, state: PoolState) -> PoolStanding:
    is_canonical = listing.kind is not PoolKind.PERMISSIONLESS
    supply = state.pool.lp_supply
    return PoolStanding(
        address=listing.floor.address,
        is_canonical=is_canonical,
        is_graduated=True if is_canonical else None,
        base_units=state.base_reserve,
        effective_quote_units=state.effective_quote_reserve,
        real_quote_units=state.real_quote_reserve,
        quote_decimals=state.quote_decimals,
        lp_supply_units=supply,
        lp_minted_units=0 if is_canonical else supply,  # what graduates is burned
    )


def _holders(listing: Listing, state: PoolState) -> Holders:
    """Everybody but us: what we hold ourselves is what the list lacks."""
    owners = [Holder(owner, units) for owner, units in listing.floor.holdings.items() if units > 0]
    owners.append(Holder(listing.floor.address, state.base_reserve, HolderRole.POOL))
    owners.sort(key=lambda one: (-one.units, one.owner))
    return Holders(tuple(owners), is_complete=True)
