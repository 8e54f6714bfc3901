"""Whether two market-data services tell the same of a pool. What cannot be compared counts as no agreement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.market.dexscreener import DexPair
from pumpswap.market.gecko.records import GeckoPool

__all__ = ["Compared", "SourceAgreement", "sources_agree"]

_WSOL = str(WSOL_MINT)


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both services. ``difference`` is relative to the larger one, None where a figure is missing."""

    what: str
    gecko: Decimal | None
    dexscreener: Decimal | None
    tolerance: Decimal
    difference: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether both are there and close enough."""
        return self.difference is not None and self.difference <= self.tolerance

    @property
    def reason(self) -> str:
        """One line for people."""
        if self.difference is None:
            missing = "both" if self.gecko is None and self.dexscreener is None else "one of the services"
            return f"{self.what}: missing at {missing}"
        verb = "agree" if self.agrees else "differ"
        return f"{self.what}: they {verb} by {self.difference:.2%} (tolerance {self.tolerance:.2%})"


@dataclass(frozen=True, slots=True)
class SourceAgreement:
    """``agrees`` only when it is the same pool, a price could be compared, and all that was compared is close enough.

    ``reasons`` say what was compared, and what could not be. A figure that only one service has is told, not held
    against them.
    """

    agrees: bool
    compared: tuple[Compared, ...]
    reasons: tuple[str, ...]


def sources_agree(
    gecko: GeckoPool,
    other: DexPair,
    *,
    price_tolerance: Decimal = Decimal("0.03"),
    liquidity_tolerance: Decimal = Decimal("0.10"),
) -> SourceAgreement:
    """Compare price and liquidity of one pool. Tolerances are relative.

    The services look at different moments and round differently; liquidity differs more, since one of them may count
    the pool's virtual reserve.
    """
    stranger = _stranger(gecko, other)
    if stranger:
        return SourceAgreement(False, (), (stranger,))
    compared = tuple(_compared(gecko, other, price_tolerance, liquidity_tolerance))
    prices = [one for one in compared if one.what.startswith("price") and one.difference is not None]
    agrees = bool(prices) and all(one.agrees for one in compared if one.difference is not None)
    reasons = [one.reason for one in compared]
    if not prices:
        reasons.insert(0, "no price could be compared")
    return SourceAgreement(agrees, compared, tuple(reasons))


def _stranger(gecko: GeckoPool, other: DexPair) -> str:
    """Why these are not the same pool; empty when they are."""
    if (gecko.network, gecko.address) != (other.network, other.address):
        return f"these are two pools: {gecko.address} and {other.address}"
    if (gecko.base_token, gecko.quote_token) != (other.base_token, other.quote_token):
        return "the services name different tokens, or the same ones the other way round"
    return ""


def _compared(gecko: GeckoPool, other: DexPair, price: Decimal, liquidity: Decimal) -> Iterator[Compared]:
    yield _figure("price in USD", gecko.base_price_usd, other.price_usd, price)
    if gecko.quote_token == _WSOL:
        yield _figure("price in SOL", gecko.base_price_native, other.price_quote, price)
    yield _figure("liquidity in USD", gecko.reserve_usd, other.liquidity_usd, liquidity)


def _figure(what: str, first: Decimal | None, second: Decimal | None, tolerance: Decimal) -> Compared:
    difference = None
    if first is not None and second is not None:
        larger = max(first, second)
        difference = abs(first - second) / larger if larger else Decimal(0)
    return Compared(what, first, second, tolerance, difference)
