"""The page about back-tests: its output, its code and its limits are those of the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pumpswap.cli.backtest import backtest
from pumpswap.research.backtest.figures import LIMITS
from tests.cli.running import run
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "backtesting.md").read_text(encoding="utf-8")


def test_the_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    blocks = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2 and len({line for line, _ in blocks}) == 1
    program, *arguments = shlex.split(blocks[0][0])
    assert program == "pumpswap"
    result = run(*arguments, "--data-dir", str(tmp_path))
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())  # a terminal of 80 columns breaks long lines
    for _, shown in blocks:
        assert " ".join(shown.split()) in told


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(compile(snippet, "backtesting.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out == "0 lamports, 0 fills, 0 others\n"


def test_the_page_says_the_limits_that_every_result_says() -> None:
    for sentence in LIMITS:
        assert f"* {sentence}" in PAGE


def test_the_page_names_every_command() -> None:
    for name in backtest.entries:
        assert f"`backtest {name}" in PAGE
