"""MachineLock: one process of a machine trades with a wallet on a network, whatever data folders they have."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from platformdirs import user_state_path
from solders.pubkey import Pubkey

from pumpswap.chain.networks import network_of
from pumpswap.errors import StorageError

__all__ = ["MachineLock"]


class MachineLock:
    """Beside the lock in the data folder, which two data folders do not share. Held from ``take`` to ``release``; the
    system releases it when the process ends, however it ends. Other users and other machines do not see it.

    Of a practice chain there may be any number, all of one genesis: there nothing is locked.
    """

    def __init__(self, wallet: Pubkey, network: str, folder: Path | None = None) -> None:
        """``network`` is a genesis hash; ``folder`` None: the platform's folder for state of this user."""
        self._wallet, self._network = wallet, network
        self._path = (folder or user_state_path("pumpswap", appauthor=False) / "wallets") / f"{wallet}-{network}.lock"
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises StorageError when another process of this machine trades with this wallet on this network."""
        if network_of(self._network) == "localnet":
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as failed:
            raise StorageError(
                f"the lock of wallet {self._wallet} cannot be kept: {failed.strerror}",
                hint=f"let this user write to {self._path.parent}: it keeps two processes from spending the same money",
            ) from failed
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StorageError(
                f"another process of this machine is trading with wallet {self._wallet}, out of another data folder",
                hint="stop it first, or use its data folder: two sets of books cannot share a wallet",
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Harmless when nothing is held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
