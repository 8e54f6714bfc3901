"""The page about reports shows what the commands print: a demo of the same seed prints it again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pumpswap.app.report_tables import report_tables
from tests.cli.running import run
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def test_the_page_shows_what_the_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    blocks = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert [line for line, _ in blocks][:2] == ["pumpswap demo --seed 7 --minutes 30 --fast", "pumpswap report"]
    for line, output in blocks:
        program, *arguments = shlex.split(line)
        assert program == "pumpswap"
        result = run(*arguments)
        assert result.exit_code == 0, (line, result.output)
        if output:
            assert result.stdout.rstrip("\n") == output.rstrip("\n"), line
    tables = {path.name for path in (tmp_path / "month").iterdir()}
    assert tables == set(re.findall(r"`(\w+\.csv)`", PAGE)), report_tables.__doc__
