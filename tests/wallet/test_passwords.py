"""Where passwords come from, in which order, and what is said when they cannot (P40)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from pumpswap.errors import KeyLocked, UsageError
from pumpswap.wallet import Keystore, PasswordSources, Secret, passwords
from pumpswap.wallet.passwords import PASSWORD_VARIABLE
from tests.wallet.test_keystore_changes import PASSWORD, stored


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring of one process."""

    priority = 5
    name = "test keyring"

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked

    def _open(self) -> dict[tuple[str, str], str]:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.kept

    def get_password(self, service: str, username: str) -> str | None:
        return self._open().get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self._open():
            raise keyring.errors.PasswordDeleteError("none")
        del self.kept[service, username]


@pytest.fixture
def system_keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    return backend


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)


@pytest.fixture
def hot(tmp_path: Path) -> Keystore:
    return stored(tmp_path, "argon2id")


def never(_: str) -> Secret:
    raise AssertionError("nobody should be asked")


def answering(*answers: str) -> Iterator[Secret]:
    return iter([Secret.of_text(each) for each in answers])


def pipe(content: bytes) -> int:
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_descriptor_comes_before_everything_else(system_keyring: MemoryKeyring, hot: Keystore, ending: bytes) -> None:
    passwords.keep_password(hot.public_key, Secret.of_text("another one"))
    number = pipe(PASSWORD.encode() + ending)
    warned: list[str] = []
    sources = PasswordSources(number, warned.append, never, {PASSWORD_VARIABLE: "a third one"})
    assert sources.find(hot) == Secret.of_text(PASSWORD)
    assert warned == []
    os.close(number)


def test_a_descriptor_that_brings_no_password_is_a_usage_error(hot: Keystore) -> None:
    for content, said in ((b"\xff\xfe", "no UTF-8"), (b"x" * 5_000, "too long")):
        number = pipe(content)
        with pytest.raises(UsageError, match=said):
            PasswordSources(number, ask=never, environment={}).find(hot)
        os.close(number)
    with pytest.raises(UsageError, match="cannot be read"):
        PasswordSources(9_999, ask=never, environment={}).find(hot)


@pytest.mark.usefixtures("no_keyring")
def test_p40_the_environment_is_loud_each_time(hot: Keystore, caplog: pytest.LogCaptureFixture) -> None:
    warned: list[str] = []
    sources = PasswordSources(None, warned.append, never, {PASSWORD_VARIABLE: PASSWORD})
    for _ in range(2):
        assert sources.find(hot) == Secret.of_text(PASSWORD)
    assert len(warned) == 2
    assert all(PASSWORD_VARIABLE in each and PASSWORD not in each for each in warned)
    assert PASSWORD not in repr(sources)
    PasswordSources(ask=never, environment={PASSWORD_VARIABLE: PASSWORD}).find(hot)
    assert caplog.messages == ["password-from-environment"]


def test_the_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpswap.settings import load_settings

    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    assert PASSWORD not in repr(load_settings())


def test_the_keyring_is_asked_before_the_user(system_keyring: MemoryKeyring, hot: Keystore) -> None:
    sources = PasswordSources(ask=never, environment={})
    assert passwords.keyring_name() == "test keyring"
    assert passwords.keep_password(hot.public_key, Secret.of_text(PASSWORD)) == "test keyring"
    assert sources.find(hot) == Secret.of_text(PASSWORD)
    assert list(system_keyring.kept) == [("pumpswap wallet", str(hot.public_key))]
    assert passwords.forget_password(hot.public_key)
    assert not passwords.forget_password(hot.public_key)
    answers = answering("typed in")
    assert PasswordSources(ask=lambda _: next(answers), environment={}).find(hot) == Secret.of_text("typed in")


def test_a_locked_keyring_leaves_the_prompt(system_keyring: MemoryKeyring, hot: Keystore) -> None:
    system_keyring.locked = True
    answers = answering("typed in")
    assert PasswordSources(ask=lambda _: next(answers), environment={}).find(hot) == Secret.of_text("typed in")
    with pytest.raises(KeyLocked, match="did not store"):
        passwords.keep_password(hot.public_key, Secret.of_text(PASSWORD))
    with pytest.raises(KeyLocked, match="did not answer"):
        passwords.forget_password(hot.public_key)


@pytest.mark.usefixtures("no_keyring")
def test_a_headless_machine_says_that_it_has_no_keyring(hot: Keystore) -> None:
    assert passwords.keyring_name() is None
    with pytest.raises(KeyLocked, match="no system keyring") as caught:
        passwords.keep_password(hot.public_key, Secret.of_text(PASSWORD))
    assert "--password-fd" in caught.value.hint


def test_a_keyring_that_keeps_passwords_in_plain_files_does_not_count(
    system_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryKeyring, "priority", 0.5)
    assert passwords.keyring_name() is None


def test_a_new_password_is_typed_twice() -> None:
    same, other = answering("long enough", "long enough"), answering("long enough", "long enougg")
    assert PasswordSources(ask=lambda _: next(same), environment={}).choose("hot") == Secret.of_text("long enough")
    with pytest.raises(UsageError, match="differ") as caught:
        PasswordSources(ask=lambda _: next(other), environment={}).choose("hot")
    assert "long" not in caught.value.what


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr("pumpswap.wallet.passwords.os.open", refused)
    with pytest.raises(KeyLocked, match="no terminal") as caught:
        passwords.ask_on_terminal("Password: ")
    assert "--password-fd" in caught.value.hint
