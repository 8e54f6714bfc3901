"""ForeignEvent: a transaction that moved something of the wallet and is none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pumpswap.model.ledger import EntryKind

__all__ = ["ForeignEvent", "ForeignKind"]


class ForeignKind(Enum):
    """What it was, as far as the transaction tells. The value is the note of its ledger entries."""

    AIRDROP = "airdrop"  # tokens that somebody sent without being asked
    TRANSFER_OUT = "transfer out"  # tokens that the wallet's owner sent away
    DEPOSIT = "deposit"  # SOL that came in
    WITHDRAWAL = "withdrawal"  # SOL that was sent away
    MANUAL_BUY = "manual buy"
    MANUAL_SELL = "manual sell"
    ACCOUNT_CLOSED = "account closed"
    ACCOUNT_OPENED = "account opened"
    WRAP = "wrapped or unwrapped"  # moves nothing: SOL is native and wrapped together
    BURN = "burn"
    FAILED = "failed by hand"  # only its fees were paid
    OTHER = "other program"  # several things at once, or a program that we do not read
    UNEXPLAINED = "unexplained"  # booked on its owner's word: no transaction was found


@dataclass(frozen=True, slots=True)
class ForeignEvent:
    """``moves`` are (asset, signed units, kind) and sum to what the transaction changed in the wallet.

    ``pool`` and ``counterparty`` are empty where the transaction does not tell them. ``at_ns`` is the block's time.
    """

    kind: ForeignKind
    signature: str
    slot: int
    at_ns: int
    moves: tuple[tuple[str, int, EntryKind], ...]
    pool: str = ""
    counterparty: str = ""

    def of(self, asset: str) -> int:
        """What it changed of an asset."""
        return sum(units for moved, units, _ in self.moves if moved == asset)

    @property
    def assets(self) -> tuple[str, ...]:
        """What it moved, each once."""
        return tuple(dict.fromkeys(asset for asset, _, _ in self.moves))
