"""Keys of other programs, secrets in memory, and the folder of wallets. Nothing read is ever repeated (P37, P40)."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from pathlib import Path

import pytest
from solders.keypair import Keypair

from pumpswap.errors import BadInput, UsageError
from pumpswap.settings import Settings
from pumpswap.wallet import Secret, WalletStore, create_keystore, default_keystore_path, new_seed, seed_of_key_file
from tests.wallet.test_keystore_changes import QUICK, secret
from tests.wallet.trades import SEED, WALLET

PAIR = Keypair.from_seed(SEED)
AS_JSON = json.dumps(list(bytes(PAIR)))
AS_BASE58 = str(PAIR)


@pytest.mark.parametrize(
    "text", [AS_JSON, AS_BASE58, f"\n {AS_JSON}\n", f"{AS_BASE58}\r\n", json.dumps(list(bytes(PAIR)), indent=1)]
)
def test_both_forms_give_the_same_key(text: str) -> None:
    with seed_of_key_file(Secret(text.encode())) as seed:
        assert bytes(seed.content) == SEED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing was read"),
        ("   \n", "nothing was read"),
        ("[", "no list of bytes"),
        ("[1, 2, 300]", "no list of bytes"),
        ("[1, 2, true]", "no list of bytes"),
        ("[1, 2, 3.5]", "no list of bytes"),
        ("[" * 100_000, "no list of bytes"),
        ("[1, 2]", "2 bytes, not 64"),
        (json.dumps(list(SEED)), "32 bytes, not 64"),
        (json.dumps(list(SEED + bytes(32))), "do not belong together"),
        (str(WALLET), "an address, or half a key"),
        (AS_BASE58[:-1], "no private key in base58"),
        (AS_BASE58 + "111", "no private key in base58"),
        (AS_BASE58.replace(AS_BASE58[5], "0"), "no private key in base58"),
        ("abandon " * 12, "no private key in base58"),
        ("{\"key\": 1}", "no private key in base58"),
        ("schlüssel", "no private key in base58"),
    ],
)  # fmt: skip
def test_p40_a_bad_key_is_named_and_never_repeated(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        seed_of_key_file(Secret(text.encode()))
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert caught.value.__cause__ is None
    if len(text.strip()) > 40:
        assert text.strip()[:40] not in shown
        assert text.strip()[-40:] not in shown


def test_a_half_that_does_not_fit_is_wiped_and_refused() -> None:
    other = bytes(Keypair.from_seed(b"\x09" * 32))
    with pytest.raises(BadInput, match="do not belong together"):
        seed_of_key_file(Secret(json.dumps(list(SEED + other[32:])).encode()))


def test_new_keys_are_32_fresh_bytes() -> None:
    first, second = new_seed(), new_seed()
    assert len(first) == len(second) == 32
    assert first != second


def test_a_secret_says_nothing_and_forgets() -> None:
    held = Secret.of_text("correct horse")
    assert repr(held) == str(held) == "Secret(hidden)"
    assert f"{[held]}" == "[Secret(hidden)]"
    buffer = held.content
    with held:
        assert held == Secret(b"correct horse")
        assert held != Secret(b"correct hors")
        assert held != b"correct horse"
    assert buffer == bytearray(13)
    assert len(held) == 0
    for taking in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never pickled"):
            taking(held)
    with pytest.raises(TypeError):
        hash(held)


@pytest.mark.parametrize(
    "name", ["", "A", "a/b", "..", "../x", ".hidden", "a" * 33, "ä", "a b", "-x", AS_BASE58, AS_JSON]
)
def test_a_name_is_no_path_and_a_wrong_one_is_not_repeated(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name for a wallet") as caught:
        WalletStore(tmp_path).path(name)
    assert len(name) < 3 or name not in caught.value.what + caught.value.hint


def test_the_folder_lists_wallets_by_name_damaged_ones_too(tmp_path: Path) -> None:
    store = WalletStore.of(Settings(data_dir=tmp_path))
    assert store.wallets() == []
    for name in ("zeta", "default"):
        create_keystore(store.path(name), Secret(SEED), secret(), kdf=QUICK["argon2id"])
    create_keystore(store.path("open"), Secret(SEED), secret(), kdf=QUICK["argon2id"]).path.chmod(0o644)
    (store.folder / "Not a wallet.json").write_text("{}")
    found = store.wallets()
    assert [each.name for each in found] == ["default", "open", "zeta"]
    assert [each.keystore is None for each in found] == [False, True, False]
    assert found[1].trouble is not None
    assert "mode 0644" in found[1].trouble.what
    assert found[0].keystore is not None
    assert found[0].keystore.public_key == WALLET


def test_the_default_wallet_is_the_settings_or_named_default(tmp_path: Path) -> None:
    assert default_keystore_path(Settings(data_dir=tmp_path)) == tmp_path / "wallets" / "default.json"
    named = Settings.model_validate({"wallet": {"keystore": tmp_path / "mine.json"}})
    assert default_keystore_path(named) == tmp_path / "mine.json"
