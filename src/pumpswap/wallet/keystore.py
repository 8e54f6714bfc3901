"""Keystore: one private key in one file, sealed with a password.

JSON, version 1. The key is encrypted with AES-256-GCM; everything else in the file (name, network, public key, limits,
costs, nonce) is authenticated with it: nothing can be changed without the password. Two values tell failures apart:
``checksum`` finds damage without a password, and ``password_check`` a wrong password without touching the key.
The file has one spelling only, so a change of a single byte anywhere is found.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.errors import KeyLocked, KeystoreDamaged, UsageError, WrongPassword
from pumpswap.wallet.kdf import KdfCost, kdf_from_json, new_kdf
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.private_file import create_private, read_private, replace_private
from pumpswap.wallet.secret import Secret

__all__ = ["Keystore", "create_keystore", "read_keystore"]

FORMAT, VERSION = "pumpswap-keystore", 1
SEED_BYTES = 32
NETWORKS = ("mainnet", "devnet", "localnet")
LEAST_PASSWORD = 10
_NONCE_BYTES, _CHECK_BYTES, _TAG_BYTES = 12, 16, 16
_RESTORE = "restore the file from your backup, or import the key again"
Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Keystore:
    """What a keystore file says. Without the password it is intact, but not yet proven genuine: ``open_seed`` is."""

    path: Path
    name: str
    network: str | None  # a hint for people: a key is valid on every network
    public_key: Pubkey
    limits: WalletLimits | None
    kdf: KdfCost
    nonce: bytes
    password_check: bytes
    ciphertext: bytes

    def open_seed(self, password: Secret) -> Secret:
        """The 32 bytes of the private key. Wipe it.

        Raises WrongPassword; KeystoreDamaged for a file that was changed or whose key is not that of ``public_key``.
        """
        seed = bytearray(SEED_BYTES)
        with _derived(self.kdf, password) as key:
            if not hmac.compare_digest(_password_check(key), self.password_check):
                raise WrongPassword(
                    f"this is not the password of wallet {self.name!r}", hint="try again; mind caps lock"
                )
            try:
                _cipher(key).decrypt_into(self.nonce, self.ciphertext, self._sealed(), seed)
            except InvalidTag:
                raise KeystoreDamaged(f"{self.path} was changed: its seal is broken", hint=_RESTORE) from None
        opened = Secret(seed)
        if _public_key(opened) != self.public_key:
            opened.wipe()
            raise KeystoreDamaged(f"{self.path} holds another key than it says", hint=_RESTORE)
        return opened

    def with_limits(self, limits: WalletLimits | None, password: Secret, entropy: Entropy = os.urandom) -> Keystore:
        """Seal the key again under other limits, and replace the file in one step. Raises as ``open_seed``."""
        with self.open_seed(password) as seed:
            changed = _sealed_keystore(
                replace(self, limits=limits, kdf=replace(self.kdf, salt=entropy(len(self.kdf.salt)))),
                seed,
                password,
                entropy,
            )
        replace_private(self.path, changed.to_bytes())
        return changed

    def to_bytes(self) -> bytes:
        """The file."""
        said = {**self._header(), "ciphertext": self.ciphertext.hex()}
        return _spelled({**said, "checksum": hashlib.sha256(_spelled(said)).hexdigest()})

    def _header(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "network": self.network,
            "public_key": str(self.public_key),
            "limits": None if self.limits is None else self.limits.to_json(),
            "kdf": self.kdf.to_json(),
            "nonce": self.nonce.hex(),
            "password_check": self.password_check.hex(),
        }

    def _sealed(self) -> bytes:
        return _spelled(self._header())


def create_keystore(
    path: Path,
    seed: Secret,
    password: Secret,
    *,
    network: str | None = None,
    kdf: KdfCost | str = "scrypt",
    entropy: Entropy = os.urandom,
) -> Keystore:
    """Seal a key in a new file; the wallet is named after the file.

    Raises UsageError for a password below 10 characters, an unknown network, and a file that exists already.
    """
    if len(password) < LEAST_PASSWORD:
        raise UsageError(
            f"the password has fewer than {LEAST_PASSWORD} characters",
            hint="whoever gets the file can guess for years: a few random words are long and easy to keep",
        )
    if network is not None and network not in NETWORKS:
        raise UsageError(f"there is no network {network!r}", hint=f"one of {', '.join(NETWORKS)}")
    blank = Keystore(
        path=path,
        name=path.stem,
        network=network,
        public_key=_public_key(seed),
        limits=None,
        kdf=new_kdf(kdf, entropy) if isinstance(kdf, str) else kdf,
        nonce=b"",
        password_check=b"",
        ciphertext=b"",
    )
    sealed = _sealed_keystore(blank, seed, password, entropy)
    create_private(path, sealed.to_bytes())
    return sealed


def read_keystore(path: Path) -> Keystore:
    """A keystore file without opening it. Raises NotFound; KeystoreDamaged for one that is cut, changed, too widely
    readable, or of a version that this program does not know.
    """
    content = read_private(path)
    said = _document(content, path)
    if said.get("format") != FORMAT:
        raise KeystoreDamaged(f"{path} is no keystore", hint="wallet import reads key files of other programs")
    if said.get("version") != VERSION:
        raise KeystoreDamaged(f"{path} has a version that this program does not know", hint="upgrade pumpswap")
    try:
        limits = said["limits"]
        found = Keystore(
            path=path,
            name=_text(said["name"]),
            network=None if said["network"] is None else _text(said["network"]),
            public_key=Pubkey.from_string(_text(said["public_key"])),
            limits=None if limits is None else WalletLimits.from_json(limits),
            kdf=kdf_from_json(said["kdf"]),
            nonce=_exactly(said["nonce"], _NONCE_BYTES),
            password_check=_exactly(said["password_check"], _CHECK_BYTES),
            ciphertext=_exactly(said["ciphertext"], SEED_BYTES + _TAG_BYTES),
        )
    except KeystoreDamaged as damaged:
        raise KeystoreDamaged(f"{path}: {damaged.what}", hint=damaged.hint) from None
    except (KeyError, TypeError, ValueError, UsageError):
        raise KeystoreDamaged(f"{path} is incomplete, or was changed", hint=_RESTORE) from None
    if found.to_bytes() != content:
        raise KeystoreDamaged(f"{path} was changed: its checksum is wrong", hint=_RESTORE)
    return found


def _sealed_keystore(keystore: Keystore, seed: Secret, password: Secret, entropy: Entropy) -> Keystore:
    with _derived(keystore.kdf, password) as key:
        ready = replace(keystore, nonce=entropy(_NONCE_BYTES), password_check=_password_check(key))
        sealed = bytearray(SEED_BYTES + _TAG_BYTES)
        _cipher(key).encrypt_into(ready.nonce, seed.content, ready._sealed(), sealed)
    return replace(ready, ciphertext=bytes(sealed))


def _derived(kdf: KdfCost, password: Secret) -> Secret:
    try:
        return kdf.derive(password)
    except MemoryError:
        raise KeyLocked("there is not enough memory to unlock the wallet", hint="free some, then try again") from None


def _cipher(key: Secret) -> AESGCM:
    return AESGCM(memoryview(key.content)[:32])


def _password_check(key: Secret) -> bytes:
    # Of the second half of the key, which encrypts nothing: the first half cannot be learned from it.
    digest = hashlib.sha256(b"pumpswap keystore password check")
    digest.update(memoryview(key.content)[32:])
    return digest.digest()[:_CHECK_BYTES]


def _public_key(seed: Secret) -> Pubkey:
    return Keypair.from_seed(seed.content).pubkey()


def _spelled(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=True).encode("ascii") + b"\n"


def _document(content: bytes, path: Path) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise KeystoreDamaged(f"{path} is cut or damaged", hint=_RESTORE) from None
    if not isinstance(said, dict):
        raise KeystoreDamaged(f"{path} is no keystore", hint="wallet import reads key files of other programs")
    return said


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _exactly(value: Any, length: int) -> bytes:
    found = bytes.fromhex(_text(value))
    if len(found) != length:
        raise ValueError("wrong length")
    return found
