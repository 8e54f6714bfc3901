"""PoolFacts: what can be traded in a pool at one moment, and the source that tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.addresses import NATIVE_MINT_2022, WSOL_MINT
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import ScreenReport
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["KnownStates", "PoolFacts", "PoolFactsSource", "PoolKind", "known_facts"]

_SOL_MINTS = (WSOL_MINT, NATIVE_MINT_2022)


class PoolKind(Enum):
    """Who made a pool, and what it is priced in."""

    CANONICAL = "canonical"  # by the Pump program when the coin graduated, priced in SOL
    PERMISSIONLESS = "permissionless"  # by anybody, who may also pull its liquidity
    OTHER = "other"  # by the Pump program, priced in another token than SOL


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """State and fees of a pool, and what is known about its token.

    ``screen`` None means that nobody asked for one, and that nothing is known against the token. A source that was
    asked and could not look gives a report whose verdict is UNKNOWN, which is not safe. ``data_source`` says where the
    state comes from: ``chain``, ``book`` (what a run knows of the pool), or ``snapshot`` (estimated from a collector's
    row).
    """

    state: PoolState
    schedule: FeeSchedule
    at_ns: int
    screen: ScreenReport | None = None
    data_source: str = "chain"

    @property
    def pool(self) -> str:
        """Address of the pool account: the host's pair address."""
        return str(self.state.address)

    @property
    def mint(self) -> str:
        """The token that is traded."""
        return str(self.state.pool.base_mint)

    @property
    def kind(self) -> PoolKind:
        """Who made it, and what it is priced in."""
        if not self.state.pool.is_canonical:
            return PoolKind.PERMISSIONLESS
        return PoolKind.CANONICAL if self.is_priced_in_sol else PoolKind.OTHER

    @property
    def is_priced_in_sol(self) -> bool:
        """Whether quote units are lamports: depth and sizes of any other pool have no meaning in SOL."""
        return self.state.pool.quote_mint in _SOL_MINTS

    @property
    def is_sol_itself(self) -> bool:
        """Whether what would be bought is SOL in another wrapping: no coin."""
        return self.state.pool.base_mint in _SOL_MINTS

    @property
    def depth_lamports(self) -> int:
        """SOL that can really be paid out to sellers: the quote vault without the fees owed to others.

        Virtual reserves are left out. They make the price flatter, which the exact impact shows, but nobody can be
        paid with them.
        """
        return max(self.state.real_quote_reserve, 0)

    @property
    def price_sol(self) -> Decimal | None:
        """Spot price before fees in SOL of one whole token, at 28 digits; None for a pool without reserves."""
        if self.state.base_reserve <= 0 or self.state.effective_quote_reserve <= 0:
            return None
        spot = self.state.spot_price * 10**self.state.base_decimals / LAMPORTS_PER_SOL
        return Decimal(spot.numerator) / Decimal(spot.denominator)


class PoolFactsSource(Protocol):
    """Where the facts of a pool come from. Bring your own by giving it this one method."""

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        """Facts of the pool that a host's row names. Raises PumpSwapError, with the reason, when there are none."""
        ...


class KnownStates(Protocol):
    """What a run knows of its pools; ``market.book.PoolBook`` is one."""

    def state(self, pool: str) -> PoolState | None:
        """Latest state, or None."""
        ...

    def obstacle(self, pool: str) -> str:
        """Why the pool cannot be traded; empty when nothing is known against it."""
        ...


def known_facts(
    states: KnownStates, pool: str, at_ns: int, schedule_for: Callable[[int], FeeSchedule], data_source: str
) -> tuple[PoolFacts | None, str]:
    """Facts of a pool at a moment by what is known of it then, or None and why. ``schedule_for`` takes Unix seconds."""
    obstacle = states.obstacle(pool)
    state = None if obstacle else states.state(pool)
    if state is None:
        return None, obstacle or "no state of this pool is known"
    return PoolFacts(state, schedule_for(at_ns // NS_PER_SECOND), at_ns, data_source=data_source), ""
