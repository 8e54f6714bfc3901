"""Signer: what the sender needs of a wallet. The wallet room implements it, and puts the guard in front of the key."""

from __future__ import annotations

from typing import Protocol

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.model import SpendPlan

__all__ = ["Signer"]


class Signer(Protocol):
    """A key that signs what its guard lets through."""

    @property
    def public_key(self) -> Pubkey: ...

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        """The signed transaction. Raises GuardRefused for anything beyond ``plan``, KeyLocked without a key."""
        ...
