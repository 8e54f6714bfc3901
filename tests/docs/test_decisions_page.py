"""The page on decisions shows what `why` prints: a demo of the same seed prints it again. What it cuts ends with …"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pumpswap.cli.root import COMMANDS
from pumpswap.model import TradingState
from tests.cli.running import run
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")


def test_the_page_shows_what_why_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    calls = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert calls[0][0] == "pumpswap demo --seed 7 --minutes 30 --fast"
    assert sum(call.startswith("pumpswap why ") for call, _ in calls) == 3
    for call, output in calls:
        program, *arguments = shlex.split(call)
        assert program == "pumpswap"
        result = run(*arguments)
        assert result.exit_code == 0, (call, result.output)
        shown = output.rstrip("\n")
        if shown.endswith("\n…"):
            assert result.stdout.startswith(shown.removesuffix("…")), call
        elif shown:
            assert result.stdout.rstrip("\n") == shown, call


def test_the_page_names_every_command_and_every_state() -> None:
    for name in ("pause", "exits-only", "halt", "resume", "stop", "panic", "approve", "decline"):
        assert name in COMMANDS
        assert f"| `pumpswap {name}` |" in PAGE
    for state in TradingState:
        assert f"| `{state.value}` |" in PAGE
