"""Differences by design: a test that meets one says so, and every run prints how often and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

ByDesign = Callable[[str], None]
PROPERTY = "by design"


@pytest.fixture
def by_design(record_property: Callable[[str, object], None]) -> ByDesign:
    """Call it with the reason why ours differs from the reference here."""

    def told(reason: str) -> None:
        record_property(PROPERTY, reason)

    return told


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the reasons at the end of the run, from all workers."""
    found: Counter[str] = Counter()
    for report in terminalreporter.stats.get("passed", []):
        if report.when == "call":
            found.update(str(value) for name, value in report.user_properties if name == PROPERTY)
    if found:
        terminalreporter.write_sep("=", "differences from the reference, by design")
        for reason, count in sorted(found.items()):
            terminalreporter.write_line(f"{count:5} × {reason}")
