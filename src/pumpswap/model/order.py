"""Order: an accepted decision on its way to a venue."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.amm import Quote
from pumpswap.model.decision import TradeSide

__all__ = ["Order"]


@dataclass(frozen=True, slots=True)
class Order:
    """Buys spend at most ``quote_lamports`` (a budget); sells give exactly ``base_units``. A buy that names
    ``base_units`` gets exactly these, for ``quote_lamports`` at most.

    ``limit`` is the least the order accepts (base for a buy, lamports for a sell), and of an exact buy the most it
    pays: its ``quote_lamports``. ``quote`` is what was expected when the order was made, and what slippage is measured
    against. ``is_urgent``: nothing that is not needed may make it fail. That is for the venue that sends it; it is not
    stored, since what an earlier process has left is not sent.
    ``client_order_id`` is the name that another system gave it, once in a run; empty for orders of our own.
    """

    order_id: str
    decision_id: str
    side: TradeSide
    pool: str
    mint: str
    created_ns: int
    limit: int
    quote: Quote
    quote_lamports: int = 0
    base_units: int = 0
    slippage_bps: int = 0
    reason: str = ""
    client_order_id: str = ""
    is_urgent: bool = field(default=False, compare=False)

    @property
    def is_exact_buy(self) -> bool:
        """Whether this buys exactly ``base_units``, rather than for a budget."""
        return self.side is TradeSide.BUY and self.base_units > 0

    @property
    def least_received(self) -> int:
        """The least that this order accepts: base units of a buy, lamports of a sell."""
        return self.base_units if self.is_exact_buy else self.limit
