"""WalletLock: one process at a time trades with a wallet, or two would book and spend the same lamports."""

from __future__ import annotations

from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.sdk.process_lock import ProcessLock

__all__ = ["WalletLock"]


class WalletLock(ProcessLock):
    """In the data folder, for the processes that share it."""

    def __init__(self, folder: Path, wallet: Pubkey) -> None:
        super().__init__(
            folder / f"{wallet}.lock",
            f"another process is trading with wallet {wallet}",
            "stop it first, or use another wallet: two processes cannot keep one set of books",
        )
