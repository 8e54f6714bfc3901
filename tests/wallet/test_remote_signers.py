"""Signers: the guard first, then the key; what a remote service returns is verified (P37 to P39)."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solana_keychain import MemorySigner, SignerError, SignerErrorCode, TransactionSigner
from solana_keychain.core import SendingSigner
from solana_keychain.core.signer import SignedTransaction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from pumpswap.chain.signing import Signer
from pumpswap.errors import ConfigError, GuardRefused, KeyLocked, NotFound, TimedOut, WrongPassword
from pumpswap.wallet import LocalSigner, RemoteSigner, Secret, WalletLimits, connect_remote_signer, unlock
from tests.wallet.test_keystore_changes import PASSWORD, secret, stored
from tests.wallet.trades import LIMITS, SEED, STRANGER, WALLET, Trade, compiled, trade

PAIR = Keypair.from_seed(SEED)
OURS = trade()


def local(limits: WalletLimits | None = LIMITS) -> LocalSigner:
    return LocalSigner(Secret(bytearray(SEED)), limits)


def remote(limits: WalletLimits | None = LIMITS) -> RemoteSigner:
    return RemoteSigner(MemorySigner.from_bytes(SEED), limits)


def sign(signer: Signer, ours: Trade = OURS, message: MessageV0 | None = None) -> VersionedTransaction:
    return asyncio.run(signer.sign(message or ours.message(), ours.plan))


@pytest.mark.parametrize("make", [local, remote])
def test_what_is_signed_is_the_message_itself(make: Callable[[], Signer]) -> None:
    signer = make()
    assert signer.public_key == WALLET
    signed = sign(signer)
    assert signed.message == OURS.message()
    assert list(signed.signatures) == [PAIR.sign_message(to_bytes_versioned(OURS.message()))]
    assert signed.verify_with_results() == [True]
    assert bytes(signed) == bytes(VersionedTransaction(OURS.message(), [PAIR]))


@pytest.mark.parametrize("make", [local, remote])
def test_p38_both_signers_ask_the_guard_first(make: Callable[..., Signer]) -> None:
    tampered = compiled([*OURS.steps, OURS.steps[OURS.swap_at]])
    with pytest.raises(GuardRefused):
        sign(make(), message=tampered)
    with pytest.raises(GuardRefused, match="no limits"):
        sign(make(None))
    with pytest.raises(GuardRefused, match="limit for an order"):
        sign(make(WalletLimits(1, 1, 0)))
    with pytest.raises(GuardRefused, match="fee payer"):
        asyncio.run(make().sign(OURS.message(), replace(OURS.plan, wallet=STRANGER)))


def test_a_locked_signer_signs_nothing() -> None:
    signer = local()
    sign(signer)
    signer.lock()
    assert "locked" in repr(signer)
    with pytest.raises(KeyLocked, match="is locked"):
        sign(signer)


@pytest.mark.parametrize("make", [local, remote])
def test_a_signer_signs_for_its_own_wallet_only(make: Callable[[], Any]) -> None:
    other = Keypair.from_seed(b"\x08" * 32).pubkey()
    signer = make()
    other_plan = replace(OURS.plan, wallet=other)
    # Another wallet's message never comes this far with a valid plan; the key is compared all the same.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pumpswap.wallet.signers.check_message", lambda *_: None)
        with pytest.raises(KeyLocked):
            asyncio.run(signer.sign(OURS.message(), other_plan))


def shapes_of_the_key() -> list[str]:
    whole = bytes(PAIR)
    return [str(PAIR), SEED.hex(), str(list(SEED))[1:-1], str(list(whole))[1:-1], repr(SEED)[2:-1], str(Pubkey(SEED))]


def test_p39_the_key_is_in_no_repr_no_exception_and_no_attribute() -> None:
    signer = local()
    shown = [repr(signer), str(signer), f"{signer}", repr([signer]), repr(remote())]
    for name in ("public_key", "limits"):
        shown.append(repr(getattr(signer, name)))
    try:
        sign(signer, message=compiled([*OURS.steps, OURS.steps[OURS.swap_at]]))
    except GuardRefused as error:
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        shown.append("".join(lines))
    for text in shown:
        for shape in shapes_of_the_key():
            assert shape not in text
    for taking in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            taking(signer)
    with pytest.raises(AttributeError):
        signer.other = 1  # type: ignore[attr-defined]


def test_p39_failures_while_unlocking_show_no_key_even_with_locals(tmp_path: Path) -> None:
    made = stored(tmp_path, "argon2id")
    with pytest.raises(WrongPassword) as caught:
        unlock(made.path, lambda _: secret("a wrong password"))
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    for shape in shapes_of_the_key():
        assert shape not in "".join(lines)


def test_unlocking_wipes_password_and_seed(tmp_path: Path) -> None:
    made = stored(tmp_path, "argon2id")
    password = secret()
    buffer = password.content
    signer = unlock(made.path, lambda _: password, expected=str(WALLET))
    assert buffer == bytearray(len(PASSWORD))
    assert signer.public_key == WALLET
    assert signer.limits is None
    gc.collect()
    kept = [each for each in gc.get_objects() if isinstance(each, bytearray) and each == SEED]
    assert kept == []


def test_another_key_than_the_configured_one_is_refused_before_a_password_is_asked(tmp_path: Path) -> None:
    made = stored(tmp_path, "argon2id")

    def never(_: object) -> Secret:
        raise AssertionError("nobody should be asked")

    with pytest.raises(ConfigError, match="the settings want"):
        unlock(made.path, never, expected=str(STRANGER))
    with pytest.raises(NotFound):
        unlock(tmp_path / "none.json", never)
    with pytest.raises(ConfigError, match="the settings want"):
        RemoteSigner(MemorySigner.from_bytes(SEED), LIMITS, expected=str(STRANGER))
    RemoteSigner(MemorySigner.from_bytes(SEED), LIMITS, expected=str(WALLET))


# ------------------------------------------------------------------ remote services that misbehave


class Misbehaving(TransactionSigner):
    """A service that does something else than asked."""

    def __init__(self, act: Callable[[VersionedTransaction], Any]) -> None:
        self._act = act

    @property
    def pubkey(self) -> Pubkey:
        return WALLET

    async def sign_message(self, message: bytes) -> Signature:
        return PAIR.sign_message(message)

    async def is_available(self) -> bool:
        return True

    async def sign_transaction(self, transaction: VersionedTransaction) -> SignedTransaction:
        answer = self._act(transaction)
        if isinstance(answer, VersionedTransaction):
            return SignedTransaction("", answer.signatures[0], True, answer)
        await asyncio.sleep(answer)
        raise AssertionError("nobody waits that long")


def another_message(_: VersionedTransaction) -> VersionedTransaction:
    return VersionedTransaction(compiled(OURS.steps[:2]), [PAIR])


def bad_signature(asked: VersionedTransaction) -> VersionedTransaction:
    return VersionedTransaction.populate(asked.message, [Signature.default()])


def foreign_signature(asked: VersionedTransaction) -> VersionedTransaction:
    other = Keypair.from_seed(b"\x08" * 32).sign_message(to_bytes_versioned(asked.message))
    return VersionedTransaction.populate(asked.message, [other])


def down(_: VersionedTransaction) -> VersionedTransaction:
    raise SignerError(SignerErrorCode.REMOTE_API_ERROR, "token=very-secret")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (another_message, "signed another transaction"),
        (bad_signature, "signature is not valid"),
        (foreign_signature, "signature is not valid"),
        (down, "did not sign: Remote API error"),
    ],
)
def test_p37_what_a_remote_signer_returns_is_verified(act: Callable[..., Any], said: str) -> None:
    with pytest.raises(KeyLocked, match=said) as caught:
        sign(RemoteSigner(Misbehaving(act), LIMITS))
    assert "very-secret" not in "".join(traceback.format_exception(caught.value)) + caught.value.hint


def test_a_remote_signer_that_does_not_answer_times_out() -> None:
    with pytest.raises(TimedOut, match="did not answer") as caught:
        sign(RemoteSigner(Misbehaving(lambda _: 30.0), LIMITS, timeout_seconds=0.01))
    assert "nothing was sent" in caught.value.hint


class Sender(SendingSigner):
    """A service that broadcasts by itself."""

    @property
    def pubkey(self) -> Pubkey:
        return WALLET

    async def sign_message(self, message: bytes) -> Signature:
        return PAIR.sign_message(message)

    async def is_available(self) -> bool:
        return True

    async def sign_and_send_transaction(self, transaction: VersionedTransaction) -> Signature:
        raise AssertionError("never called")


def test_p39_a_service_that_rewrites_or_sends_by_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not sign transactions as given"):
        RemoteSigner(Sender(), LIMITS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("backend", "config", "said"),
    [
        ("memory", None, "bare key"),
        ("nonsense", None, "is not usable"),
        ("vault", object(), "is not usable"),
        ("aws-kms", None, "not installed"),
    ],
)
def test_a_remote_signer_that_cannot_be_made_says_why(backend: str, config: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        asyncio.run(connect_remote_signer(backend, config, LIMITS))
