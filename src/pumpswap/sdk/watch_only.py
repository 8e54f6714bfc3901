"""WatchOnly: a wallet without its key, for opening its books. It buys nothing and signs nothing."""

from __future__ import annotations

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.errors import KeyLocked
from pumpswap.model import SpendPlan
from pumpswap.wallet.limits import WalletLimits

__all__ = ["WatchOnly"]


class WatchOnly:
    """Stands where a signer stands. What earlier processes have sent can be followed and booked without a key."""

    def __init__(self, public_key: Pubkey) -> None:
        self.public_key = public_key

    @property
    def limits(self) -> WalletLimits:
        """Of one lamport: the gate lets no buy through."""
        return WalletLimits(1, 1, 0)

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        """Always raises KeyLocked."""
        raise KeyLocked(f"the key of wallet {self.public_key} is not unlocked", hint="trade with --live")
