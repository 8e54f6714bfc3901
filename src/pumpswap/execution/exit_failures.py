"""Whether a sale failed by its price: only then does a wider limit help the next one."""

from __future__ import annotations

from pumpswap.model import Denied, Rejected

__all__ = ["is_of_price"]

_SLIPPAGE = frozenset({(6004, "ExceededSlippage"), (6040, "BuySlippageBelowMinBaseAmountOut")})
# "limit": the quote, or the simulation, is below it. "expired": nobody knows why; standing still would not help.
_RULES = frozenset({"limit", "expired"})


def is_of_price(outcome: Rejected | Denied) -> bool:
    """Whether the price has moved past the order's limit. Numbers repeat between programs: the name counts too."""
    if isinstance(outcome, Rejected):
        return (outcome.code, outcome.name) in _SLIPPAGE
    return outcome.rule in _RULES
