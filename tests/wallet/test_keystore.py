"""Keystores: what is sealed opens with its password and in no other way; every change is found and named."""

from __future__ import annotations

import json
import os
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from pumpswap.errors import (
    BadInput,
    ConfigError,
    KeyLocked,
    KeystoreDamaged,
    NotFound,
    UsageError,
    WrongPassword,
)
from pumpswap.wallet.kdf import Argon2idCost, ScryptCost, kdf_from_json, new_kdf
from pumpswap.wallet.key_files import new_seed, seed_of_key_file
from pumpswap.wallet.keystore import Keystore, create_keystore, read_keystore
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import unlock
from pumpswap.wallet.store import WalletStore

SEED = bytes(range(32))
KEYPAIR = Keypair.from_seed(SEED)
PASSWORD = "correct horse battery"
SALT = bytes(32)
CHEAP = ScryptCost(SALT, n=2**14)
LIMITS = WalletLimits(10**9, 5 * 10**9, 10**7)


def password(text: str = PASSWORD) -> Secret:
    return Secret.of_text(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wallets" / "main.json"


@pytest.fixture
def made(path: Path) -> Keystore:
    return create_keystore(path, Secret(SEED), password(), kdf=CHEAP, network="devnet")


def rewritten(path: Path, change: Any) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_bytes(json.dumps(document, indent=2).encode() + b"\n")


def test_a_sealed_key_opens_with_its_password_and_is_the_same_key(path: Path, made: Keystore) -> None:
    found = read_keystore(path)
    assert found == made
    assert (found.name, found.network, found.public_key, found.limits) == ("main", "devnet", KEYPAIR.pubkey(), None)
    with found.open_seed(password()) as seed:
        assert bytes(seed.content) == SEED
    assert len(seed) == 0


@pytest.mark.parametrize("kdf", [CHEAP, Argon2idCost(SALT, memory_kib=2**14, passes=1, lanes=1)])
def test_both_derivations_keep_their_costs_in_the_file(path: Path, kdf: ScryptCost | Argon2idCost) -> None:
    create_keystore(path, Secret(SEED), password(), kdf=kdf)
    assert read_keystore(path).kdf == kdf
    with read_keystore(path).open_seed(password()) as seed:
        assert bytes(seed.content) == SEED


def test_new_wallets_cost_a_guesser_at_least_128_mib(path: Path) -> None:
    scrypt, argon = new_kdf("scrypt", os.urandom), new_kdf("argon2id", os.urandom)
    assert isinstance(scrypt, ScryptCost)
    assert 128 * scrypt.n * scrypt.r == 128 * 2**20
    assert isinstance(argon, Argon2idCost)
    assert (argon.memory_kib, argon.passes) == (128 * 2**10, 3)
    assert len(scrypt.salt) == len(argon.salt) == 32
    assert scrypt.salt != argon.salt


def test_p41_the_key_is_nowhere_in_the_file(path: Path, made: Keystore) -> None:
    content = path.read_bytes()
    for form in (SEED, SEED.hex().encode(), str(KEYPAIR).encode(), bytes(KEYPAIR), PASSWORD.encode()):
        assert form not in content
    assert str(KEYPAIR.pubkey()).encode() in content


def test_a_wrong_password_is_told_apart_from_a_changed_file(made: Keystore) -> None:
    with pytest.raises(WrongPassword, match="not the password of wallet 'main'"):
        made.open_seed(password("correct horse batterz"))


def test_every_changed_byte_is_found_and_named(path: Path, made: Keystore) -> None:
    content = path.read_bytes()
    for at in range(len(content)):
        broken = bytearray(content)
        broken[at] ^= 1
        path.write_bytes(broken)
        with pytest.raises(KeystoreDamaged):
            read_keystore(path)


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -2])
def test_a_cut_file_is_damaged(path: Path, made: Keystore, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(KeystoreDamaged):
        read_keystore(path)


@pytest.mark.parametrize("field", ["name", "network", "public_key", "limits", "nonce", "ciphertext"])
def test_a_changed_header_does_not_open_even_with_a_new_checksum(path: Path, made: Keystore, field: str) -> None:
    other = create_keystore(path.with_name("other.json"), new_seed(), password(), kdf=CHEAP)
    fakes = {
        "name": "mine",
        "network": "mainnet",
        "public_key": other.public_key,
        "limits": WalletLimits(10**18, 10**18, 0),
        "nonce": bytes(12),
        "ciphertext": other.ciphertext,
    }
    forged = Keystore(**{**{name: getattr(made, name) for name in Keystore.__slots__}, field: fakes[field]})
    path.write_bytes(forged.to_bytes())
    with pytest.raises(KeystoreDamaged, match=r"seal is broken|another key"):
        read_keystore(path).open_seed(password())


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2**30},
        {"n": 2**10},
        {"n": 2**17 + 1},
        {"r": 10**6},
        {"p": 0},
        {"p": "1"},
        {"name": "md5"},
        {"salt": "00"},
        {"salt": 7},
        {"name": "argon2id"},
    ],
)
def test_costs_out_of_bounds_are_refused_before_any_memory_is_taken(change: dict[str, Any]) -> None:
    with pytest.raises(KeystoreDamaged):
        kdf_from_json({**CHEAP.to_json(), **change})
    with pytest.raises(KeystoreDamaged):
        kdf_from_json(None)


def test_a_file_that_others_can_read_is_refused_with_the_remedy(path: Path, made: Keystore) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for mode in (0o640, 0o604, 0o660, 0o644):
        path.chmod(mode)
        with pytest.raises(KeystoreDamaged, match=f"mode {mode:04o}") as caught:
            read_keystore(path)
        assert caught.value.hint == f"chmod 600 {path}"


def test_a_pipe_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeystoreDamaged, match="is no file"):
        read_keystore(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(KeystoreDamaged, match="is no file"):
        read_keystore(tmp_path / "folder")
    big = tmp_path / "big"
    big.write_bytes(b"{" * 70_000)
    big.chmod(0o600)
    with pytest.raises(KeystoreDamaged, match="too long"):
        read_keystore(big)
    with pytest.raises(NotFound, match="there is no wallet"):
        read_keystore(tmp_path / "none")


def test_other_files_and_later_versions_are_named(path: Path, made: Keystore) -> None:
    rewritten(path, lambda document: document.update(version=2))
    with pytest.raises(KeystoreDamaged, match="version"):
        read_keystore(path)
    rewritten(path, lambda document: document.update(format="something"))
    with pytest.raises(KeystoreDamaged, match="no keystore"):
        read_keystore(path)


def test_limits_are_changed_under_the_password_only_and_survive(path: Path, made: Keystore) -> None:
    with pytest.raises(WrongPassword):
        made.with_limits(LIMITS, password("something else"))
    assert read_keystore(path).limits is None
    changed = made.with_limits(LIMITS, password())
    found = read_keystore(path)
    assert found == changed
    assert found.limits == LIMITS
    assert found.kdf.salt != made.kdf.salt
    with found.open_seed(password()) as seed:
        assert bytes(seed.content) == SEED
    assert [entry.name for entry in path.parent.iterdir()] == ["main.json"]


def test_a_key_is_never_written_over_and_short_passwords_are_refused(path: Path, made: Keystore) -> None:
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        create_keystore(path, new_seed(), password(), kdf=CHEAP)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="fewer than 10"):
        create_keystore(path.with_name("b.json"), new_seed(), password("short"), kdf=CHEAP)
    with pytest.raises(UsageError, match="no network"):
        create_keystore(path.with_name("b.json"), new_seed(), password(), kdf=CHEAP, network="moonnet")


def test_limits_that_contradict_each_other_are_refused() -> None:
    for values in ((0, 1, 0), (10, 5, 0), (-1, 5, 0), (True, 5, 0), (2**64, 2**64, 0)):
        with pytest.raises(UsageError):
            WalletLimits(*values)
    assert WalletLimits.from_json(LIMITS.to_json()) == LIMITS
    with pytest.raises(UsageError):
        WalletLimits.from_json({"max_order_lamports": 1})


# ---------------------------------------------------------------------------------------------- keys of other programs


def test_both_forms_of_other_programs_give_the_same_key() -> None:
    for text in (json.dumps(list(bytes(KEYPAIR))), f"  {KEYPAIR}\n"):
        with seed_of_key_file(Secret(text.encode())) as seed:
            assert bytes(seed.content) == SEED


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "nothing was read"),
        ("[1,2,3]", "3 bytes, not 64"),
        ("[1,2,", "no list of bytes"),
        ("[300]", "no list of bytes"),
        ("hello", "no private key in base58"),
        (str(KEYPAIR.pubkey()), "an address, or half a key"),
        (json.dumps([*SEED, *bytes(32)]), "do not belong together"),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        seed_of_key_file(Secret(text.encode()))
    assert len(text) < 4 or text not in f"{caught.value} {caught.value.hint}"


# ---------------------------------------------------------------------------------------------- nothing is shown


def test_p40_secrets_and_signers_show_nothing_and_cannot_be_copied(path: Path, made: Keystore) -> None:
    secret, signer = password(), unlock(path, lambda _: password())
    for shown in (repr(secret), str(secret), f"{secret}", repr(signer), repr(made)):
        assert PASSWORD not in shown
        assert SEED.hex() not in shown
    for thing in (secret, signer):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    signer.lock()
    assert repr(signer) == f"LocalSigner({KEYPAIR.pubkey()}, locked)"


def test_a_traceback_with_its_variables_does_not_show_the_password(path: Path, made: Keystore) -> None:
    with pytest.raises(WrongPassword) as caught:
        unlock(path, lambda _: password("".join(reversed("2retnuh 2retnuh"))))
    error = caught.value.with_traceback(caught.tb.tb_next)  # not this frame, which knows it
    text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "hunter2" not in text
    assert SEED.hex() not in text
    assert "Secret(hidden)" in text


def test_the_unlocked_key_must_be_the_configured_one(path: Path, made: Keystore) -> None:
    def never(_: Keystore) -> Secret:
        raise AssertionError("no password is asked for another wallet")

    with pytest.raises(ConfigError, match="the settings want"):
        unlock(path, never, expected=str(Keypair().pubkey()))
    signer = unlock(path, lambda _: password(), expected=str(KEYPAIR.pubkey()))
    assert signer.public_key == KEYPAIR.pubkey()
    assert issubclass(WrongPassword, KeyLocked)


def test_a_store_lists_wallets_and_names_the_damaged_one(path: Path, made: Keystore) -> None:
    store = WalletStore(path.parent)
    path.with_name("bad.json").write_text("{}")
    path.with_name("bad.json").chmod(0o600)
    path.with_name("Not A Name.json").write_text("{}")
    found = store.wallets()
    assert [(each.name, each.keystore is not None, each.trouble is not None) for each in found] == [
        ("bad", False, True),
        ("main", True, False),
    ]
    for name in ("", "../x", "A", str(KEYPAIR)):
        with pytest.raises(UsageError, match="no name for a wallet") as caught:
            store.path(name)
        assert len(name) < 9 or name not in f"{caught.value} {caught.value.hint}"
