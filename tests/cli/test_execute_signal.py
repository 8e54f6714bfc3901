"""What `execute-signal` says about calls and signals that cannot be."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import refusal


def where(folder: Path) -> tuple[str, ...]:
    return ("--data-dir", str(folder), "--url", "http://127.0.0.1:9")


def test_a_file_that_is_no_signal_is_a_wrong_call(tmp_path: Path) -> None:
    file = tmp_path / "garbage.json"
    file.write_text("garbage")
    assert "is no JSON" in refusal(2, "execute-signal", "--signal", str(file), *where(tmp_path))["what"]


def test_a_signal_about_nothing_is_told_which_keys_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "signal.json"
    file.write_text('{"side": "long"}')
    error = refusal(2, "execute-signal", "--signal", str(file), *where(tmp_path))
    assert error["what"] == "the signal names neither a pool nor a coin"
    assert "pair_address" in error["hint"]


def test_a_pool_without_rows_is_not_found(tmp_path: Path) -> None:
    error = refusal(3, "execute-signal", "--pool-id", "X", *where(tmp_path))
    assert "--database" in error["hint"] or "collect" in error["hint"]


def test_what_is_no_url_is_said_before_anything_else(tmp_path: Path) -> None:
    for command in (("run",), ("execute-signal", "--pool-id", "X")):
        error = refusal(2, *command, "--data-dir", str(tmp_path), "--url", "notaurl")
        assert error["what"] == "--url: that is no URL of an endpoint"
