"""WalletLock: one process at a time trades with a wallet, or two would book and spend the same lamports."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.errors import StorageError

__all__ = ["WalletLock"]


class WalletLock:
    """Held from ``take`` to ``release``; the system releases it when the process ends, however it ends."""

    def __init__(self, folder: Path, wallet: Pubkey) -> None:
        self._path = folder / f"{wallet}.lock"
        self._wallet = wallet
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises StorageError when another process trades with this wallet."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StorageError(
                f"another process is trading with wallet {self._wallet}",
                hint="stop it first, or use another wallet: two processes cannot keep one set of books",
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Harmless when nothing is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
