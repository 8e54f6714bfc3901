"""Running the command line, in this process or as a real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import click
from click.testing import CliRunner, Result

from pumpswap.cli import pumpswap
from pumpswap.cli.formats import printable
from tests.support.material import ROOT

SOURCE = ROOT / "src"


def run(*arguments: str, input: bytes | str | None = None, group: click.Group = pumpswap) -> Result:
    """One call with a terminal's width, without colours."""
    runner = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"})
    return runner.invoke(group, arguments, input=input, prog_name="pumpswap")


def answer(*arguments: str, input: bytes | str | None = None) -> dict[str, Any]:
    """The object of a call with ``--json`` that must succeed; stdout must hold it and nothing else."""
    result = run(*arguments, "--json", input=input)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return parsed(result.stdout)


def refusal(exit_code: int, *arguments: str, input: bytes | str | None = None) -> dict[str, Any]:
    """The error object of a call that must fail; without ``--json`` the same call says one clear line and a hint."""
    for_people = run(*arguments, input=input)
    assert for_people.exit_code == exit_code, for_people.output
    assert for_people.stdout == ""
    first, second, *rest = for_people.stderr.splitlines()
    assert rest == []
    assert first.startswith("Error: ")
    assert second.startswith("Hint:  ")
    result = run("--json", *arguments, input=input)
    assert result.exit_code == exit_code
    assert result.stderr == ""
    error = parsed(result.stdout)
    assert error["schema"] == "pumpswap.error"
    assert error["exit_code"] == exit_code
    assert first == f"Error: {printable(error['what'])}"
    assert error["hint"] == second.removeprefix("Hint:  ")
    assert error["code"]
    return error


def parsed(text: str) -> dict[str, Any]:
    document = json.loads(text)
    assert isinstance(document, dict)
    assert document["schema"].startswith("pumpswap.")
    assert document["version"] == 1
    return document


def environment(**changes: str) -> dict[str, str]:
    """Of a process that finds the package and has no terminal."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return {**kept, "PYTHONPATH": str(SOURCE), **changes}


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """``python -m pumpswap`` as a process of its own."""
    command = [sys.executable, "-m", "pumpswap", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, **options)
