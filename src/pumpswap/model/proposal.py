"""Proposal: an accepted buy that waits for a person, in the mode ``approve``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Proposal", "ProposalStatus"]


class ProposalStatus(Enum):
    """``ORDERED``: approved, judged again and accepted; ``REFUSED``: approved, and then refused by the gate."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    ORDERED = "ordered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Named by its decision. An approval after ``expires_ns`` does nothing."""

    decision_id: str
    pool: str
    mint: str
    name: str
    quote_lamports: int
    at_ns: int
    expires_ns: int
    status: ProposalStatus = ProposalStatus.WAITING
    origin: str = ""
    decided_ns: int | None = None
    follow_up: str = ""
