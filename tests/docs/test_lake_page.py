"""The page of the lake is true: its dictionary is that of the code, its snippets run, its tables are complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pumpswap.errors import BadInput
from pumpswap.market.lake.columns import KINDS
from pumpswap.market.lake.dictionary import BEGIN, END, dictionary, main, updated
from pumpswap.market.lake.verify import Problem
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "lake.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_dictionary_is_that_of_the_columns() -> None:
    assert updated(TEXT) == TEXT, "run: python -m pumpswap.market.lake.dictionary docs/lake.md"
    for kind in KINDS.values():
        section = TEXT.split(f"\n### {kind.name}\n")[1].split("\n##")[0].split(END)[0]
        listed = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)
        assert tuple(name for name, _, _ in listed) == kind.names
        assert [type_.endswith("or null") for _, type_, _ in listed] == [one.may_be_null for one in kind.columns]


def test_the_dictionary_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "pumpswap.market.lake.dictionary"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == dictionary() + "\n"
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\nend\n")
    assert main([str(page)]) == 0
    assert page.read_text() == f"# Title\n\n{BEGIN}\n\n{dictionary()}\n\n{END}\nend\n"
    page.write_text("# No marks\n")
    assert main([str(page)]) == 1
    assert "no marks" in capsys.readouterr().err
    with pytest.raises(BadInput):
        updated("")


def test_the_snippets_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world: dict[str, Any] = {}
    snippets = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert len(snippets) == 3
    for snippet in snippets:
        exec(snippet, world)
    assert world["volume"].height == 1


def test_every_finding_is_explained() -> None:
    table = TEXT.split("| finding |")[1].split("\n\n")[0]
    explained = set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines()[2:])))
    assert explained == {problem.value for problem in Problem}
