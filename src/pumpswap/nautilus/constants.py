"""Names of the venue, and SOL with its nine decimals."""

from __future__ import annotations

from typing import Final

from nautilus_trader.model.enums import CurrencyType
from nautilus_trader.model.identifiers import ClientId, Venue
from nautilus_trader.model.objects import Currency

from pumpswap.nautilus.compat import FIXED, register_currency

__all__ = ["PRICE_PRECISION", "PUMPSWAP", "PUMPSWAP_CLIENT_ID", "PUMPSWAP_VENUE", "SOL", "SOL_DECIMALS", "register"]

PUMPSWAP: Final = "PUMPSWAP"
PUMPSWAP_VENUE: Final = Venue(PUMPSWAP)
PUMPSWAP_CLIENT_ID: Final = ClientId(PUMPSWAP)

SOL_DECIMALS: Final = 9
# Nautilus' own SOL has 8 decimals, and currencies are equal by their code alone: both would be added up as one.
SOL: Final = Currency("SOL", SOL_DECIMALS, 0, "Solana", CurrencyType.CRYPTO)

# One for all prices: a pool falls a thousandfold, and a tick of another precision ends the matching engine.
# One digit less than there could be: the middle of bid and ask has one more than they have, and beyond the last digit
# Nautilus ends the process (``extract_price(PriceType.MID)``: indicators, bars of quotes, ``cache.price``).
PRICE_PRECISION: Final = FIXED - 1


def register() -> None:
    """Make ``SOL`` the one that Nautilus reads from files and texts, in this process."""
    register_currency(SOL)


register()
