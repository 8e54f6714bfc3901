"""Keys at rest, signers, and the guard that inspects a transaction before it is signed. Keys never leave this room."""

from pumpswap.wallet.guard import check_message
from pumpswap.wallet.key_files import new_seed, seed_of_key_file
from pumpswap.wallet.keystore import Keystore, create_keystore, read_keystore
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.passwords import PasswordSources
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner, RemoteSigner, connect_remote_signer, unlock
from pumpswap.wallet.store import StoredWallet, WalletStore, default_keystore_path

__all__ = [
    "Keystore",
    "LocalSigner",
    "PasswordSources",
    "RemoteSigner",
    "Secret",
    "StoredWallet",
    "WalletLimits",
    "WalletStore",
    "check_message",
    "connect_remote_signer",
    "create_keystore",
    "default_keystore_path",
    "new_seed",
    "read_keystore",
    "seed_of_key_file",
    "unlock",
]
