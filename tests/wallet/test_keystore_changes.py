"""The keystore file: opens with its password, and with nothing else; every change of it is found (P40, P41)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from pumpswap.errors import KeystoreDamaged, NotFound, UsageError, WrongPassword
from pumpswap.wallet import Keystore, Secret, WalletLimits, create_keystore, read_keystore
from pumpswap.wallet.kdf import Argon2idCost, KdfCost, ScryptCost, kdf_from_json, new_kdf
from tests.wallet.trades import SEED, WALLET

PASSWORD = "correct horse battery"
SALT = b"\x05" * 32
QUICK: dict[str, KdfCost] = {
    "scrypt": ScryptCost(SALT, n=2**14),
    "argon2id": Argon2idCost(SALT, memory_kib=2**14, passes=1, lanes=1),
}
GOLDEN = Path(__file__).parent / "golden"


def secret(text: str = PASSWORD) -> Secret:
    return Secret.of_text(text)


def counting() -> Callable[[int], bytes]:
    """Entropy that can be foreseen, for golden files only."""
    numbers = count(1)
    return lambda size: bytes([next(numbers)]) * size


def stored(folder: Path, kdf: str = "scrypt", name: str = "hot") -> Keystore:
    path = folder / f"{name}.json"
    return create_keystore(path, Secret(SEED), secret(), network="devnet", kdf=QUICK[kdf], entropy=counting())


def edited(keystore: Keystore, change: Callable[[dict[str, Any]], None]) -> Keystore:
    """The file as somebody would change it who knows the format: with a checksum that fits."""
    said = json.loads(keystore.path.read_bytes())
    change(said)
    del said["checksum"]
    spelled = json.dumps(said, indent=2).encode() + b"\n"
    said["checksum"] = hashlib.sha256(spelled).hexdigest()
    keystore.path.write_bytes(json.dumps(said, indent=2).encode() + b"\n")
    return read_keystore(keystore.path)


@pytest.mark.parametrize("kdf", QUICK)
def test_a_key_comes_back_with_its_password(tmp_path: Path, kdf: str) -> None:
    made = stored(tmp_path, kdf)
    found = read_keystore(made.path)
    assert found == made
    assert (found.name, found.network, found.limits, found.kdf.name) == ("hot", "devnet", None, kdf)
    assert found.public_key == WALLET
    with found.open_seed(secret()) as seed:
        assert bytes(seed.content) == SEED


@pytest.mark.parametrize("kdf", QUICK)
def test_the_file_is_the_golden_one_to_the_byte(tmp_path: Path, kdf: str) -> None:
    golden = (GOLDEN / f"keystore_v1_{kdf}.json").read_bytes()
    assert stored(tmp_path, kdf, "golden").path.read_bytes() == golden
    copy = tmp_path / "copy.json"
    copy.write_bytes(golden)
    copy.chmod(0o600)
    with read_keystore(copy).open_seed(secret()) as seed:
        assert bytes(seed.content) == SEED


def test_the_defaults_are_slow_to_guess() -> None:
    scrypt, argon = new_kdf("scrypt", os.urandom), new_kdf("argon2id", os.urandom)
    assert isinstance(scrypt, ScryptCost)
    assert isinstance(argon, Argon2idCost)
    assert (scrypt.n, scrypt.r, scrypt.p) == (131_072, 8, 1)
    assert (argon.memory_kib, argon.passes, argon.lanes) == (131_072, 3, 4)
    assert len(scrypt.salt) == len(argon.salt) == 32
    assert scrypt.salt != argon.salt


def test_the_private_key_is_nowhere_in_the_file(tmp_path: Path) -> None:
    content = stored(tmp_path).path.read_bytes()
    for shape in (SEED, SEED.hex().encode(), str(Keypair.from_seed(SEED)).encode(), PASSWORD.encode()):
        assert shape not in content


def test_salt_and_nonce_are_fresh_every_time(tmp_path: Path) -> None:
    made = [create_keystore(tmp_path / f"w{n}.json", Secret(SEED), secret(), kdf="argon2id") for n in range(2)]
    assert len({each.nonce for each in made}) == len({each.kdf.salt for each in made}) == 2
    assert len({each.ciphertext for each in made}) == 2


@pytest.mark.parametrize("kdf", QUICK)
@pytest.mark.parametrize("wrong", ["", "correct horse batter", "Correct horse battery", PASSWORD + " "])
def test_p41_a_wrong_password_is_called_so(tmp_path: Path, kdf: str, wrong: str) -> None:
    with pytest.raises(WrongPassword, match="not the password of wallet 'hot'") as caught:
        stored(tmp_path, kdf).open_seed(secret(wrong))
    assert wrong == "" or wrong not in str(caught.value)


def test_one_spelling_of_a_password_whatever_the_keyboard_composes(tmp_path: Path) -> None:
    made = create_keystore(
        tmp_path / "hot.json", Secret(SEED), secret("caf\u00e9 caf\u00e9 caf\u00e9"), kdf=QUICK["scrypt"]
    )
    made.open_seed(secret("cafe\u0301 cafe\u0301 cafe\u0301")).wipe()


# ------------------------------------------------------------------ changes


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
@pytest.mark.parametrize("kdf", QUICK)
def test_p41_no_byte_of_the_file_can_be_changed(tmp_path: Path, kdf: str, flip: int) -> None:
    made = stored(tmp_path, kdf)
    content = made.path.read_bytes()
    for at in range(len(content)):
        made.path.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
        with pytest.raises(KeystoreDamaged) as caught:
            read_keystore(made.path)
        assert caught.value.hint


def test_p41_a_cut_or_longer_file_is_damaged(tmp_path: Path) -> None:
    made = stored(tmp_path)
    content = made.path.read_bytes()
    for other in (
        *(content[:end] for end in range(0, len(content), 7)),
        content[:-1],
        content + b" ",
        content * 2,
        b"[]",
    ):
        made.path.write_bytes(other)
        with pytest.raises(KeystoreDamaged):
            read_keystore(made.path)
    made.path.write_bytes(content + b" " * 70_000)
    with pytest.raises(KeystoreDamaged, match="too long"):
        read_keystore(made.path)


def more(said: dict[str, Any]) -> None:
    said["limits"] = {"max_order_lamports": 10**12, "max_day_lamports": 10**12, "min_reserve_lamports": 0}


SEALED: dict[str, Callable[[dict[str, Any]], None]] = {
    "limits": more,
    "name": lambda said: said.update(name="cold"),
    "network": lambda said: said.update(network=None),
    "public key": lambda said: said.update(public_key=str(Keypair().pubkey())),
    "nonce": lambda said: said.update(nonce="ff" * 12),
    "ciphertext": lambda said: said.update(ciphertext="00" * 48),
    "tag": lambda said: said.update(ciphertext=said["ciphertext"][:-2] + "00"),
}


@pytest.mark.parametrize("change", SEALED.values(), ids=SEALED)
def test_p41_a_clever_change_with_a_fitting_checksum_breaks_the_seal(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    changed = edited(stored(tmp_path), change)
    with pytest.raises(KeystoreDamaged, match="its seal is broken"):
        changed.open_seed(secret())


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["kdf"].update(salt="00" * 32),
        lambda said: said["kdf"].update(n=2**15),
        lambda said: said.update(password_check="00" * 16),
    ],
    ids=["salt", "cost", "check"],
)
def test_p41_a_change_of_what_makes_the_key_looks_like_a_wrong_password_and_never_opens(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(WrongPassword):
        edited(stored(tmp_path), change).open_seed(secret())


def test_a_file_with_another_key_than_it_says_is_refused(tmp_path: Path) -> None:
    from pumpswap.wallet.keystore import _sealed_keystore

    made = stored(tmp_path)
    other = _sealed_keystore(replace(made), Secret(b"\x02" * 32), secret(), counting())
    with pytest.raises(KeystoreDamaged, match="holds another key than it says"):
        other.open_seed(secret())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "other"),
        ("version", 2),
        ("version", None),
        ("name", 7),
        ("network", 7),
        ("public_key", "short"),
        ("public_key", None),
        ("limits", 7),
        ("limits", {"max_order_lamports": 1}),
        ("limits", {"max_order_lamports": True, "max_day_lamports": 5, "min_reserve_lamports": 0}),
        ("limits", {"max_order_lamports": 9, "max_day_lamports": 5, "min_reserve_lamports": 0}),
        ("kdf", None),
        ("kdf", {"name": "md5"}),
        ("nonce", "00"),
        ("nonce", 5),
        ("password_check", "zz" * 16),
        ("ciphertext", ""),
    ],
)
def test_a_field_that_makes_no_sense_is_damage(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(KeystoreDamaged):
        edited(stored(tmp_path), lambda said: said.update({field: value}))


@pytest.mark.parametrize("extra", [lambda said: said.update(more=1), lambda said: said["kdf"].update(more=1)])
def test_a_field_too_many_is_damage(tmp_path: Path, extra: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(KeystoreDamaged):
        edited(stored(tmp_path), extra)


@pytest.mark.parametrize(
    "costs",
    [
        {"name": "scrypt", "n": 2**30, "r": 8, "p": 1},
        {"name": "scrypt", "n": 2**21, "r": 8, "p": 1},
        {"name": "scrypt", "n": 2**20, "r": 8, "p": 5},
        {"name": "scrypt", "n": 2**13, "r": 8, "p": 1},
        {"name": "scrypt", "n": 2**14 + 1, "r": 8, "p": 1},
        {"name": "scrypt", "n": 2**14, "r": 1, "p": 1},
        {"name": "scrypt", "n": 2**14, "r": 8, "p": 0},
        {"name": "scrypt", "n": -(2**14), "r": 8, "p": 1},
        {"name": "scrypt", "n": 16384.0, "r": 8, "p": 1},
        {"name": "scrypt", "n": 2**14, "r": 8, "p": True},
        {"name": "scrypt", "n": "16384", "r": 8, "p": 1},
        {"name": "argon2id", "memory_kib": 2**30, "passes": 1, "lanes": 1},
        {"name": "argon2id", "memory_kib": 2**20, "passes": 64, "lanes": 1},
        {"name": "argon2id", "memory_kib": 2**13, "passes": 1, "lanes": 1},
        {"name": "argon2id", "memory_kib": 2**14, "passes": 0, "lanes": 1},
        {"name": "argon2id", "memory_kib": 2**14, "passes": 1, "lanes": 1000},
        {"name": "argon2id", "n": 2**14, "r": 8, "p": 1},
        {"name": ["scrypt"]},
    ],
    ids=str,
)
def test_p41_costs_out_of_bounds_are_refused_before_any_memory_is_used(costs: dict[str, Any]) -> None:
    with pytest.raises(KeystoreDamaged):
        kdf_from_json({"salt": SALT.hex(), **costs})


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(KeystoreDamaged, match="salt has 4 bytes"):
        kdf_from_json({"name": "scrypt", "salt": "01020304", "n": 2**14, "r": 8, "p": 1})


# ------------------------------------------------------------------ the file and its rights


def test_p40_a_new_file_is_for_its_owner_only_and_never_written_over(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = stored(tmp_path / "wallets")
    finally:
        os.umask(old)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o777 == 0o700
    before = made.path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        stored(tmp_path / "wallets", "argon2id")
    assert made.path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602])
def test_p40_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    made = stored(tmp_path)
    made.path.chmod(mode)
    with pytest.raises(KeystoreDamaged, match=f"open to other users \\(mode {mode:04o}\\)") as caught:
        read_keystore(made.path)
    assert caught.value.hint == f"chmod 600 {made.path}"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_keystore(tmp_path / "none.json")
    with pytest.raises(KeystoreDamaged):
        read_keystore(tmp_path)
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeystoreDamaged, match="is no file"):
        read_keystore(pipe)


def test_a_failed_write_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pumpswap.wallet.private_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        stored(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_change_of_limits_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stored(tmp_path)
    before = made.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pumpswap.wallet.private_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        made.with_limits(WalletLimits(1, 2, 3), secret())
    assert [path.name for path in tmp_path.iterdir()] == ["hot.json"]
    assert made.path.read_bytes() == before


# ------------------------------------------------------------------ limits and passwords


def test_limits_are_changed_with_the_password_only(tmp_path: Path) -> None:
    made = stored(tmp_path)
    before = made.path.read_bytes()
    with pytest.raises(WrongPassword):
        made.with_limits(WalletLimits(1, 2, 3), secret("wrong password"))
    assert made.path.read_bytes() == before
    changed = made.with_limits(WalletLimits(1, 2, 3), secret())
    assert read_keystore(made.path) == changed
    assert changed.limits == WalletLimits(1, 2, 3)
    assert (changed.public_key, changed.name, changed.network) == (made.public_key, made.name, made.network)
    assert changed.nonce != made.nonce
    assert changed.kdf.salt != made.kdf.salt
    assert made.path.stat().st_mode & 0o777 == 0o600
    with changed.open_seed(secret()) as seed:
        assert bytes(seed.content) == SEED


@pytest.mark.parametrize(
    "figures", [(0, 5, 0), (6, 5, 0), (-1, 5, 0), (1, 2**64, 0), (1, 2, -1), (1.0, 2, 0), (True, 2, 0)]
)
def test_limits_that_make_no_sense_are_refused(figures: tuple[Any, Any, Any]) -> None:
    with pytest.raises(UsageError):
        WalletLimits(*figures)


def test_p41_a_short_password_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="fewer than 10"):
        create_keystore(tmp_path / "hot.json", Secret(SEED), secret("123456789"), kdf=QUICK["scrypt"])
    with pytest.raises(UsageError, match="no network"):
        create_keystore(tmp_path / "hot.json", Secret(SEED), secret(), network="testnet", kdf=QUICK["scrypt"])
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpswap.errors import KeyLocked

    made = stored(tmp_path)

    def exhausted(*_: object) -> Secret:
        raise MemoryError

    monkeypatch.setattr(ScryptCost, "derive", exhausted)
    with pytest.raises(KeyLocked, match="not enough memory"):
        made.open_seed(secret())
