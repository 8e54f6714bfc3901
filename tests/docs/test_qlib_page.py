"""The page about QLib is true: its Python runs, its fields and commands are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpswap.research.qlib.observation import FIELDS
from tests.support.material import ROOT

TEXT = (ROOT / "docs" / "qlib.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(snippet, {})
    assert {path.name for path in tmp_path.iterdir()} == {"candles", "qlib_data"}


def test_the_fields_are_those_of_the_export() -> None:
    assert f"`{' '.join(FIELDS)}`" in TEXT
