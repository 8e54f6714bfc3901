"""The page about the books shows what the commands print: a demo of the same seed prints it again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "books.md"


def shown() -> list[tuple[str, str]]:
    """(command, output) of every call on the page that names no placeholder, the demo first."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for call in block.removeprefix("$ ").split("\n$ "):
            line, _, output = call.partition("\n")
            if "MINT" not in line:
                found.append((line, output.rstrip("\n")))
    return found


def test_the_page_shows_what_the_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    calls = shown()
    assert calls[0] == ("pumpswap demo --seed 7 --minutes 30 --fast", "")
    assert len(calls) >= 8
    for line, output in calls:
        call, _, target = line.partition(" > ")
        program, *arguments = shlex.split(call)
        assert program == "pumpswap"
        result = run(*arguments)
        assert result.exit_code == 0, (line, result.output)
        if output:
            assert result.stdout.rstrip("\n") == output, line
        if target:
            assert result.stdout
