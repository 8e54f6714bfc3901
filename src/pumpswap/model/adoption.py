"""Adoption: tokens from outside that their owner has made a position, at a cost that he names."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Adoption"]


@dataclass(frozen=True, slots=True)
class Adoption:
    """Moves nothing: the tokens are in the ledger already. ``after_sequence`` is the last ledger entry before it, so
    that positions can be derived again from the ledger and the adoptions.
    """

    at_ns: int
    after_sequence: int
    pool: str
    mint: str
    base_units: int
    cost_lamports: int
    name: str = ""
