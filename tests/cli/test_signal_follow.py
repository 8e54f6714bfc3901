"""``signal follow`` over a recording: lines for people, objects for scripts, clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.app.test_follow import STRANGER, WALLET, tape
from tests.cli.running import run


def test_a_recording_is_followed_with_reasons_and_the_gates_answer(tmp_path: Path) -> None:
    result = run("signal", "follow", "--wallet", WALLET, "--from", str(tape(tmp_path)))
    assert result.exit_code == 0, result.output
    assert "20 signal(s) of 1 wallet(s)." in result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("2026-11-02 00:00:00")
    assert "hold   50.0  buys for 1 SOL" in lines[0]
    assert "  a record begins with 3 closed rounds, it has 0" in lines
    assert "  gate: refused, signal: score 50.0 is below 75" in lines
    assert any("short" in line and "sells for" in line for line in lines)
    assert all(len(line) <= 80 for line in lines if WALLET not in line)


def test_scripts_get_one_object_per_line(tmp_path: Path) -> None:
    path = str(tape(tmp_path))
    arguments = ("--json", "--wallet", WALLET, "--wallet", STRANGER, "--from", path, "--max-signals", "6")
    result = run("signal", "follow", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["wallet"], one["trade"]) for one in told] == [
        (WALLET, "buy"), (STRANGER, "buy"), (WALLET, "sell"), (STRANGER, "sell"), (WALLET, "buy"), (STRANGER, "buy"),
    ]  # fmt: skip
    first = told[0]
    assert (first["schema"], first["version"], first["source"]) == ("pumpswap.signal", 1, "wallet-follow")
    assert (first["quote_lamports"], first["side"], first["score"]) == ("1000000000", "hold", 50.0)
    assert first["decision"]["accepted"] is False
    assert "signal: score 50.0 is below 75" in first["decision"]["refusals"]
    assert told[2]["decision"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        ((), 4, "nobody is followed"),
        (("--wallet", WALLET, "--from", "x.csv", "--learn", "5"), 2, "--from replays a file"),
        (("--wallet", WALLET, "--from", "none.csv"), 3, "does not exist"),
        (("--wallet", "short"), 2, "wallet"),
        (("--wallet", WALLET, "--from", "5x" * 44 + ".jsonl"), 2, "too long"),
        (("--wallet", WALLET, "--for", "nan"), 2, "no number"),
        (("--wallet", WALLET), 4, "there is no endpoint to ask"),
        (("--wallet", WALLET, "--url", "http://127.0.0.1:9"), 11, "127.0.0.1:9"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_line(
    arguments: tuple[str, ...], code: int, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--json", "signal", "follow", *arguments)
    error = json.loads(result.stdout)
    assert (result.exit_code, error["exit_code"]) == (code, code)
    assert what in error["what"]
    assert error["hint"]
