"""Searches on a real Ray cluster of two workers: the same bytes as in one process."""

from __future__ import annotations

import os
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path

from tests.acceptance.check import Check, Findings, Progress
from tests.support.environments import environment_problem, environment_python
from tests.support.material import ROOT

__all__ = ["ON_RAY"]

_TESTS = ("tests/research/tuning/test_on_ray.py", "tests/app/test_tuning_on_ray.py")
_TEST_SECONDS = 1_800


def run(seed: int, progress: Progress) -> Findings:
    """The tests that need Ray, in its own environment; none of them may be skipped there."""
    python, findings = environment_python("ray"), Findings({})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [str(python), "-m", "pytest", *_TESTS, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_TEST_SECONDS, cwd=ROOT, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        if not report.exists():
            findings.failures.append(f"the tests have not run: {(ran.stdout + ran.stderr)[-2_000:]}")
            return findings
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "skipped", "failures", "errors")}
    findings.figures.update(counts)
    findings.table.append(f"{counts['tests']} tests, {counts['skipped']} skipped")
    if ran.returncode or counts["skipped"]:
        findings.failures.append(ran.stdout[-2_000:])
    progress(1, 1)
    return findings


ON_RAY = Check(
    "ray",
    "searches on a Ray cluster of two workers have the bytes of one process",
    partial(environment_problem, "ray"),
    run,
)
