"""``pumpswap wallet``: keystores from the command line. A known key and its password are shown by no command (P40)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from click.testing import Result
from solders.keypair import Keypair

from pumpswap.wallet import Secret, passwords, read_keystore
from pumpswap.wallet.kdf import ScryptCost
from tests.cli.running import answer, process, refusal, run
from tests.wallet.test_passwords import MemoryKeyring

SEED = bytes(range(101, 133))
PAIR = Keypair.from_seed(SEED)
ADDRESS = str(PAIR.pubkey())
AS_JSON, AS_BASE58 = json.dumps(list(bytes(PAIR))), str(PAIR)
PASSWORD = "nine lives of a cat"
WRONG = "ten lives of a dog"
SHAPES = (AS_BASE58, SEED.hex(), AS_JSON[1:60], str(list(SEED))[1:-1], PASSWORD, WRONG)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cheap derivation, a data folder, no terminal, no keyring."""
    from keyring.backends.fail import Keyring

    def cheap(_: str, entropy: Any) -> ScryptCost:
        return ScryptCost(entropy(32), n=2**14)

    def nobody(_: str) -> Secret:
        raise AssertionError("nobody should be asked")

    monkeypatch.setattr("pumpswap.wallet.keystore.new_kdf", cheap)
    monkeypatch.setattr(passwords, "ask_on_terminal", nobody)
    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv(passwords.PASSWORD_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "id.json"
    path.write_text(AS_JSON)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(passwords.PASSWORD_VARIABLE, PASSWORD)
    return iter(())


@pytest.fixture
def imported(key_file: str, password: None) -> Path:
    answer("wallet", "import", "hot", "--from", key_file)
    return Path("data/wallets/hot.json")


def with_descriptor(content: str, *arguments: str, **options: Any) -> Result:
    reading, writing = os.pipe()
    os.write(writing, content.encode())
    os.close(writing)
    try:
        return run(*arguments, "--password-fd", str(reading), **options)
    finally:
        os.close(reading)


@pytest.mark.usefixtures("password")
def test_a_new_wallet_shows_its_public_key_and_how_to_back_it_up() -> None:
    result = run("wallet", "create")
    assert result.exit_code == 0, result.output
    found = read_keystore(Path("data/wallets/default.json"))
    assert str(found.public_key) in result.stdout
    assert "copy the file to another disk" in result.stderr
    assert "no backup phrase" in result.stderr
    assert "cannot buy before it has limits" in result.stderr
    with found.open_seed(Secret.of_text(PASSWORD)) as seed:
        assert str(Keypair.from_seed(bytes(seed.content))) not in result.output
        assert bytes(seed.content).hex() not in result.output
    assert "exists already" in refusal(2, "wallet", "create")["what"]


@pytest.mark.parametrize("text", [AS_JSON, AS_BASE58])
def test_both_forms_are_imported_from_standard_input(text: str) -> None:
    result = with_descriptor(PASSWORD + "\n", "wallet", "import", "hot", "--from", "-", "--json", input=text)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["public_key"], said["name"], said["limits"]) == (ADDRESS, "hot", None)
    assert said["warnings"] == []
    with read_keystore(Path(said["file"])).open_seed(Secret.of_text(PASSWORD)) as seed:
        assert bytes(seed.content) == SEED


def test_p40_the_environment_is_loud_and_a_readable_key_file_too(key_file: str, password: None) -> None:
    Path(key_file).chmod(0o644)
    said = answer("wallet", "import", "--from", key_file)
    assert said["public_key"] == ADDRESS
    assert ["other users can read" in said["warnings"][0], passwords.PASSWORD_VARIABLE in said["warnings"][1]] == [
        True,
        True,
    ]
    quiet = run("wallet", "unlock", "--quiet")
    assert quiet.stderr.startswith("Warning: ")
    assert passwords.PASSWORD_VARIABLE in quiet.stderr


def test_p40_a_key_on_the_command_line_is_refused_and_not_repeated(password: None) -> None:
    for arguments in ((AS_BASE58,), ("hot", AS_BASE58), ("hot", "--from", AS_BASE58), ("--from", AS_JSON)):
        for command in ("import", "show") if "--from" not in arguments else ("import",):
            result = run("wallet", command, *arguments)
            assert result.exit_code in (2, 3), result.output
            assert "never stands on a command line" in result.stderr
            assert AS_BASE58 not in result.output
            assert AS_JSON not in result.output


@pytest.mark.parametrize("content", ["", "[1,2,3]", AS_BASE58[:-1], ADDRESS, AS_JSON[:-2], "\x00\xff"])
def test_a_bad_key_is_a_clear_error_and_leaves_no_wallet(content: str, password: None) -> None:
    error = refusal(1, "wallet", "import", "hot", "--from", "-", input=content)
    assert error["code"] == "bad_input"
    assert len(content) < 4 or content not in json.dumps(error)
    assert answer("wallet", "list")["wallets"] == []


def test_one_input_cannot_bring_key_and_password() -> None:
    assert "both key and password" in refusal(2, "wallet", "import", "--from", "-", "--password-fd", "0")["what"]


def test_the_list_has_damaged_wallets_too(imported: Path, password: None) -> None:
    answer("wallet", "create", "cold", "--network", "devnet")
    imported.chmod(0o640)
    said = answer("wallet", "list")
    assert [(each["name"], each["trouble"] is None) for each in said["wallets"]] == [("cold", True), ("hot", False)]
    assert "mode 0640" in said["warnings"][0]
    shown = run("wallet", "list")
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["cold", "hot"]
    assert "damaged" in shown.stdout
    error = refusal(13, "wallet", "show", "hot")
    assert error["code"] == "keystore_damaged"
    assert error["hint"].startswith("chmod 600")


def test_unlocking_tries_the_password_and_says_what_it_kept(imported: Path) -> None:
    said = answer("wallet", "unlock", "hot")
    assert (said["opens"], said["keyring"], said["public_key"]) == (True, None, ADDRESS)
    assert "no system keyring" in run("wallet", "unlock", "hot").stderr
    error = refusal(13, "wallet", "unlock", "hot", "--forget")
    assert error["code"] == "key_locked"


def test_the_keyring_keeps_the_password_until_it_is_told_to_forget(
    imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    assert answer("wallet", "unlock", "hot", "--no-keyring")["keyring"] is None
    assert backend.kept == {}
    assert answer("wallet", "unlock", "hot")["keyring"] == "test keyring"
    monkeypatch.delenv(passwords.PASSWORD_VARIABLE)
    assert answer("wallet", "unlock", "hot")["warnings"] == []
    assert answer("wallet", "unlock", "hot", "--forget")["removed"] is True
    assert answer("wallet", "unlock", "hot", "--forget")["removed"] is False
    assert backend.kept == {}
    assert "goes alone" in refusal(2, "wallet", "unlock", "hot", "--forget", "--no-keyring")["what"]


def test_a_wrong_password_is_named_and_not_kept(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    monkeypatch.setenv(passwords.PASSWORD_VARIABLE, WRONG)
    result = run("wallet", "unlock", "hot", "--json")
    assert result.exit_code == 13
    assert json.loads(result.stdout)["code"] == "wrong_password"
    assert backend.kept == {}


def test_limits_are_named_once_then_changed_singly(imported: Path) -> None:
    assert "--max-day, --min-reserve missing" in refusal(2, "wallet", "limits", "hot", "--max-order", "0.5")["what"]
    all_three = ("--max-order", "0.5", "--max-day", "2", "--min-reserve", "0.05")
    said = answer("wallet", "limits", "hot", *all_three)
    assert said["limits"] == {
        "max_order_lamports": "500000000",
        "max_day_lamports": "2000000000",
        "min_reserve_lamports": "50000000",
    }
    answer("wallet", "limits", "hot", "--min-reserve", "0")
    changed = answer("wallet", "limits", "hot", "--max-order", "0.25")
    assert changed["limits"]["max_order_lamports"] == "250000000"
    assert changed["limits"]["min_reserve_lamports"] == "0"
    assert answer("wallet", "show", "hot")["limits"] == changed["limits"]
    assert "at most 0.25 SOL, fees included" in run("wallet", "show", "hot").stdout


def test_contradicting_limits_and_wrong_passwords_change_nothing(
    imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = imported.read_bytes()
    bad = run("wallet", "limits", "hot", "--max-order", "3", "--max-day", "2", "--min-reserve", "0")
    assert bad.exit_code == 2
    monkeypatch.setenv(passwords.PASSWORD_VARIABLE, WRONG)
    wrong = run("wallet", "limits", "hot", "--max-order", "1", "--max-day", "2", "--min-reserve", "0")
    assert wrong.exit_code == 13
    assert imported.read_bytes() == before


def test_another_wallet_than_the_configured_one_is_warned_about(imported: Path) -> None:
    Path("pumpswap.yaml").write_text('wallet:\n  public_key: "11111111111111111111111111111111"\n')
    warnings = answer("wallet", "unlock", "hot")["warnings"]
    assert [each for each in warnings if each.startswith("the settings want")]


def test_a_missing_wallet_is_not_found() -> None:
    for command in ("show", "unlock", "limits"):
        error = refusal(3, "wallet", command, "none")
        assert error["hint"] == "pumpswap wallet create, or wallet import"


def test_p40_no_command_and_no_failure_shows_key_or_password(
    imported: Path, key_file: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []

    def say(*arguments: str, **options: Any) -> None:
        for manner in ((), ("-v",), ("--json",)):
            result = run("wallet", *arguments, *manner, **options)
            said.append(result.output + repr(result.exception))

    for secret in (PASSWORD, WRONG):
        monkeypatch.setenv(passwords.PASSWORD_VARIABLE, secret)
        say("list")
        say("show", "hot")
        say("unlock", "hot")
        say("limits", "hot", "--max-order", "1", "--max-day", "2", "--min-reserve", "0")
        say("import", "hot", "--from", key_file)
        say("import", "new", "--from", "-", input=AS_BASE58[:-1])
        say("import", AS_BASE58)
        say("create", "hot")
    content = imported.read_bytes()
    imported.write_bytes(content[:-9])
    say("show", "hot")
    say("unlock", "hot")
    said += [content.decode(), caplog.text]
    for text in said:
        for shape in SHAPES:
            assert shape not in text


@pytest.mark.slow
def test_a_process_without_terminal_fails_with_a_hint(tmp_path: Path) -> None:
    found = process("wallet", "create", "--data-dir", str(tmp_path / "d"), start_new_session=True, stdin=-3)
    assert found.returncode == 13
    assert "there is no terminal to ask for the password" in found.stderr
    assert "--password-fd" in found.stderr
    assert not (tmp_path / "d").exists()
