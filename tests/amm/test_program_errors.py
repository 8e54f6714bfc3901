"""Error codes: named as the program names them, explained in plain words, never mixed up between programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import explain, failure_from_logs
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    FEES_PROGRAM,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)
from pumpswap.amm.program_errors import refusal
from tests.support.material import material, requires_material
from tests.support.vectors import load

ROUTER = Pubkey.from_string("proVF4pMXVaYqmy4NjniPh4pqKNfMmsihgd4wdkCX3u")
PROGRAMS = [AMM_PROGRAM, PUMP_PROGRAM, FEES_PROGRAM, TOKEN_PROGRAM, TOKEN_2022_PROGRAM, SYSTEM_PROGRAM]


@pytest.mark.parametrize("entry", load("errors")["codes"], ids=lambda entry: str(entry["code"]))
def test_every_code_of_the_amm_has_its_official_name_and_a_hint(entry: dict[str, Any]) -> None:
    error = explain(AMM_PROGRAM, entry["code"])
    assert error.code == entry["code"]
    assert error.name not in ("", "Unknown")
    if entry["name"] is not None:  # three official names are not known
        assert error.name == entry["name"]
    assert len(error.hint) > 10
    assert error.hint[0] == error.hint[0].lower()
    assert "\n" not in error.hint


def test_names_of_the_amm_are_unique() -> None:
    names = [explain(AMM_PROGRAM, entry["code"]).name for entry in load("errors")["codes"]]
    assert len(set(names)) == len(names) == 88


def test_every_rejected_case_of_the_vectors_is_named_as_there() -> None:
    for case in load("errors")["cases"]:
        if case.get("error", {}).get("code") is not None and case["error"].get("name"):
            assert explain(AMM_PROGRAM, case["error"]["code"]).name == case["error"]["name"], case["id"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (6063, ["InsufficientRealQuoteReserves", "UnsupportedQuoteMint", "Unknown"]),
        (3005, ["AccountNotEnoughKeys", "AccountNotEnoughKeys", "AccountNotEnoughKeys", "Unknown"]),
    ],
)
def test_the_same_number_means_something_else_in_another_program(code: int, names: list[str]) -> None:
    assert [explain(program, code).name for program in PROGRAMS[: len(names)]] == names


def test_the_codes_of_the_token_programs_and_the_system_program_are_their_own() -> None:
    assert explain(TOKEN_PROGRAM, 1) == explain(TOKEN_2022_PROGRAM, 1)
    assert explain(TOKEN_PROGRAM, 1).name == "InsufficientFunds"
    assert explain(SYSTEM_PROGRAM, 1).name != explain(TOKEN_PROGRAM, 1).name
    assert explain(AMM_PROGRAM, 1).name == "Unknown"


@pytest.mark.parametrize("program", [*PROGRAMS, ASSOCIATED_TOKEN_PROGRAM, ROUTER])
def test_a_code_that_is_not_known_is_called_so_and_names_the_program(program: Pubkey) -> None:
    error = explain(program, 999_999)
    assert (error.code, error.name) == (999_999, "Unknown")
    assert str(program) in error.hint


def test_a_refusal_carries_code_name_and_hint_of_the_program() -> None:
    refused = refusal(6004, "the price moved")
    assert (refused.code, refused.name) == (6004, "ExceededSlippage")
    assert refused.hint == explain(AMM_PROGRAM, 6004).hint
    assert "6004" in str(refused)


# From log lines


def test_the_innermost_program_failed_and_its_callers_only_repeat_the_number() -> None:
    logs = [
        f"Program {ROUTER} invoke [1]",
        f"Program {AMM_PROGRAM} invoke [2]",
        "Program log: Instruction: Buy",
        f"Program {FEES_PROGRAM} invoke [3]",
        f"Program {FEES_PROGRAM} success",
        f"Program {TOKEN_PROGRAM} invoke [3]",
        "Program log: Error: insufficient funds",
        f"Program {TOKEN_PROGRAM} consumed 4736 of 99999 compute units",
        f"Program {TOKEN_PROGRAM} failed: custom program error: 0x1",
        f"Program {AMM_PROGRAM} consumed 50000 of 120000 compute units",
        f"Program {AMM_PROGRAM} failed: custom program error: 0x1",
        f"Program {ROUTER} failed: custom program error: 0x1",
    ]
    failure = failure_from_logs(logs)
    assert failure is not None
    assert failure.program == TOKEN_PROGRAM
    assert failure.error == explain(TOKEN_PROGRAM, 1)
    assert failure.text == "custom program error: 0x1"
    outer = failure_from_logs(logs[9:])
    assert outer is not None
    assert outer.error is not None
    assert (outer.program, outer.error.name) == (AMM_PROGRAM, "Unknown")


def test_a_code_is_explained_by_the_program_that_failed() -> None:
    for program, name in ((AMM_PROGRAM, "InsufficientRealQuoteReserves"), (PUMP_PROGRAM, "UnsupportedQuoteMint")):
        failure = failure_from_logs([f"Program {program} failed: custom program error: 0x17af"])
        assert failure is not None
        assert failure.error is not None
        assert (failure.error.code, failure.error.name) == (6063, name)


@pytest.mark.parametrize(
    "text",
    [
        "Program failed to complete",
        "exceeded CUs meter at BPF instruction",
        "Cross-program invocation with unauthorized",
        "custom program error: 0x" + "f" * 5_000,
    ],
    ids=["incomplete", "units", "privilege", "a number beyond 32 bits"],
)
def test_a_failure_without_a_code_keeps_its_text(text: str) -> None:
    failure = failure_from_logs([f"Program {AMM_PROGRAM} invoke [1]", f"Program {AMM_PROGRAM} failed: {text}"])
    assert failure is not None
    assert (failure.program, failure.error, failure.text) == (AMM_PROGRAM, None, text)


@pytest.mark.parametrize(
    "line",
    [
        f"Program log: Program {AMM_PROGRAM} failed: custom program error: 0x1774",
        f"Program log: x\nProgram {AMM_PROGRAM} failed: custom program error: 0x1774",
        f"Program {'0' * 40} failed: custom program error: 0x1774",
        f"Program {'z' * 44} failed: custom program error: 0x1774",
        f"Program {AMM_PROGRAM} success",
        "Log truncated",
        "",
    ],
)
def test_a_line_that_the_runtime_did_not_write_is_no_failure(line: str) -> None:
    assert failure_from_logs([line]) is None


@requires_material("chain", "transactions", "logs")
def test_recorded_successful_transactions_have_no_failure() -> None:
    folder = material("chain", "transactions", "logs")
    assert folder is not None
    for path in folder.glob("*.json"):
        assert failure_from_logs(json.loads(path.read_text())["logs"]) is None, path.name
