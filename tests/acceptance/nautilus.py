"""The adapter beside each supported NautilusTrader: all its tests with full counts, then the long parts.

Both run in that version's own environment, in processes of their own; what they find comes back as lines of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.acceptance.check import Check, Findings, Progress
from tests.support.environments import environment_problem, environment_python
from tests.support.material import ROOT

__all__ = ["NAUTILUS_1_221", "NAUTILUS_1_231"]

_TEST_SECONDS = 7_200
_SHOWN = 20


def run(version: str, seed: int, progress: Progress) -> Findings:
    """The tests first: where they fail, figures of long runs are worth nothing."""
    python = environment_python(f"nautilus-{version}")
    findings = Findings({"nautilus_trader": _version(python)})
    findings.figures["tests"] = _tests(python, findings)
    if findings.failures:
        return findings
    for told in _long_parts(python, seed):
        if "done" in told:
            progress(told["done"], told["of"])
        elif "error" in told:
            findings.failures.append(told["error"])
        else:
            findings.figures[told["part"]] = told["figures"]
            findings.table += told["table"]
            findings.failures += told["failures"]
            findings.notes += told["notes"]
    return findings


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "HYPOTHESIS_PROFILE": "acceptance"}


def _version(python: Path) -> str:
    code = (
        "import nautilus_trader, platform; print(nautilus_trader.__version__, 'on Python', platform.python_version())"
    )
    told = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return told.stdout.strip()


def _tests(python: Path, findings: Findings) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [
            str(python), "-m", "pytest", "tests/nautilus", "-q", "-p", "no:cacheprovider",
            "-W", "error::RuntimeWarning", f"--junitxml={report}",
        ]  # fmt: skip
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_TEST_SECONDS, cwd=ROOT, env=_environment(), check=False
        )
        if not report.exists():
            findings.failures.append(f"the tests have not run: {(ran.stdout + ran.stderr)[-2_000:]}")
            return {}
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "skipped", "failures", "errors")}
    told = [line.partition(" ") for line in ran.stdout.splitlines()]
    lines = [what for kind, _, what in told if kind in ("FAILED", "ERROR")]
    findings.failures += lines[:_SHOWN]
    if ran.returncode and not lines:
        findings.failures.append(f"the tests have ended with {ran.returncode}: {ran.stdout[-2_000:]}")
    passed = counts["tests"] - counts["skipped"] - counts["failures"] - counts["errors"]
    findings.table.append(f"{passed:,} tests passed, {counts['skipped']:,} skipped")
    return {"passed": passed, "skipped": counts["skipped"]}


def _long_parts(python: Path, seed: int) -> Iterator[dict[str, Any]]:
    """What ``tests.nautilus.long`` tells, line by line."""
    command = [str(python), "-W", "error::RuntimeWarning", "-m", "tests.nautilus.long", "--seed", str(seed)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, env=_environment()
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        code = process.wait()
        errors.seek(0)
        said = errors.read()
    if code:
        yield {"error": f"the long parts have ended with {code}: {said[-2_000:]}"}
    elif "never awaited" in said:
        yield {"error": "a coroutine was never awaited"}


def _check(version: str, what: str) -> Check:
    return Check(
        f"nautilus-{version}", what, partial(environment_problem, f"nautilus-{version}"), partial(run, version)
    )


NAUTILUS_1_221 = _check("1.221", "the adapter in NautilusTrader 1.221: its tests, and long markets to the lamport")
NAUTILUS_1_231 = _check("1.231", "the adapter in NautilusTrader 1.231: its tests, and long markets to the lamport")
