"""The real QLib, in the environment of its own that scripts/bootstrap.sh makes."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import environment_python

__all__ = ["QlibReading", "qlib_python", "read_with_qlib"]

_READER = Path(__file__).with_name("qlib_read.py")
_READ_SECONDS = 600


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
    path = environment_python("qlib")
    return path if path.exists() else None


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
