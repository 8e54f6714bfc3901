"""LedgerEntry: one movement of one asset. The sum of the entries of an asset is what the wallet holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["COST_KINDS", "NETWORK_COSTS", "OWN_MONEY", "SOL", "EntryKind", "LedgerEntry"]

SOL = "SOL"  # lamports of the wallet, native and wrapped together; every other asset is named by its mint


class EntryKind(Enum):
    """Why an asset moved. Venue fees, network fee, priority fee, tip and rent are kept apart, for ever."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRADE_BASE = "trade_base"
    TRADE_QUOTE = "trade_quote"  # the amount that priced the swap, before fees
    LP_FEE = "lp_fee"
    PROTOCOL_FEE = "protocol_fee"
    CREATOR_FEE = "creator_fee"
    CASHBACK = "cashback"  # charged in place of the creator fee; claimable later
    NETWORK_FEE = "network_fee"
    PRIORITY_FEE = "priority_fee"
    TIP = "tip"
    RENT_PAID = "rent_paid"
    RENT_RETURNED = "rent_returned"
    WRAP = "wrap"  # of SOL into its token: two entries that cancel, since both forms are one asset
    UNWRAP = "unwrap"
    FOREIGN = "foreign"  # moved by somebody or something else than an order of ours


OWN_MONEY = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL})
NETWORK_COSTS = frozenset({EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP})
# What trading costs: the venue's fees, then the network's.
COST_KINDS = (
    EntryKind.LP_FEE,
    EntryKind.PROTOCOL_FEE,
    EntryKind.CREATOR_FEE,
    EntryKind.CASHBACK,
    EntryKind.NETWORK_FEE,
    EntryKind.PRIORITY_FEE,
    EntryKind.TIP,
)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """``units`` is signed and raw: lamports for SOL, base units for a mint. ``sequence`` counts from 1 within a run.

    ``note`` says what a movement without an order of ours was: see ``ForeignKind``.
    """

    sequence: int
    at_ns: int
    asset: str
    units: int
    kind: EntryKind
    slot: int = 0
    order_id: str = ""
    signature: str = ""
    note: str = ""
