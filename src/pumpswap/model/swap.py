"""Swap: one observed trade, normalised over all event generations and sources."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.amm.events import BuyEvent, SellEvent

__all__ = ["Swap"]


@dataclass(frozen=True, slots=True)
class Swap:
    """``base_units`` and ``quote_units`` are what the trader gave and received, all fees included.

    ``signature`` identifies the transaction where the source knows it; ``trader`` likewise. ``index`` counts the trades
    of one transaction, so (signature, index) names a swap. ``event`` is what the program reported, where it was seen:
    fees, pre-trade reserves and everything else that is exact.
    """

    pool: str
    at_ns: int
    is_buy: bool
    base_units: int
    quote_units: int
    trader: str = ""
    signature: str = ""
    slot: int = 0
    index: int = 0
    event: BuyEvent | SellEvent | None = field(default=None, repr=False)
