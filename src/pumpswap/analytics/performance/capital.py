"""Capital: what was put in or taken out, which is neither gain nor loss."""

from __future__ import annotations

from pumpswap.model.booked import BookedMove

__all__ = ["is_capital"]

_KINDS = frozenset({"deposit", "withdrawal"})
_HAND = "hand"


def is_capital(move: BookedMove) -> bool:
    """Whether it is a deposit, a withdrawal, or the SOL of what the owner trades by hand. What positions were given of
    a sale by hand is in the last: whoever sums takes that out again.
    """
    return move.kind in _KINDS or move.by == _HAND
