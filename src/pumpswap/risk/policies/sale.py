"""Whether a sale can be made. No limit of entries is asked: staying in is no protection."""

from __future__ import annotations

from pumpswap.errors import TradeRefused
from pumpswap.model import Verdict
from pumpswap.risk.policies.candidate import Candidate
from pumpswap.units import format_sol

__all__ = ["holding", "known", "sellable"]


def known(ask: Candidate) -> Verdict | None:
    """A pool whose state we know; what is held may always be sold, whatever kind of pool it is."""
    if ask.quotes is None or ask.obstacle:
        return Verdict("venue", False, ask.obstacle or "no state of this pool is known")
    return Verdict("venue", True, "the pool's state is known")


def holding(ask: Candidate) -> Verdict | None:
    """A sale gives what is held, no more."""
    held = ask.book.position.base_units if ask.book.position else 0
    units = ask.intent.base_units or 0
    numbers = {"held_base_units": str(held), "base_units": str(units)}
    return Verdict("holding", 0 < units <= held, f"{units} of {held} base units", numbers)


def sellable(ask: Candidate) -> Verdict | None:
    """The pool can pay this sale."""
    if ask.quotes is None or not ask.intent.base_units:
        return None
    try:
        quote = ask.quotes.sell(ask.intent.base_units)
    except TradeRefused as refused:
        return Verdict("sellable", False, refused.what)
    numbers = {"user_quote_out": str(quote.user_quote_out)}
    return Verdict("sellable", quote.user_quote_out > 0, f"pays {format_sol(quote.user_quote_out)} SOL", numbers)
