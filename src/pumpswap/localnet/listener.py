"""ChainListener: who wants to hear what happens on the practice chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pumpswap.chain.node import ChainAccount, ConfirmedTransaction

__all__ = ["ChainListener"]


class ChainListener(Protocol):
    """Told at once, in the order of events, on the chain's own thread. It must not change the chain."""

    def on_slot(self, slot: int) -> None:
        """The chain has moved to ``slot``; commitments of older ones moved with it."""
        ...

    def on_accounts(self, slot: int, changed: Sequence[ChainAccount]) -> None:
        """Accounts whose content changed; one that is gone has no lamports, no data and the system program as owner."""
        ...

    def on_transaction(self, transaction: ConfirmedTransaction) -> None:
        """A transaction landed, successful or failed. Told before its accounts are."""
        ...

    def on_rollback(self, signatures: Sequence[str]) -> None:
        """These transactions are undone. Their accounts are told as changed afterwards."""
        ...
