"""Signers put the guard before the key; passwords come from where they may, and loudly from the environment."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.errors import ConfigError, GuardRefused, KeyLocked, TimedOut, UsageError
from pumpswap.wallet.guard import check_message
from pumpswap.wallet.keystore import create_keystore, read_keystore
from pumpswap.wallet.passwords import PASSWORD_VARIABLE, PasswordSources
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner, RemoteSigner, connect_remote_signer
from pumpswap.wallet.wsol import EmptyAccount, close_empty, top_up_lamports, unwrap, wrap
from tests.wallet.test_keystore import CHEAP, PASSWORD
from tests.wallet.test_keystore import SEED as OTHER_SEED
from tests.wallet.trades import LIMITS, SEED, STRANGER, WALLET, compiled, trade

pytest.importorskip("solana_keychain")


def local() -> LocalSigner:
    return LocalSigner(Secret(SEED), LIMITS)


def test_a_transaction_within_its_plan_gets_a_valid_signature() -> None:
    ours = trade()
    signed = asyncio.run(local().sign(ours.message(), ours.plan))
    assert signed.message == ours.message()
    assert signed.signatures[0].verify(WALLET, to_bytes_versioned(signed.message))


def test_p38_a_transaction_beyond_its_plan_is_not_signed() -> None:
    ours = trade()
    dearer = replace(ours.plan, max_pay_units=ours.plan.max_pay_units - 1)
    with pytest.raises(GuardRefused):
        asyncio.run(local().sign(ours.message(), dearer))


def test_a_locked_signer_and_the_wallet_of_somebody_else_sign_nothing() -> None:
    ours, signer = trade(), local()
    signer.lock()
    with pytest.raises(KeyLocked, match="is locked"):
        asyncio.run(signer.sign(ours.message(), ours.plan))
    with pytest.raises(KeyLocked):
        asyncio.run(LocalSigner(Secret(OTHER_SEED), LIMITS).sign(ours.message(), ours.plan))


# ---------------------------------------------------------------------------------------------- remote signers


def test_a_key_that_would_lie_in_memory_is_no_remote_signer() -> None:
    with pytest.raises(ConfigError, match="bare key"):
        asyncio.run(connect_remote_signer("memory", None, LIMITS))


class Backend:
    """A key service that answers in a way of its own."""

    def __init__(self, answer: Any, seconds: float = 0) -> None:
        self.pubkey, self._answer, self._seconds = WALLET, answer, seconds

    async def sign_transaction(self, transaction: Any) -> Any:
        await asyncio.sleep(self._seconds)
        return self._answer(transaction)


class Answer:
    def __init__(self, transaction: Any) -> None:
        self.transaction = transaction


def signer_on(answer: Any, seconds: float = 0) -> RemoteSigner:
    found = object.__new__(RemoteSigner)
    found._backend = Backend(answer, seconds)  # type: ignore[assignment]
    found._timeout_seconds, found.limits, found.public_key = 0.2, LIMITS, WALLET
    return found


def test_a_service_that_signs_what_it_was_given_is_believed_after_verification() -> None:
    ours = trade()
    signed = asyncio.run(local().sign(ours.message(), ours.plan))
    assert asyncio.run(signer_on(lambda _: Answer(signed)).sign(ours.message(), ours.plan)) == signed


def test_a_service_that_signs_something_else_or_nothing_is_refused() -> None:
    ours = trade()
    other = trade(marker=True)
    foreign = asyncio.run(local().sign(other.message(), other.plan))
    with pytest.raises(KeyLocked, match="another transaction"):
        asyncio.run(signer_on(lambda _: Answer(foreign)).sign(ours.message(), ours.plan))
    with pytest.raises(KeyLocked, match="signature is not valid"):
        asyncio.run(signer_on(Answer).sign(ours.message(), ours.plan))
    with pytest.raises(TimedOut, match="did not answer"):
        asyncio.run(signer_on(Answer, seconds=5).sign(ours.message(), ours.plan))


def test_the_guard_stands_before_a_remote_key_too() -> None:
    ours = trade()

    def never(_: Any) -> Any:
        raise AssertionError("the service was asked")

    with pytest.raises(GuardRefused):
        asyncio.run(signer_on(never).sign(ours.message(), replace(ours.plan, max_pay_units=1)))


# ---------------------------------------------------------------------------------------------- passwords


def test_p40_a_password_from_the_environment_is_loud(tmp_path: Path) -> None:
    keystore = create_keystore(tmp_path / "a.json", Secret(OTHER_SEED), Secret.of_text(PASSWORD), kdf=CHEAP)
    told: list[str] = []
    sources = PasswordSources(warn=told.append, environment={PASSWORD_VARIABLE: PASSWORD})
    with sources.find(keystore) as found, read_keystore(keystore.path).open_seed(found) as seed:
        assert bytes(seed.content) == OTHER_SEED
    assert len(told) == 1
    assert PASSWORD_VARIABLE in told[0]
    assert PASSWORD not in told[0] + repr(sources)


def test_a_descriptor_comes_before_the_environment_and_loses_its_line_end(tmp_path: Path) -> None:
    keystore = create_keystore(tmp_path / "a.json", Secret(OTHER_SEED), Secret.of_text(PASSWORD), kdf=CHEAP)
    reading, writing = os.pipe()
    os.write(writing, f"{PASSWORD}\n".encode())
    os.close(writing)
    with PasswordSources(descriptor=reading, environment={PASSWORD_VARIABLE: "other"}).find(keystore) as found:
        assert bytes(found.content) == PASSWORD.encode()
    os.close(reading)
    with pytest.raises(UsageError, match="cannot be read"):
        PasswordSources(descriptor=reading, environment={}).find(keystore)


def test_a_new_password_is_typed_twice() -> None:
    typed = iter(["one two three", "one two tree"])
    sources = PasswordSources(ask=lambda _: Secret.of_text(next(typed)), environment={})
    with pytest.raises(UsageError, match="differ"):
        sources.choose("main")
    with PasswordSources(ask=lambda _: Secret.of_text(PASSWORD), environment={}).choose("main") as found:
        assert bytes(found.content) == PASSWORD.encode()


# ---------------------------------------------------------------------------------------------- wrapped SOL


def test_wrapping_moves_exactly_what_was_asked_to_the_wallets_own_account() -> None:
    action = wrap("w1", WALLET, 10**9, 25_000)
    check_message(compiled(action.instructions), action.plan, LIMITS)
    with pytest.raises(GuardRefused, match="wraps 1000000000 lamports"):
        check_message(compiled(action.instructions), replace(action.plan, max_wrap_lamports=10**9 - 1), LIMITS)
    for lamports in (0, -1, 2**64, True):
        with pytest.raises(UsageError):
            wrap("w1", WALLET, lamports, 25_000)
    assert (top_up_lamports(10, 4), top_up_lamports(4, 10)) == (6, 0)


def test_nothing_is_unwrapped_or_closed_under_an_order_that_may_land() -> None:
    action = unwrap("w1", WALLET, 25_000, ())
    check_message(compiled(action.instructions), action.plan, LIMITS)
    empty = EmptyAccount(ata(WALLET, STRANGER, TOKEN_PROGRAM), WALLET, STRANGER, TOKEN_PROGRAM, 0)
    with pytest.raises(GuardRefused, match="2 orders may still land"):
        unwrap("w1", WALLET, 25_000, ("l1", "l2"))
    with pytest.raises(GuardRefused, match="1 orders may still land"):
        close_empty("w1", WALLET, [empty], 25_000, ("l1",))


def test_only_empty_accounts_of_the_wallet_are_closed_and_to_the_wallet() -> None:
    mints = [Pubkey.from_bytes(bytes([number]) * 32) for number in range(1, 21)]
    programs = [TOKEN_PROGRAM if number % 2 else TOKEN_2022_PROGRAM for number in range(20)]
    empty = [
        EmptyAccount(ata(WALLET, mint, program), WALLET, mint, program, 0)
        for mint, program in zip(mints, programs, strict=True)
    ]
    action = close_empty("w1", WALLET, empty, 25_000, ())
    check_message(compiled(action.instructions), action.plan, LIMITS)
    assert action.plan.closable == frozenset(each.address for each in empty)
    first = empty[0]
    for wrong in (replace(first, units=1), replace(first, owner=STRANGER), replace(first, mint=WSOL_MINT)):
        with pytest.raises(UsageError):
            close_empty("w1", WALLET, [wrong], 25_000, ())
    for count in ([], [*empty, first]):
        with pytest.raises(UsageError, match="accounts to close"):
            close_empty("w1", WALLET, count, 25_000, ())
