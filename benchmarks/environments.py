"""Environments of what we are compared with: made, or brought up to date, before it is run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.figures import PeerUnavailable
from tests.support.material import ROOT

__all__ = ["environment_python"]

_MAKE_SECONDS = 1_200


def environment_python(kind: str) -> Path:
    """Its Python; ``kind`` as scripts/bootstrap.sh has it. Raises PeerUnavailable."""
    command = ["sh", str(ROOT / "scripts" / "bootstrap.sh"), kind]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_MAKE_SECONDS, cwd=ROOT)
    except subprocess.TimeoutExpired as late:
        raise PeerUnavailable(f"the environment of {kind} was not made within {_MAKE_SECONDS} s") from late
    except subprocess.CalledProcessError as failed:
        lines = [line for line in str(failed.stderr).splitlines() if line.strip()]
        reason = lines[-1] if lines else "no reason"
        raise PeerUnavailable(f"the environment of {kind} cannot be made here: {reason}") from failed
    return ROOT / f".venv-{kind}" / "bin" / "python"
