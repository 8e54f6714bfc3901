"""The environments with NautilusTrader that scripts/bootstrap.sh makes, one for each supported version."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.material import ROOT

__all__ = ["VERSIONS", "environment_problem", "nautilus_python"]

VERSIONS = ("1.221", "1.231")
_MAKE_SECONDS = 1_800


def nautilus_python(version: str) -> Path:
    """The Python that has this NautilusTrader, whether or not it is there."""
    return ROOT / f".venv-nautilus-{version}" / "bin" / "python"


def environment_problem(version: str) -> str | None:
    """Make the environment, or bring it up to date; None when it is there, else why it cannot be made.

    The Python that was chosen for the other environments is of one version, and this one may need another.
    """
    command = ["sh", str(ROOT / "scripts" / "bootstrap.sh"), f"nautilus-{version}"]
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=_MAKE_SECONDS,
            cwd=ROOT,
            env={**os.environ, "PYTHON": ""},
        )
    except subprocess.TimeoutExpired:
        return f"the environment of NautilusTrader {version} was not made within {_MAKE_SECONDS} s"
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        reason = lines[-1] if lines else "no reason given"
        return f"the environment of NautilusTrader {version} cannot be made here: {reason}"
    return None
