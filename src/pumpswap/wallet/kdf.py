"""From a password to key bytes: scrypt or Argon2id, with parameters that are stored and bounded on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pumpswap.errors import KeystoreDamaged
from pumpswap.wallet.secret import Secret

__all__ = ["Argon2idCost", "KdfCost", "ScryptCost", "kdf_from_json", "new_kdf"]

KEY_BYTES = 64
SALT_BYTES = 32
_MOST_MEMORY = 2**30  # a tampered file must not make the machine swap
_MOST_WORK = 2**32  # bytes written in all passes: about 20 s


@dataclass(frozen=True, slots=True)
class ScryptCost:
    """scrypt (RFC 7914). 128 MiB by default, about half a second."""

    name: ClassVar[str] = "scrypt"
    salt: bytes
    n: int = 2**17
    r: int = 8
    p: int = 1

    def check(self) -> None:
        """Raises KeystoreDamaged for costs that no file of ours has: too weak, or more than 1 GiB."""
        sane = 2**14 <= self.n <= 2**22 and self.n & (self.n - 1) == 0 and 8 <= self.r <= 32 and 1 <= self.p <= 16
        memory = 128 * self.n * self.r
        _check(sane and memory <= _MOST_MEMORY and memory * self.p <= _MOST_WORK, self.salt)

    def derive(self, password: Secret) -> Secret:
        """64 bytes of key."""
        self.check()
        key = bytearray(KEY_BYTES)
        scrypt = Scrypt(salt=self.salt, length=KEY_BYTES, n=self.n, r=self.r, p=self.p)
        scrypt.derive_into(password.content, key)
        return Secret(key)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "salt": self.salt.hex(), "n": self.n, "r": self.r, "p": self.p}


@dataclass(frozen=True, slots=True)
class Argon2idCost:
    """Argon2id (RFC 9106). 128 MiB, three passes, four lanes by default."""

    name: ClassVar[str] = "argon2id"
    salt: bytes
    memory_kib: int = 2**17
    passes: int = 3
    lanes: int = 4

    def check(self) -> None:
        """Raises KeystoreDamaged for costs that no file of ours has: too weak, or more than 1 GiB."""
        sane = self.memory_kib >= 2**14 and 1 <= self.passes <= 64 and 1 <= self.lanes <= 16
        memory = 1024 * self.memory_kib
        _check(sane and memory <= _MOST_MEMORY and memory * self.passes <= _MOST_WORK, self.salt)

    def derive(self, password: Secret) -> Secret:
        """64 bytes of key."""
        self.check()
        key = bytearray(KEY_BYTES)
        argon = Argon2id(
            salt=self.salt, length=KEY_BYTES, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory_kib
        )
        argon.derive_into(password.content, key)  # type: ignore[arg-type]  # the stub says bytes; any buffer will do
        return Secret(key)

    def to_json(self) -> dict[str, Any]:
        costs = {"memory_kib": self.memory_kib, "passes": self.passes, "lanes": self.lanes}
        return {"name": self.name, "salt": self.salt.hex(), **costs}


KdfCost = ScryptCost | Argon2idCost
_KINDS: dict[str, type[ScryptCost] | type[Argon2idCost]] = {each.name: each for each in (ScryptCost, Argon2idCost)}
KDF_NAMES = tuple(_KINDS)


def new_kdf(name: str, entropy: Callable[[int], bytes]) -> KdfCost:
    """Costs of today for a new file, with a fresh salt; ``name`` is one of ``KDF_NAMES``."""
    return _KINDS[name](entropy(SALT_BYTES))


def kdf_from_json(said: Any) -> KdfCost:
    """Costs of a file, checked. Raises KeystoreDamaged."""
    kind = _KINDS.get(str(said.get("name"))) if isinstance(said, dict) else None
    if kind is None:
        raise KeystoreDamaged("the keystore names no key derivation that we know", hint=_HINT)
    costs = {name: value for name, value in said.items() if name not in ("name", "salt")}
    try:
        found = kind(bytes.fromhex(said["salt"]), **costs)
    except (KeyError, TypeError, ValueError):
        raise KeystoreDamaged("the keystore's key derivation is incomplete", hint=_HINT) from None
    if any(type(value) is not int for value in costs.values()):
        raise KeystoreDamaged("the keystore's costs are no integers", hint=_HINT)
    found.check()
    return found


_HINT = "restore the file from your backup, or import the key again"


def _check(sane: bool, salt: bytes) -> None:
    if not sane:
        raise KeystoreDamaged("the keystore's costs are out of bounds", hint=_HINT)
    if len(salt) != SALT_BYTES:
        raise KeystoreDamaged(f"the keystore's salt has {len(salt)} bytes, not {SALT_BYTES}", hint=_HINT)
