"""Figures of a long check, kept with the date, commit and machine that made them."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.material import ROOT

EVIDENCE = ROOT / "evidence"


def write_evidence(name: str, figures: Mapping[str, Any], notes: Sequence[str], *, folder: Path = EVIDENCE) -> Path:
    """Write `evidence/<name>.json` and return its path; an earlier one of that name is replaced."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} is no name for evidence: lower-case words joined by '-'")
    record = {
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "figures": dict(figures),
        "machine": _machine(),
        "name": name,
        "notes": list(notes),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    try:
        head = git("rev-parse", "--short", "HEAD")
        # Evidence that a check has just written does not make its own commit dirty.
        changes = git("status", "--porcelain", "--", ".", ":(exclude)evidence")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if changes else head


def git(*arguments: str) -> str:
    """What git answers in this checkout. Raises OSError or CalledProcessError."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def _machine() -> dict[str, str | int]:
    """What a reader needs to compare figures. No host name and no folder."""
    return {
        "cores": os.cpu_count() or 0,
        "cpu": _cpu_model(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or "unknown")
