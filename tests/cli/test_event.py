"""``pumpswap event decode``."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import decode_event
from pumpswap.amm.addresses import AMM_EVENT_AUTHORITY, AMM_PROGRAM
from pumpswap.amm.events.decode import CPI_PREFIX
from tests.cli.running import answer, parsed, refusal, run
from tests.cli.samples import STRANGER, base58, event_bytes, log_lines, transaction_json
from tests.cli.test_pool import plain
from tests.support.vectors import load

EVENTS = load("events")["vectors"]
BUY, SELL = event_bytes("BuyEvent"), event_bytes("SellEvent")
UNKNOWN = b"\x11" * 8 + bytes(32)
BROKEN = BUY[:50]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def kinds(said: dict[str, Any]) -> list[str]:
    return [each["event"] for each in said["events"]]


@pytest.mark.parametrize("vector", EVENTS, ids=lambda each: f"{each['event']}-{each['payload_len']}")
def test_every_golden_event_is_decoded(vector: dict[str, Any]) -> None:
    for prefix in (b"", CPI_PREFIX):
        said = answer("event", "decode", "--base64", text(prefix + base64.b64decode(vector["data_b64"])))
        (found,) = said["events"]
        assert found["event"] == vector["event"]
        expected = plain(vector["decoded"])
        assert {name: found["fields"][name] for name in expected} == expected


def test_bytes_alone_do_not_say_who_emitted_them() -> None:
    said = answer("event", "decode", "--hex", BUY.hex())
    assert (said["source"], said["events"][0]["program"]) == ("bytes", None)


def test_one_event_per_line_in_base64_or_hex(tmp_path: Path) -> None:
    lines = [text(BUY), "", SELL.hex(), "  " + text(CPI_PREFIX + SELL), f"Program data: {text(BUY)}"]
    (tmp_path / "events.txt").write_text("\n".join(lines))
    said = answer("event", "decode", str(tmp_path / "events.txt"))
    assert said["source"] == "lines"
    assert kinds(said) == ["BuyEvent", "SellEvent", "SellEvent", "BuyEvent"]
    assert [each["position"] for each in said["events"]] == [1, 3, 4, 5]
    assert answer("event", "decode", "-", input="\n".join(lines)) == said


def test_a_binary_file_is_one_event(tmp_path: Path) -> None:
    (tmp_path / "event.bin").write_bytes(SELL)
    assert kinds(answer("event", "decode", str(tmp_path / "event.bin"))) == ["SellEvent"]


@pytest.mark.parametrize(
    "wrap", [lambda lines: "\n".join(lines), json.dumps, lambda lines: json.dumps({"logs": lines})]
)
def test_log_lines_name_the_program(wrap: Any) -> None:
    said = answer("event", "decode", "-", input=wrap(log_lines(BUY, SELL)))
    assert said["source"] == "logs"
    assert kinds(said) == ["BuyEvent", "SellEvent"]
    assert {each["program"] for each in said["events"]} == {str(AMM_PROGRAM)}


def test_events_that_another_program_imitates_are_left_out() -> None:
    lines = "\n".join(log_lines(BUY, program=STRANGER))
    assert refusal(3, "event", "decode", "-", input=lines)["what"].startswith(
        "there is no PumpSwap event in these logs"
    )


def test_a_transaction_is_read_from_its_inner_instructions() -> None:
    said = answer("event", "decode", "-", input=json.dumps(transaction_json(BUY, SELL)))
    assert said["source"] == "inner instructions"
    assert kinds(said) == ["BuyEvent", "SellEvent"]
    assert not said["failed"]
    bare = transaction_json(BUY, SELL)["result"]
    assert answer("event", "decode", "-", input=json.dumps(bare)) == said


def test_a_transaction_parsed_by_the_node_is_read_too() -> None:
    document = transaction_json()
    call = {"programId": str(AMM_PROGRAM), "accounts": [str(AMM_EVENT_AUTHORITY)], "data": base58(CPI_PREFIX + BUY)}
    known = {"programId": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", "parsed": {"type": "transfer"}}
    document["result"]["meta"]["innerInstructions"] = [{"index": 0, "instructions": [known, call]}]
    document["result"]["transaction"]["message"]["accountKeys"] = [{"pubkey": STRANGER, "signer": True}]
    assert kinds(answer("event", "decode", "-", input=json.dumps(document))) == ["BuyEvent"]


def test_logs_serve_where_inner_instructions_are_not_recorded() -> None:
    document = transaction_json(logs=log_lines(SELL))
    document["result"]["meta"]["innerInstructions"] = None
    assert kinds(answer("event", "decode", "-", input=json.dumps(document))) == ["SellEvent"]


def test_a_failed_transaction_has_no_events_and_says_why() -> None:
    logs = log_lines(BUY, end="failed: custom program error: 0x1774")
    document = json.dumps(transaction_json(BUY, err={"InstructionError": [0, {"Custom": 6004}]}, logs=logs))
    said = answer("event", "decode", "-", input=document)
    assert (said["failed"], said["events"]) == (True, [])
    assert (said["failure"]["code"], said["failure"]["name"]) == (6004, "ExceededSlippage")
    shown = run("event", "decode", "-", input=document).stdout
    assert "This transaction failed" in shown
    assert "6004 ExceededSlippage" in shown
    silent = json.dumps(transaction_json(BUY, err={"InsufficientFundsForRent": {}}))
    assert answer("event", "decode", "-", input=silent)["events"] == []


@pytest.mark.parametrize(("bad", "counter"), [(UNKNOWN, "unknown"), (BROKEN, "malformed")])
@pytest.mark.parametrize("as_logs", [True, False])
def test_what_is_not_understood_is_counted_and_exits_with_12(bad: bytes, counter: str, as_logs: bool) -> None:
    content = "\n".join(log_lines(BUY, bad) if as_logs else [text(BUY), text(bad)])
    result = run("event", "decode", "-", "--json", input=content)
    assert result.exit_code == 12
    said = parsed(result.stdout)
    assert kinds(said) == ["BuyEvent"]
    assert said[counter] == 1
    assert len(said["warnings"]) == 1
    for_people = run("event", "decode", "-", input=content)
    assert for_people.exit_code == 12
    assert "BuyEvent" in for_people.stdout
    assert for_people.stderr.startswith("Warning: ")


def test_cut_logs_are_warned_about() -> None:
    lines = [*log_lines(BUY), "Log truncated"]
    assert answer("event", "decode", "-", input="\n".join(lines))["warnings"] == [
        "the node cut the logs: events may be missing"
    ]


@pytest.mark.parametrize(
    ("arguments", "content", "exit_code", "what"),
    [
        ([], None, 2, "nothing to decode"),
        (["-", "--hex", "00"], None, 2, "more than one thing to decode"),
        (["nope.txt"], None, 3, "there is no file nope.txt"),
        (["--base64", text(UNKNOWN)], None, 12, "no event known here starts with 1111111111111111"),
        (["--base64", text(BROKEN)], None, 12, "BuyEvent: payload"),
        (["--hex", "0011"], None, 1, "2 bytes are too few for an event"),
        (["--hex", "zz"], None, 1, "this is no hex"),
        (["-"], text(UNKNOWN), 12, "no event known here starts with 1111111111111111"),
        (["-"], f"{text(UNKNOWN)}\n{text(UNKNOWN)}", 12, "nothing could be decoded: line 1: no event"),
        (["-"], "\n".join(log_lines(UNKNOWN)), 12, "nothing could be decoded: 1 events that this version"),
        (["-"], "\n".join(log_lines()), 3, "there is no PumpSwap event in these logs"),
        (["-"], "", 1, "there is nothing to decode"),
        (["-"], "hello there", 1, "line 1 is neither base64 nor hex"),
        (["-"], b"\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc", 12, "no event known here starts with fffefdfc"),
        (["-"], "{", 1, "this is no JSON"),
        (["-"], "{}", 1, "this JSON is no transaction"),
        (["-"], "[1]", 1, "the list is not a list of log lines"),
        (["-"], '{"meta": {}}', 2, "neither logs nor inner instructions"),
        (["-"], '{"meta": {"innerInstructions": [{}]}}', 1, "the inner instructions cannot be read"),
        (["-"], '{"meta": {"logMessages": "x"}}', 1, "logMessages is not a list of log lines"),
    ],
)
def test_what_cannot_be_decoded_is_one_clear_line(
    arguments: list[str], content: bytes | str | None, exit_code: int, what: str
) -> None:
    assert refusal(exit_code, "event", "decode", *arguments, input=content)["what"].startswith(what)


def test_indices_outside_of_the_transaction_are_refused() -> None:
    document = transaction_json(BUY)
    document["result"]["meta"]["loadedAddresses"] = {}
    error = refusal(1, "event", "decode", "-", input=json.dumps(document))
    assert error["what"].startswith("the inner instructions cannot be read")


def test_times_are_shown_in_utc_with_their_age() -> None:
    event: Any = decode_event(SELL)
    shown = run("event", "decode", "--hex", SELL.hex()).stdout
    line = next(line for line in shown.splitlines() if line.startswith(" timestamp"))
    assert " UTC (" in line
    assert str(event.timestamp) not in line


def test_a_text_inside_an_event_cannot_steer_the_terminal() -> None:
    name = b"\x1b[31mbuy"
    payload = bytearray(struct.pack("<8s", BUY[:8]) + bytes(393))
    payload += struct.pack("<I", len(name)) + name
    shown = run("event", "decode", "--hex", payload.hex()).stdout
    assert "\x1b" not in shown
    assert "\\x1b[31mbuy" in shown


def test_keys_are_shown_whole() -> None:
    event: Any = decode_event(BUY)
    shown = run("event", "decode", "--hex", BUY.hex()).stdout
    assert isinstance(event.user_quote_token_account, Pubkey)
    assert f" {event.user_quote_token_account}\n" in shown
