"""The real QLib, in the environment of its own that scripts/bootstrap.sh makes."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.material import ROOT

__all__ = ["QlibReading", "environment_problem", "make_environment", "qlib_python", "read_with_qlib"]

_READER = Path(__file__).with_name("qlib_read.py")
_MAKE_SECONDS, _READ_SECONDS = 1_200, 600


@dataclass(frozen=True)
class QlibReading:
    """What QLib has read: ``values`` are by symbol and time, in the order of the fields that were asked for."""

    version: str
    calendar: list[str]
    instruments: dict[str, list[list[str]]]
    dtypes: list[str]
    values: dict[tuple[str, str], list[float]]


def qlib_python() -> Path | None:
    """The Python that has QLib, where somebody has made that environment."""
    path = ROOT / ".venv-qlib" / "bin" / "python"
    return path if path.exists() else None


def make_environment() -> None:
    """Make the environment, or bring it up to date. Raises CalledProcessError and TimeoutExpired."""
    command = ["sh", str(ROOT / "scripts" / "bootstrap.sh"), "qlib"]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_MAKE_SECONDS, cwd=ROOT)


def environment_problem() -> str | None:
    """Make the environment; None when it is there, else why it cannot be made."""
    try:
        make_environment()
    except subprocess.TimeoutExpired:
        return f"QLib's environment was not made within {_MAKE_SECONDS} s"
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        return f"QLib's environment cannot be made here: {lines[-1] if lines else 'no reason given'}"
    return None


def read_with_qlib(folder: Path, freq: str, fields: Sequence[str]) -> QlibReading:
    """Open a dataset with QLib, in a process of its own, and read all of it. Raises AssertionError with its output."""
    python = qlib_python()
    assert python is not None, "the environment of QLib is not there"
    command = [str(python), str(_READER), str(folder), freq, ",".join(fields)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=_READ_SECONDS, env=clean)
    assert done.returncode == 0, done.stderr[-2_000:]
    said = json.loads(done.stdout.splitlines()[-1])
    values = {
        (symbol, moment): [math.nan if value is None else value for value in row]
        for symbol, moment, row in said["rows"]
    }
    return QlibReading(said["version"], said["calendar"], said["instruments"], said["dtypes"], values)
