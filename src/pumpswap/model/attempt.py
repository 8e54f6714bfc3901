"""Attempt: one signed transaction of an order. It is stored before its first byte goes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Attempt", "AttemptState"]


class AttemptState(Enum):
    """Where a signed transaction is. ``SIGNED`` may have been broadcast: a crash leaves no time to say so."""

    SIGNED = "signed"
    SENT = "sent"
    LANDED = "landed"  # in a confirmed block, successful or failed: see the order's outcome
    EXPIRED = "expired"  # proven absent: its last valid height is final and no source knows the signature

    @property
    def is_open(self) -> bool:
        """Whether the transaction may still land."""
        return self in (AttemptState.SIGNED, AttemptState.SENT)


@dataclass(frozen=True, slots=True)
class Attempt:
    """``raw`` are the signed bytes, the only ones that may be broadcast while the attempt is open.

    ``number`` counts from 1 within the order. ``created_slot`` is a slot that the chain had reached when it was signed:
    the transaction cannot be in an older one. It can land up to and including ``last_valid_block_height``.
    """

    order_id: str
    number: int
    signature: str
    raw: bytes
    blockhash: str
    last_valid_block_height: int
    created_ns: int
    created_slot: int
    compute_unit_limit: int
    compute_unit_price_micro_lamports: int
    tip_lamports: int = 0
    state: AttemptState = AttemptState.SIGNED
    resolved_ns: int | None = None
    note: str = ""
