"""``pumpswap pool decode``."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import FeeFamily, Pool
from pumpswap.amm.addresses import FEES_PROGRAM, PUMP_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from tests.cli.running import answer, refusal, run
from tests.cli.samples import account_json, base58, pool_bytes
from tests.support.vectors import load

ACCOUNTS = load("accounts")["vectors"] + load("pools_287")["vectors"]
STRANGER = Pubkey(b"\7" * 32)


def plain(value: Any) -> Any:
    """Numbers as strings, as our JSON writes them."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return str(value) if type(value) is int else value


@pytest.mark.parametrize("vector", ACCOUNTS, ids=lambda each: f"{each.get('account', 'Pool')}-{each['len']}")
def test_every_golden_account_is_recognised_and_decoded(vector: dict[str, Any]) -> None:
    kind = vector.get("account", "Pool")
    owner = {"TokenAccount": TOKEN_PROGRAM, "Mint": TOKEN_PROGRAM}.get(kind)
    data = base64.b64decode(vector["data_b64"])
    wrapped = {"data": [vector["data_b64"], "base64"], **({"owner": str(owner)} if owner else {})}
    said = answer("pool", "decode", "-", input=json.dumps(wrapped))
    assert said["kind"] == kind
    assert said["account_len"] == len(data)
    expected = plain(vector["decoded"])
    shared = expected.keys() & said["fields"].keys()
    assert len(shared) >= 2
    for name in shared - {"status"}:
        assert said["fields"][name] == expected[name], name


@pytest.mark.parametrize("length", [211, 301])
def test_every_wrapping_gives_the_same_pool(length: int, tmp_path: Path) -> None:
    data = pool_bytes(length)
    expected = answer("pool", "decode", "--hex", data.hex())["fields"]
    text = base64.b64encode(data).decode()
    folded = "\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    rpc = {"jsonrpc": "2.0", "result": {"context": {}, "value": account_json(data)["account"]}}
    old = {"data": base58(data), "owner": str(TOKEN_PROGRAM)}
    contents: list[bytes | str] = [data, text, folded, data.hex(), "0x" + data.hex().upper(), json.dumps(rpc)]
    contents += [json.dumps(account_json(data), indent=2), json.dumps({**old, "data": [old["data"], "base58"]})]
    for content in contents:
        assert run("pool", "decode", "-", "--json", input=content).exit_code == 0
        assert json.loads(run("pool", "decode", "-", "--json", input=content).stdout)["fields"] == expected
    (tmp_path / "pool.bin").write_bytes(data)
    assert answer("pool", "decode", str(tmp_path / "pool.bin"))["fields"] == expected
    assert answer("pool", "decode", "--base64", text)["fields"] == expected


def test_what_follows_from_the_fields_is_said() -> None:
    data = pool_bytes()
    pool = Pool.decode(data)
    derived = answer("pool", "decode", "-", input=json.dumps(account_json(data)))["derived"]
    assert derived == {
        "is_canonical": pool.is_canonical,
        "fee_family": pool.fee_family.value,
        "has_coin_creator": pool.has_coin_creator,
        "is_boosted": pool.is_boosted,
        "boost_reserves": str(pool.boost_reserves),
        "fees_owed": str(pool.fees_owed),
    }
    assert derived["fee_family"] in {family.value for family in FeeFamily}


def test_keys_stay_whole_in_a_narrow_terminal() -> None:
    vector = next(each for each in ACCOUNTS if (each.get("account"), each["len"]) == ("GlobalConfig", 949))
    shown = run("pool", "decode", "--base64", vector["data_b64"]).stdout
    assert vector["decoded"]["admin_set_coin_creator_authority"] in shown
    assert all(key in shown for key in vector["decoded"]["buyback_fee_recipients"])
    assert max(map(len, shown.splitlines())) <= 80


def test_fee_tiers_are_readable() -> None:
    account = load("configs")["fee_config_accounts"]["oct2026"]
    shown = run("pool", "decode", "--base64", account["data_b64"]).stdout
    assert "from    420,000,000,000  LP 20  protocol  5  creator 95 bps" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_an_account_of_a_stranger_is_decoded_with_a_warning() -> None:
    said = answer("pool", "decode", "-", input=json.dumps(account_json(pool_bytes(), owner=STRANGER)))
    (warning,) = said["warnings"]
    assert warning.startswith(f"{STRANGER} owns this account")
    shown = run("pool", "decode", "-", input=json.dumps(account_json(pool_bytes(), owner=STRANGER)))
    assert shown.exit_code == 0
    assert shown.stderr == f"Warning: {warning}\n"


def test_an_address_that_does_not_fit_the_fields_is_warned_about() -> None:
    wrapped = json.dumps(account_json(pool_bytes(), address=STRANGER))
    assert "not the address that belongs" in answer("pool", "decode", "-", input=wrapped)["warnings"][0]


def test_lengths_and_tails_of_the_future_are_warned_about() -> None:
    longer = answer("pool", "decode", "--hex", (pool_bytes() + b"\0" * 9).hex())
    assert longer["warnings"] == ["a pool of 310 bytes is new to this version: its last fields are not read"]
    used = answer("pool", "decode", "--hex", (pool_bytes()[:-1] + b"\1").hex())
    assert used["warnings"] == ["the last 14 bytes are not zero: this version cannot read what they say"]
    assert used["tail_hex"].endswith("01")


def test_owners_of_other_kinds_are_known() -> None:
    for kind, owner in (("FeeConfig", FEES_PROGRAM), ("BondingCurve", PUMP_PROGRAM), ("Mint", TOKEN_2022_PROGRAM)):
        vector = next(each for each in ACCOUNTS if each.get("account") == kind)
        wrapped = account_json(base64.b64decode(vector["data_b64"]), owner=owner, address=STRANGER)
        assert answer("pool", "decode", "-", input=json.dumps(wrapped))["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "content", "exit_code", "what"),
    [
        ([], None, 2, "nothing to decode"),
        (["a.json", "--hex", "00"], None, 2, "more than one thing to decode"),
        (["nope.json"], None, 3, "there is no file nope.json"),
        (["--hex", "xyz"], None, 1, "this is no hex"),
        (["--hex", "abc"], None, 1, "this is no hex"),
        (["--base64", "!!!"], None, 1, "this is no base64"),
        (["--hex", "00" * 300], None, 12, "300 bytes that start with 0000000000000000 are no account known here"),
        (["--hex", ""], None, 12, "0 bytes that start with nothing are no account known here"),
        (["--hex", "f19a6d0411b16dbc"], None, 12, "a Pool has at least 211 bytes, not 8"),
        (["-"], b"", 12, "0 bytes that start with nothing are no account known here"),
        (["-"], b"\xff\x00\xfe" * 90, 12, "270 bytes that start with ff00feff00feff00 are no account known here"),
        (["-"], "what is this?", 1, "this is neither an account, base64, hex nor JSON"),
        (["-"], "{", 1, "the file is no JSON"),
        (["-"], "{}", 1, "this JSON holds no account data"),
        (["-"], '{"result": {"value": null}}', 1, "the node says that there is no such account"),
        (["-"], '{"data": ["AA==", "base64+zstd"]}', 1, "account data in base64+zstd cannot be read"),
        (["-"], '{"data": ["0OIl", "base58"]}', 1, "'0' is no base58 character"),
        (["-"], '{"data": ["AA=", "base64"]}', 1, "this is no base64"),
        (["-"], '{"data": ["AA==", "base64"], "owner": "abc"}', 1, "owner is 'abc', no address"),
        (["-"], '{"data": {"parsed": {}}, "owner": null}', 1, "this JSON holds no account data"),
    ],
)
def test_what_cannot_be_decoded_is_one_clear_line(
    arguments: list[str], content: bytes | str | None, exit_code: int, what: str
) -> None:
    assert refusal(exit_code, "pool", "decode", *arguments, input=content)["what"].startswith(what)


def test_an_impossible_value_is_protocol_drift() -> None:
    broken = bytearray(pool_bytes())
    broken[243] = 7
    error = refusal(12, "pool", "decode", "--hex", broken.hex())
    assert error["code"] == "malformed_account"
    assert "neither 0 nor 1" in error["what"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "is a folder" in refusal(1, "pool", "decode", str(tmp_path))["what"]


def test_a_name_that_no_system_takes_is_no_bug() -> None:
    assert refusal(1, "pool", "decode", "a\0b")["code"] == "bad_input"
