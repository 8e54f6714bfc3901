"""Environments beside ``.venv`` that scripts/bootstrap.sh makes: QLib's, Ray's, one for each NautilusTrader."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.material import ROOT

__all__ = ["environment_problem", "environment_python"]

_MAKE_SECONDS = 1_800
_ANY_PYTHON = "qlib"  # the others are each locked for a Python of their own, whichever was chosen for ``.venv``


def environment_python(kind: str) -> Path:
    """Its Python, whether or not it is there; ``kind`` as scripts/bootstrap.sh has it."""
    return ROOT / f".venv-{kind}" / "bin" / "python"


def environment_problem(kind: str) -> str | None:
    """Make it, or bring it up to date; None when it is there, else why it cannot be made."""
    command = ["sh", str(ROOT / "scripts" / "bootstrap.sh"), kind]
    chosen = os.environ.get("PYTHON", "") if kind == _ANY_PYTHON else ""
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=_MAKE_SECONDS,
            cwd=ROOT,
            env={**os.environ, "PYTHON": chosen},
        )
    except subprocess.TimeoutExpired:
        return f"the environment {kind} was not made within {_MAKE_SECONDS} s"
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        return f"the environment {kind} cannot be made here: {lines[-1] if lines else 'no reason given'}"
    return None
