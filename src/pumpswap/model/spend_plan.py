"""SpendPlan: all that the transactions of one order may do with the wallet. The guard signs nothing beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from solders.pubkey import Pubkey

__all__ = ["PlanKind", "SpendPlan"]


class PlanKind(Enum):
    """What the transaction is for."""

    BUY = "buy"
    SELL = "sell"
    WRAP = "wrap"  # native SOL into the wallet's own wrapped-SOL account
    UNWRAP = "unwrap"  # close the wallet's own wrapped-SOL account to the wallet
    CLOSE_EMPTY = "close_empty"  # close empty token accounts of the wallet to the wallet


@dataclass(frozen=True, slots=True)
class SpendPlan:
    """Upper bounds in raw units. What is not listed here is not allowed.

    ``max_pay_units`` is the most that the swap may take: quote of a buy, base of a sell. ``min_receive_units`` is the
    least it must ask for. ``max_wrap_lamports`` is the most native SOL that may move into the wallet's own wrapped-SOL
    account, ``max_fee_lamports`` covers signature and priority fee, ``max_tip_lamports`` goes to ``tip_accounts`` only.
    ``account_owners`` are the owners for whom associated token accounts may be created (the wallet; a buyback wallet),
    of ``account_mints``. ``closable`` are token accounts of the wallet that may be closed, to the wallet.
    """

    order_id: str
    kind: PlanKind
    wallet: Pubkey
    max_fee_lamports: int
    pool: Pubkey | None = None
    user_base_account: Pubkey | None = None
    user_quote_account: Pubkey | None = None
    max_pay_units: int = 0
    min_receive_units: int = 0
    max_wrap_lamports: int = 0
    max_tip_lamports: int = 0
    tip_accounts: frozenset[Pubkey] = frozenset()
    account_owners: frozenset[Pubkey] = frozenset()
    account_mints: frozenset[Pubkey] = frozenset()
    closable: frozenset[Pubkey] = frozenset()
