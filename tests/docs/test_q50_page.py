"""The page about Q50 is true: its Python and its commands run and print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pumpswap.market.q50_file import read_q50
from pumpswap.model.q50 import Q50_REQUIRED
from pumpswap.settings import RegimeSettings
from pumpswap.signals.q50_rules import RULE_COLUMNS, causal_columns
from tests.cli.running import run
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "q50.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)
(EXAMPLE,) = re.findall(r"```text\n(\$ pumpswap signal q50 inspect.*?)```", PAGE, flags=re.DOTALL)
(CONSOLE,) = re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def snippet(word: str) -> tuple[str, str]:
    ((code, output),) = [block for block in BLOCKS if word in block[0]]
    return code, output


def test_every_block_of_python_is_run_here() -> None:
    assert len(BLOCKS) == 3


def test_the_example_of_a_regime(capsys: pytest.CaptureFixture[str]) -> None:
    code, output = snippet("RegimeDetector")
    exec(code, {})
    assert capsys.readouterr().out == output


def test_a_model_of_ones_own_and_its_signals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(snippet("write_parquet")[0], {})
    frame = read_q50(folder / "model.parquet", complete=causal_columns).frame
    assert len(frame.chosen()) == 500
    line, *expected = CONSOLE.removeprefix("$ ").splitlines()
    result = run(*shlex.split(line)[1:])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == expected

    code, output = snippet("Q50SignalLoader")
    exec(code, {})
    assert capsys.readouterr().out == output

    line, *shown = EXAMPLE.removeprefix("$ ").splitlines()
    result = run(*shlex.split(line)[1:])
    printed = result.stdout + result.stderr
    assert [each for each in shown if each != "…" and each not in printed] == []


def test_the_tables_say_what_the_code_says() -> None:
    for name in Q50_REQUIRED:
        assert f"`{name}`" in PAGE
    multipliers = re.findall(r"^\| (low|medium|high|extreme) \| [^|]* \| ([\d.]+) \|$", PAGE, flags=re.MULTILINE)
    assert {name: float(value) for name, value in multipliers} == {
        name: float(getattr(RegimeSettings(), f"{name}_multiplier")) for name in ("low", "medium", "high", "extreme")
    }
    assert f"its {len(RULE_COLUMNS)} columns" in PAGE
