"""MachineLock: one process of a machine trades with a wallet on a network, whatever data folders they have."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path
from solders.pubkey import Pubkey

from pumpswap.chain.networks import network_of
from pumpswap.errors import StorageError
from pumpswap.sdk.process_lock import ProcessLock

__all__ = ["MachineLock"]


class MachineLock(ProcessLock):
    """Beside the lock in the data folder, which two data folders do not share. Other users and other machines do not
    see it.

    Of a practice chain there may be any number, all of one genesis: there nothing is locked.
    """

    def __init__(self, wallet: Pubkey, network: str, folder: Path | None = None) -> None:
        """``network`` is a genesis hash; ``folder`` None: the platform's folder for state of this user."""
        super().__init__(
            (folder or user_state_path("pumpswap", appauthor=False) / "wallets") / f"{wallet}-{network}.lock",
            f"another process of this machine is trading with wallet {wallet}, out of another data folder",
            "stop it first, or use its data folder: two sets of books cannot share a wallet",
        )
        self._wallet, self._network = wallet, network

    def take(self) -> None:
        """Raises StorageError when another process of this machine trades with this wallet on this network, or the lock
        cannot be kept.
        """
        if network_of(self._network) == "localnet":
            return
        try:
            super().take()
        except OSError as failed:
            raise StorageError(
                f"the lock of wallet {self._wallet} cannot be kept: {failed.strerror}",
                hint=f"let this user write to {self.path.parent}: it keeps two processes from spending the same money",
            ) from failed
