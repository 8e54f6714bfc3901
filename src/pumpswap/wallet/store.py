"""WalletStore: the folder of keystore files, one wallet each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pumpswap.errors import KeystoreDamaged, UsageError
from pumpswap.settings import Settings
from pumpswap.wallet.keystore import Keystore, read_keystore

__all__ = ["DEFAULT_WALLET", "StoredWallet", "WalletStore", "default_keystore_path"]

DEFAULT_WALLET = "default"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class StoredWallet:
    """One file of the folder: a keystore, or what is wrong with it."""

    name: str
    path: Path
    keystore: Keystore | None
    trouble: KeystoreDamaged | None


class WalletStore:
    """Wallets by name: ``<data_dir>/wallets/NAME.json``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, settings: Settings) -> WalletStore:
        """The folder of these settings."""
        return cls(settings.data_dir / "wallets")

    def path(self, name: str) -> Path:
        """File of a wallet. Raises UsageError for what is no name; it is not repeated, it may be a key."""
        if not _NAME.fullmatch(name):
            hint = "a name is 1 to 32 small letters, digits, - and _; a private key never stands on a command line"
            raise UsageError("this is no name for a wallet", hint=hint)
        return self.folder / f"{name}.json"

    def wallets(self) -> list[StoredWallet]:
        """All of them by name, damaged ones too."""
        found: list[StoredWallet] = []
        for path in sorted(self.folder.glob("*.json")):
            if not _NAME.fullmatch(path.stem):
                continue
            try:
                found.append(StoredWallet(path.stem, path, read_keystore(path), None))
            except KeystoreDamaged as trouble:
                found.append(StoredWallet(path.stem, path, None, trouble))
        return found


def default_keystore_path(settings: Settings) -> Path:
    """The keystore that the settings name, or else the wallet ``default``."""
    return settings.wallet.keystore or WalletStore.of(settings).path(DEFAULT_WALLET)
