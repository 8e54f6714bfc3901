"""Signers: a key in this process, or one in a vault elsewhere. Both ask the guard first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from pumpswap.errors import ConfigError, KeyLocked, TimedOut
from pumpswap.model import SpendPlan
from pumpswap.wallet.guard import check_message
from pumpswap.wallet.keystore import Keystore, read_keystore
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret

if TYPE_CHECKING:
    from solana_keychain import SolanaSigner, TransactionSigner

__all__ = ["LocalSigner", "RemoteSigner", "connect_remote_signer", "unlock"]

_REMOTE_SECONDS = 10.0


class LocalSigner:
    """An unlocked keystore. The key lives in this object and nowhere else; ``lock`` forgets it."""

    __slots__ = ("_keypair", "limits", "public_key")

    def __init__(self, seed: Secret, limits: WalletLimits | None) -> None:
        self._keypair: Keypair | None = Keypair.from_seed(seed.content)
        self.public_key: Pubkey = self._keypair.pubkey()
        self.limits = limits

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        """The signed transaction. Raises GuardRefused for anything beyond ``plan`` or the limits, KeyLocked."""
        check_message(message, plan, self.limits)
        keypair = self._keypair
        if keypair is None or plan.wallet != self.public_key:
            raise KeyLocked(f"wallet {plan.wallet} is locked", hint="unlock it: pumpswap wallet unlock")
        signature = keypair.sign_message(to_bytes_versioned(message))
        return VersionedTransaction.populate(message, [signature])

    def lock(self) -> None:
        """Forget the key; signing raises KeyLocked from now on."""
        self._keypair = None

    def __repr__(self) -> str:
        return f"LocalSigner({self.public_key}, {'locked' if self._keypair is None else 'unlocked'})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never pickled or copied")


def unlock(path: Path, find_password: Callable[[Keystore], Secret], *, expected: str | None = None) -> LocalSigner:
    """Open a keystore with the password that ``find_password`` brings, which is wiped afterwards.

    ``expected`` is the configured public key. Raises NotFound, WrongPassword, KeystoreDamaged, and ConfigError when the
    keystore is of another key than the configured one; then no password is asked for.
    """
    keystore = read_keystore(path)
    if expected is not None and str(keystore.public_key) != expected:
        raise ConfigError(
            f"{path} is wallet {keystore.public_key}, the settings want {expected}",
            hint="change wallet.public_key or wallet.keystore",
        )
    with find_password(keystore) as password, keystore.open_seed(password) as seed:
        return LocalSigner(seed, keystore.limits)


class RemoteSigner:
    """A key in a vault or key service. What comes back must be our message with a valid signature of our key."""

    def __init__(
        self,
        backend: TransactionSigner,
        limits: WalletLimits | None,
        *,
        expected: str | None = None,
        timeout_seconds: float = _REMOTE_SECONDS,
    ) -> None:
        from solana_keychain import TransactionSigner

        # Other back-ends rewrite the transaction or send it themselves: the guard would have read something else.
        if not isinstance(backend, TransactionSigner):
            raise ConfigError(
                f"{type(backend).__name__} does not sign transactions as given",
                hint="use a back-end that signs the caller's bytes and leaves sending to us",
            )
        self._backend = backend
        self._timeout_seconds = timeout_seconds
        self.limits = limits
        self.public_key = backend.pubkey
        if expected is not None and str(self.public_key) != expected:
            raise ConfigError(
                f"the remote signer is wallet {self.public_key}, the settings want {expected}",
                hint="change wallet.public_key, or the key that the signer uses",
            )

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        """The signed transaction. Raises GuardRefused, KeyLocked when the service refuses or answers with something
        else, TimedOut when it does not answer: nothing was sent to the chain.
        """
        from solana_keychain import SignerError

        check_message(message, plan, self.limits)
        if plan.wallet != self.public_key:
            raise KeyLocked(f"the remote signer has no key for {plan.wallet}", hint="check wallet.public_key")
        asked = to_bytes_versioned(message)
        unsigned = VersionedTransaction.populate(message, [Signature.default()])
        try:
            signing = self._backend.sign_transaction(unsigned)
            answer = await asyncio.wait_for(signing, self._timeout_seconds)
        except TimeoutError:
            raise TimedOut(
                f"the remote signer did not answer within {self._timeout_seconds} s",
                hint="nothing was sent; check the service, then try again",
            ) from None
        except SignerError as error:
            # Its text is generic by contract; the detail, which may quote the service, stays inside.
            raise KeyLocked(
                f"the remote signer did not sign: {error}", hint="check the service and its rights"
            ) from None
        signed = answer.transaction
        if to_bytes_versioned(signed.message) != asked or len(signed.signatures) != 1:
            raise KeyLocked("the remote signer signed another transaction", hint="do not use this service")
        if not signed.signatures[0].verify(self.public_key, asked):
            raise KeyLocked("the remote signer's signature is not valid", hint="do not use this service")
        return signed

    def __repr__(self) -> str:
        return f"RemoteSigner({self.public_key})"


async def connect_remote_signer(
    backend: str, config: Any, limits: WalletLimits | None, *, expected: str | None = None
) -> RemoteSigner:
    """Signer of one of the back-ends of ``solana-keychain``; ``config`` is that back-end's own record.

    Raises ConfigError when the extra is not installed, for a back-end that keeps the key in this process, and for a
    configuration that it does not take; KeyLocked when it cannot be reached.
    """
    if backend == "memory":
        raise ConfigError("the memory back-end holds a bare key", hint="keep the key in a keystore: wallet import")
    missing = ConfigError(
        f"the remote signer {backend!r} is not installed",
        hint="install pumpswap[kms], and solana-keychain's own extra for this service",
    )
    try:
        from solana_keychain import SignerError, create_keychain_signer
        from solana_keychain.core import SignerErrorCode
    except ImportError:
        raise missing from None
    try:
        found: SolanaSigner = await create_keychain_signer(backend, config)
    except ImportError:
        raise missing from None
    except SignerError as error:
        wrong = error.code in (SignerErrorCode.CONFIG_ERROR, SignerErrorCode.INVALID_PUBLIC_KEY)
        kind = ConfigError if wrong else KeyLocked
        raise kind(f"the remote signer {backend!r} is not usable: {error}", hint="check its configuration") from None
    return RemoteSigner(found, limits, expected=expected)  # type: ignore[arg-type]  # verified there
