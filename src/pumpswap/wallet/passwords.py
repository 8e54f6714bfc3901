"""Where a wallet's password comes from: a file descriptor, the environment, the system's keyring, or a prompt.

In this order; the first that has one decides. A password is never an argument: arguments are visible to all users.
"""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from solders.pubkey import Pubkey

from pumpswap.errors import KeyLocked, UsageError
from pumpswap.wallet.keystore import Keystore
from pumpswap.wallet.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = [
    "PASSWORD_VARIABLE",
    "PasswordSources",
    "ask_on_terminal",
    "forget_password",
    "keyring_name",
    "keep_password",
]

PASSWORD_VARIABLE = "PUMPSWAP_WALLET_PASSWORD"
_LOUD = (
    f"the wallet's password comes from the environment variable {PASSWORD_VARIABLE}: every process of this user can "
    "read it; a keyring or --password-fd is safer"
)
_SERVICE = "pumpswap wallet"
_MOST_BYTES = 4_096
_LEAST_PRIORITY = 1  # back-ends below it keep passwords in plain files, or nowhere

log = logging.getLogger(__name__)


def ask_on_terminal(prompt: str) -> Secret:
    """What the user types, unseen. Raises KeyLocked where there is no terminal: then nobody would see the question."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        hint = f"unlock with --password-fd N, the system's keyring, or {PASSWORD_VARIABLE}"
        raise KeyLocked("there is no terminal to ask for the password", hint=hint) from None
    return Secret.of_text(getpass.getpass(prompt))


def _log_warning(_: str) -> None:
    log.warning("password-from-environment", extra={"variable": PASSWORD_VARIABLE})


@dataclass(frozen=True, slots=True)
class PasswordSources:
    """The sources of one run. ``warn`` is told each time that the environment is used; by default the log is."""

    descriptor: int | None = None
    warn: Callable[[str], None] = _log_warning
    ask: Callable[[str], Secret] = ask_on_terminal
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def find(self, keystore: Keystore) -> Secret:
        """Password of a keystore, not yet tried. Raises KeyLocked, UsageError for a descriptor that is not open."""
        given = self._given()
        if given is not None:
            return given
        backend = _backend()
        stored = None if backend is None else _from_keyring(backend, keystore.public_key)
        return stored if stored is not None else self.ask(f"Password of wallet {keystore.name}: ")

    def choose(self, name: str) -> Secret:
        """Password for a new wallet, typed twice when typed. Raises as ``find``; UsageError when the two differ."""
        given = self._given()
        if given is not None:
            return given
        first = self.ask(f"New password for wallet {name}: ")
        with self.ask("The same again: ") as second:
            if first != second:
                first.wipe()
                raise UsageError("the two passwords differ", hint="nothing was written; try again")
        return first

    def _given(self) -> Secret | None:
        if self.descriptor is not None:
            return _from_descriptor(self.descriptor)
        text = self.environment.get(PASSWORD_VARIABLE)
        if text is None:
            return None
        self.warn(_LOUD)
        return Secret.of_text(text)


def keyring_name() -> str | None:
    """Name of the system's keyring, None where there is none that protects anything."""
    backend = _backend()
    return None if backend is None else str(backend.name)


def keep_password(public_key: Pubkey, password: Secret) -> str:
    """Store a password in the system's keyring, whose name is returned. Raises KeyLocked where there is none."""
    from keyring.errors import KeyringError

    backend = _required()
    try:
        backend.set_password(_SERVICE, str(public_key), password.content.decode("utf-8"))
    except KeyringError:
        raise KeyLocked("the keyring did not store the password", hint="is it locked? Unlock your session") from None
    return str(backend.name)


def forget_password(public_key: Pubkey) -> bool:
    """Remove a password from the keyring; whether there was one. Raises KeyLocked where there is no keyring."""
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        _required().delete_password(_SERVICE, str(public_key))
    except PasswordDeleteError:
        return False
    except KeyringError:
        raise KeyLocked("the keyring did not answer", hint="is it locked? Unlock your session") from None
    return True


def _required() -> KeyringBackend:
    backend = _backend()
    if backend is None:
        hint = "use --password-fd N on servers; on a desktop install pumpswap[keyring] and log in to a keyring"
        raise KeyLocked("there is no system keyring here", hint=hint)
    return backend


def _backend() -> KeyringBackend | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        backend = keyring.get_keyring()
        return backend if backend.priority >= _LEAST_PRIORITY else None
    except (KeyringError, RuntimeError):  # keyring's word for "cannot be used here"
        return None


def _from_keyring(backend: KeyringBackend, public_key: Pubkey) -> Secret | None:
    from keyring.errors import KeyringError

    try:
        stored = backend.get_password(_SERVICE, str(public_key))
    except KeyringError:
        # A locked keyring is no reason to fail: the prompt is still there.
        log.warning("keyring-unavailable", extra={"keyring": str(backend.name)})
        return None
    return None if stored is None else Secret.of_text(stored)


def _from_descriptor(number: int) -> Secret:
    content = bytearray()
    try:
        while len(content) <= _MOST_BYTES:
            part = os.read(number, _MOST_BYTES)
            if not part:
                break
            content += part
    except OSError:
        hint = "open it for the command, for example --password-fd 3 3< <(pass show wallet)"
        raise UsageError(f"file descriptor {number} cannot be read", hint=hint) from None
    with Secret(content):
        if len(content) > _MOST_BYTES:
            raise UsageError("the password is too long", hint="is this the right file descriptor?")
        try:
            return Secret.of_text(content.decode("utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            raise UsageError("the password is no UTF-8 text", hint="is this the right file descriptor?") from None
