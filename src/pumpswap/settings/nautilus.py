"""Settings of the adapter for NautilusTrader."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from pumpswap.settings.section import Seconds, Section, Sol

__all__ = ["NautilusSettings"]


class NautilusSettings(Section):
    """PumpSwap as a venue of NautilusTrader; limits, exits and sizes are those of the other sections."""

    # name of the trader, with a tag behind the last hyphen
    trader_id: Annotated[str, Field(pattern="^[A-Za-z0-9_]+-[A-Za-z0-9_]+$")] = "PUMPSWAP-001"
    quote_sol: Annotated[Sol, Field(gt=0)] = Decimal("0.1")  # size that bid and ask are prices of
    refresh_ms: Annotated[int, Field(ge=0)] = 500  # a state older than this is read again before an order; 0: never
    start_seconds: Annotated[Seconds, Field(ge=10)] = 180  # how long a node waits for our books to resolve and connect
    open_check_seconds: Annotated[Seconds, Field(ge=1)] = 10  # how often Nautilus asks for its open orders
    allow_shared_pools: bool = False  # more than one strategy of a node may trade the same pool
    close_on_stop: bool = False  # the strategy sells what it holds when it is stopped
