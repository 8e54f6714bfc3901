"""TokenFacts: what was found out about a token and its pool, and what could not be, with the reason.

Every group is None where it could not be read; ``unread`` says why. Amounts are raw units, addresses base58.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from pumpswap.model.mint_controls import MintControls

__all__ = [
    "Holder",
    "HolderRole",
    "Holders",
    "MarketFigures",
    "MintBasics",
    "PoolAge",
    "PoolStanding",
    "SeenSwap",
    "TokenFacts",
    "TradingSeen",
]


@dataclass(frozen=True, slots=True)
class MintBasics:
    """The mint account. An authority is None when it was given up for good."""

    token_program: str
    decimals: int
    supply_units: int
    mint_authority: str | None
    freeze_authority: str | None
    controls: MintControls


@dataclass(frozen=True, slots=True)
class PoolStanding:
    """The pool that would be traded in. ``is_graduated``: the coin's bonding curve says it is complete; None without a
    curve. ``lp_supply_units`` is what deposits and withdrawals are reckoned with, ``lp_minted_units`` the supply of the
    LP mint: what is missing there was burned and can never be withdrawn.
    """

    address: str
    is_canonical: bool
    is_graduated: bool | None
    base_units: int
    effective_quote_units: int
    real_quote_units: int
    quote_decimals: int
    lp_supply_units: int
    lp_minted_units: int | None

    @property
    def lp_burned(self) -> Fraction | None:
        """Share of the liquidity that nobody can withdraw; None when the LP mint is not known or nothing was issued."""
        if self.lp_minted_units is None or self.lp_supply_units <= 0:
            return None
        return 1 - Fraction(min(self.lp_minted_units, self.lp_supply_units), self.lp_supply_units)


@dataclass(frozen=True, slots=True)
class PoolAge:
    """``since_ns``: the pool existed then. ``is_creation``: that was its creation; else it may be older."""

    since_ns: int
    is_creation: bool = False


class HolderRole(Enum):
    """Whose tokens these are. Only those of HOLDER and CREATOR can be sold into the pool by somebody."""

    HOLDER = "holder"
    CREATOR = "creator"
    POOL = "pool"
    CURVE = "bonding curve"
    BURNED = "burned"
    EXCLUDED = "excluded by screen.excluded_holders"


@dataclass(frozen=True, slots=True)
class Holder:
    """One owner, all of the token accounts that were seen of it together."""

    owner: str
    units: int
    role: HolderRole = HolderRole.HOLDER


@dataclass(frozen=True, slots=True)
class Holders:
    """Owners, the largest first. ``is_complete``: all of them; else only owners of the largest token accounts."""

    holders: tuple[Holder, ...]
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class SeenSwap:
    """One trade: what the trader gave and received, and the pool's reserves before it where the program told them.

    ``quote_reserve`` is the effective one, that prices.
    """

    at_ns: int
    is_buy: bool
    base_units: int
    quote_units: int
    trader: str
    base_reserve: int | None = None
    quote_reserve: int | None = None


@dataclass(frozen=True, slots=True)
class TradingSeen:
    """The pool's latest trades, oldest first. ``is_complete``: there were no others since the pool was made.

    ``failed_sells`` are sells that failed for another reason than their own price limit; None when nobody looked.
    """

    swaps: tuple[SeenSwap, ...]
    is_complete: bool = False
    failed_sells: int | None = None


@dataclass(frozen=True, slots=True)
class MarketFigures:
    """Figures of a market-data service, in USD; None where it told none. ``reserve_usd`` counts both sides."""

    fdv_usd: float | None = None
    volume_usd_h24: float | None = None
    reserve_usd: float | None = None
    buys_h24: int | None = None
    sells_h24: int | None = None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Everything a screen looks at. ``creators`` are the wallets that made the coin or earn its creator fees."""

    mint: str
    at_ns: int
    slot: int = 0
    basics: MintBasics | None = None
    pool: PoolStanding | None = None
    age: PoolAge | None = None
    holders: Holders | None = None
    creators: tuple[str, ...] | None = None
    trading: TradingSeen | None = None
    market: MarketFigures | None = None
    unread: Mapping[str, str] = field(default_factory=dict)

    def why_unread(self, group: str) -> str:
        """Why a group is missing."""
        return self.unread.get(group, "it was not read")
