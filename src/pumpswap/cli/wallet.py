"""``pumpswap wallet``: keystores, their passwords and their limits. Keys come in by file or standard input only."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.formats import sol_text
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import AMOUNT, SOL
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.units import to_units

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pumpswap.settings import Settings
    from pumpswap.wallet import Keystore, Secret, StoredWallet, WalletLimits

__all__ = ["create", "import_", "limits", "list_", "show", "unlock", "wallet"]

_HERE = "pumpswap.cli.wallet"
_TERMINAL = "a terminal, for the password"
_NOT_HERE = "a private key never stands on a command line: others can read it there, and shells keep it"

wallet = LazyGroup(
    "wallet",
    entries={
        "create": Entry(f"{_HERE}:create", "make a new key and seal it with a password"),
        "import": Entry(f"{_HERE}:import_", "seal a key of another wallet program"),
        "list": Entry(f"{_HERE}:list_", "all wallets of this data folder"),
        "show": Entry(f"{_HERE}:show", "public key and limits of one wallet"),
        "unlock": Entry(f"{_HERE}:unlock", "try the password, and keep it in the system's keyring"),
        "limits": Entry(f"{_HERE}:limits", "what a wallet may spend: show or change it"),
        "wrap": Entry("pumpswap.cli.wallet_chain:wrap", "move SOL into the wrapped-SOL account"),
        "unwrap": Entry("pumpswap.cli.wallet_chain:unwrap", "all wrapped SOL back to SOL"),
        "close-empty": Entry("pumpswap.cli.wallet_chain:close_empty", "close empty token accounts, for their rent"),
    },
    help=(
        "Keystores: private keys that are encrypted with a password, one file each.\n\n"
        "Nothing here prints a private key. The password is asked for, or comes from --password-fd, the system's "
        "keyring, or the variable PUMPSWAP_WALLET_PASSWORD, which is the weakest of them."
    ),
    examples=[
        Example("pumpswap wallet create", "a new wallet named default", needs=_TERMINAL),
        Example("pumpswap wallet limits --max-order 0.5 --max-day 2 --min-reserve 0.05", needs=_TERMINAL),
        Example("pumpswap wallet list", "what there is"),
    ],
)

_name = click.argument("name", nargs=-1)
_descriptor = option(
    "--password-fd", type=click.IntRange(min=0), metavar="N", help="Read the password from this file descriptor."
)
_network = option(
    "--network", type=click.Choice(["mainnet", "devnet", "localnet"]), help="A note for people; nothing depends on it."
)
_kdf = option(
    "--kdf", type=click.Choice(["scrypt", "argon2id"]), default="scrypt", show_default=True, help="Password hashing."
)


@command(
    "create",
    help=(
        "Make a new private key and seal it in the wallet NAME (default: default).\n\n"
        "Only the public key is shown. There is no backup phrase: the file and its password are the wallet. Copy the "
        "file to another disk before you send money to it."
    ),
    examples=[
        Example("pumpswap wallet create", "asks for a password, twice", needs=_TERMINAL),
        Example("pumpswap wallet create trading --network devnet", needs=_TERMINAL),
        Example("pumpswap wallet create bot --password-fd 3 3< password.txt", "on a server", needs="a password file"),
    ],
)
@_name
@_network
@_kdf
@_descriptor
@pass_output
def create(out: Output, name: tuple[str, ...], network: str | None, kdf: str, password_fd: int | None) -> None:
    from pumpswap.wallet import new_seed

    _seal(out, _path(out, name), new_seed, network=network, kdf=kdf, password_fd=password_fd)


@command(
    "import",
    help=(
        "Seal a private key of another program in the wallet NAME (default: default).\n\n"
        "The key is read from a file, from standard input, or typed at a prompt: the JSON file of the Solana CLI, or "
        "the base58 text that browser wallets export. It is never an argument."
    ),
    examples=[
        Example("pumpswap wallet import --from ~/.config/solana/id.json", "the Solana CLI's", needs="a key file"),
        Example("pumpswap wallet import hot", "asks for the key, unseen", needs=_TERMINAL),
        Example("pass show phantom | pumpswap wallet import hot --from -", "from another program", needs="a key"),
    ],
)
@_name
@option("--from", "source", metavar="FILE", help="Key file; - is standard input. Without it, the key is asked for.")
@_network
@_kdf
@_descriptor
@pass_output
def import_(
    out: Output,
    name: tuple[str, ...],
    source: str | None,
    network: str | None,
    kdf: str,
    password_fd: int | None,
) -> None:
    from pumpswap.wallet import seed_of_key_file

    path = _path(out, name)
    if source in (None, "-") and password_fd == 0:
        raise UsageError("standard input cannot bring both key and password", hint="use another descriptor for one")

    def read() -> Secret:
        with _key_text(out, source) as text:
            return seed_of_key_file(text)

    _seal(out, path, read, network=network, kdf=kdf, password_fd=password_fd)
    if source not in (None, "-"):
        out.say("The file you imported from still holds the key in the clear: remove it when this one is backed up.")


@command(
    "list",
    help="List the wallets of the data folder. No password is needed; a damaged file is listed with what is wrong.",
    examples=[Example("pumpswap wallet list"), Example("pumpswap wallet list --json", "for scripts")],
)
@pass_output
def list_(out: Output) -> None:
    from pumpswap.cli.run_result import settings_for
    from pumpswap.wallet import WalletStore

    store = WalletStore.of(settings_for(out))
    found = store.wallets()
    for each in found:
        if each.trouble is not None:
            out.warn(f"wallet {each.name}: {each.trouble.what}; {each.trouble.hint}")
    if out.json:
        wallets = [{"name": each.name, **_listed_json(each)} for each in found]
        out.emit("wallets", {"folder": str(store.folder), "wallets": wallets})
    elif not found:
        out.show(f"No wallets in {store.folder}")
        out.say("Make one: pumpswap wallet create")
    else:
        out.show(_table([_listed_row(each) for each in found]), keep_lines=True)


@command(
    "show",
    help=(
        "Show public key, file and limits of the wallet NAME (default: the one of the settings).\n\n"
        "No password is needed: the file is checked for damage now, and its seal when the wallet is unlocked."
    ),
    examples=[
        Example("pumpswap wallet show", needs="a wallet"),
        Example("pumpswap wallet show trading --json", needs="a wallet"),
    ],
)
@_name
@pass_output
def show(out: Output, name: tuple[str, ...]) -> None:
    from pumpswap.wallet import read_keystore

    _present(out, read_keystore(_path(out, name, existing=True)))


@command(
    "unlock",
    help=(
        "Try the password of the wallet NAME (default: the one of the settings).\n\n"
        "Where the system has a keyring, the password is kept there, so that this user's programs can unlock the "
        "wallet without asking; --no-keyring only tries it, --forget removes it again. Nothing stays unlocked when "
        "this command ends."
    ),
    examples=[
        Example("pumpswap wallet unlock", "try it, keep it in the keyring", needs=_TERMINAL),
        Example("pumpswap wallet unlock --no-keyring", "only try it", needs=_TERMINAL),
        Example("pumpswap wallet unlock --forget", "remove it from the keyring", needs="a keyring"),
    ],
)
@_name
@_descriptor
@option("--no-keyring", is_flag=True, help="Only try the password.")
@option("--forget", is_flag=True, help="Remove the password from the keyring.")
@pass_output
def unlock(out: Output, name: tuple[str, ...], password_fd: int | None, no_keyring: bool, forget: bool) -> None:
    from pumpswap.wallet import passwords, read_keystore

    if forget and (no_keyring or password_fd is not None):
        raise UsageError("--forget goes alone", hint="it needs no password")
    keystore = read_keystore(_path(out, name, existing=True))
    if forget:
        removed = passwords.forget_password(keystore.public_key)
        _answer(out, "wallet_unlock", keystore, {"opens": None, "keyring": None, "removed": removed})
        out.say("Removed from the keyring." if removed else "The keyring had no password of this wallet.")
        return
    _expect_configured(out, keystore)
    with _sources(out, password_fd).find(keystore) as password:
        keystore.open_seed(password).wipe()
        keyring = None
        if not no_keyring and passwords.keyring_name() is not None:
            keyring = passwords.keep_password(keystore.public_key, password)
    _answer(out, "wallet_unlock", keystore, {"opens": True, "keyring": keyring, "removed": False})
    if keyring is not None:
        out.say(f"The password is right, and kept in {keyring}.")
    else:
        reason = "as asked" if no_keyring else "there is no system keyring here"
        out.say(f"The password is right. It was not kept: {reason}.")


@command(
    "limits",
    help=(
        "Show the limits of the wallet NAME (default: the one of the settings), or change them.\n\n"
        "They are sealed with the key: changing them needs the password. A wallet without limits cannot buy. The order "
        "limit counts payment, fees and tip; the reserve is native SOL that is never spent on trades."
    ),
    examples=[
        Example("pumpswap wallet limits --max-order 0.5 --max-day 2 --min-reserve 0.05", needs=_TERMINAL),
        Example("pumpswap wallet limits --max-order 0.25", "change one of them", needs=_TERMINAL),
        Example("pumpswap wallet limits", "show them", needs="a wallet"),
    ],
)
@_name
@option("--max-order", type=SOL, metavar="SOL", help="Most that one order may spend.")
@option("--max-day", type=SOL, metavar="SOL", help="Most that all orders of 24 hours may spend.")
@option("--min-reserve", type=AMOUNT, metavar="SOL", help="Native SOL that stays in the wallet.")
@_descriptor
@pass_output
def limits(
    out: Output,
    name: tuple[str, ...],
    max_order: int | None,
    max_day: int | None,
    min_reserve: Decimal | None,
    password_fd: int | None,
) -> None:
    from pumpswap.wallet import read_keystore

    keystore = read_keystore(_path(out, name, existing=True))
    reserve = None if min_reserve is None else to_units(min_reserve, 9)
    if max_order is max_day is reserve is None:
        _present(out, keystore)
        return
    changed = _limits(keystore.limits, max_order, max_day, reserve)
    with _sources(out, password_fd).find(keystore) as password:
        keystore = keystore.with_limits(changed, password)
    _present(out, keystore)


def _limits(old: WalletLimits | None, max_order: int | None, max_day: int | None, reserve: int | None) -> WalletLimits:
    from pumpswap.wallet import WalletLimits

    said = {"max_order_lamports": max_order, "max_day_lamports": max_day, "min_reserve_lamports": reserve}
    kept = {} if old is None else old.to_json()
    missing = [name for name, value in said.items() if value is None and name not in kept]
    if missing:
        options = ", ".join(f"--{name.removesuffix('_lamports').replace('_', '-')}" for name in missing)
        raise UsageError(f"this wallet has no limits yet: {options} missing", hint="the first time, name all three")
    return WalletLimits(**{name: kept[name] if value is None else value for name, value in said.items()})


def _seal(
    out: Output, path: Path, bring: Callable[[], Secret], *, network: str | None, kdf: str, password_fd: int | None
) -> None:
    from pumpswap.wallet import create_keystore

    # Before any question is asked: nobody types a password twice to learn that the name is taken.
    if path.exists():
        raise UsageError(f"{path} exists already", hint="choose another name, or move that file away first")
    with bring() as seed, _sources(out, password_fd).choose(path.stem) as password:
        keystore = create_keystore(path, seed, password, network=network, kdf=kdf)
    _present(out, keystore)
    out.say(
        "\nBack it up: copy the file to another disk, and keep the password elsewhere. There is no backup phrase;"
        " without file and password the money is lost."
    )
    out.say("It cannot buy before it has limits: pumpswap wallet limits --help")


def _key_text(out: Output, source: str | None) -> Secret:
    from pumpswap.wallet import Secret
    from pumpswap.wallet.passwords import ask_on_terminal

    if source is None:
        return ask_on_terminal("Private key (JSON or base58, not shown): ")
    if source == "-":
        return Secret(sys.stdin.buffer.read())
    try:
        with open(source, "rb") as stream:
            if stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                out.warn("other users can read the file that the key is imported from")
            return Secret(stream.read())
    except (OSError, ValueError) as error:
        # The path is not repeated: it may be the key itself, which as JSON is too long for a path.
        if not isinstance(error, OSError) or error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            raise NotFound("there is no such key file", hint=f"check the path; {_NOT_HERE}") from None
        raise BadInput(f"the key file cannot be read: {error.strerror}", hint="check its permissions") from None


def _path(out: Output, names: tuple[str, ...], *, existing: bool = False) -> Path:
    from pumpswap.cli.run_result import settings_for
    from pumpswap.wallet import WalletStore, default_keystore_path
    from pumpswap.wallet.store import DEFAULT_WALLET

    if len(names) > 1:
        raise UsageError("more than one name", hint=f"one wallet at a time; {_NOT_HERE}")
    settings: Settings = settings_for(out)
    if not names and existing:
        return default_keystore_path(settings)
    return WalletStore.of(settings).path(names[0] if names else DEFAULT_WALLET)


def _sources(out: Output, descriptor: int | None) -> Any:
    from pumpswap.wallet import PasswordSources

    return PasswordSources(descriptor, out.warn)


def _expect_configured(out: Output, keystore: Keystore) -> None:
    from pumpswap.cli.run_result import settings_for

    expected = settings_for(out).wallet.public_key
    if expected is not None and expected != str(keystore.public_key):
        out.warn(f"the settings want wallet {expected}; this one is {keystore.public_key}")


def _present(out: Output, keystore: Keystore) -> None:
    if out.json:
        out.emit("wallet", _keystore_json(keystore))
        return
    rows = [
        ("Wallet", keystore.name),
        ("Public key", str(keystore.public_key)),
        ("File", str(keystore.path)),
        ("Network", keystore.network or "any"),
        *_limit_rows(keystore.limits),
    ]
    out.show(_table(rows), keep_lines=True)


def _limit_rows(found: WalletLimits | None) -> list[tuple[str, str]]:
    if found is None:
        return [("Limits", "none: it cannot buy")]
    return [
        ("One order", f"at most {sol_text(found.max_order_lamports)}, fees included"),
        ("24 hours", f"at most {sol_text(found.max_day_lamports)}"),
        ("Reserve", f"at least {sol_text(found.min_reserve_lamports)}"),
    ]


def _keystore_json(keystore: Keystore) -> dict[str, Any]:
    found = keystore.limits
    return {
        "name": keystore.name,
        "public_key": str(keystore.public_key),
        "file": str(keystore.path),
        "network": keystore.network,
        "kdf": keystore.kdf.name,
        "limits": None if found is None else {name: str(value) for name, value in found.to_json().items()},
    }


def _listed_json(each: StoredWallet) -> dict[str, Any]:
    if each.keystore is not None:
        return {**_keystore_json(each.keystore), "trouble": None}
    return {"file": str(each.path), "trouble": each.trouble.what if each.trouble else None}


def _listed_row(each: StoredWallet) -> tuple[str, str]:
    return each.name, str(each.keystore.public_key) if each.keystore is not None else "damaged"


def _answer(out: Output, schema: str, keystore: Keystore, said: dict[str, Any]) -> None:
    if out.json:
        out.emit(schema, {"name": keystore.name, "public_key": str(keystore.public_key), **said})
    else:
        out.show(_table([("Wallet", keystore.name), ("Public key", str(keystore.public_key))]), keep_lines=True)


def _table(rows: list[tuple[str, str]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table
