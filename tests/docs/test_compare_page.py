"""The page about comparing the scores shows what the command prints."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.running import run
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "compare.md"


def test_the_python_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    exec(compile(snippet, PAGE.name, "exec"), {})
    assert "at least 20 pools picked by each score are needed" in capsys.readouterr().out


def test_the_page_shows_what_the_command_prints() -> None:
    (block,) = re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    line, _, output = block.removeprefix("$ ").partition("\n")
    program, *arguments = shlex.split(line)
    assert program == "pumpswap"
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == output
