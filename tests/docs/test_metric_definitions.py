"""The page of definitions names every figure that the report has, and its identity is the one that is checked."""

from __future__ import annotations

import re
from pathlib import Path

from pumpswap.analytics.performance import measure
from pumpswap.cli.performance_report import _estimates
from tests.analytics.performance.rows import given

PAGE = (Path(__file__).parents[2] / "docs" / "metric-definitions.md").read_text()


def test_every_statistic_of_the_report_is_on_the_page() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {name for name, _ in _estimates(measure(given()))} <= told


def test_the_reasons_are_those_of_the_page() -> None:
    text = PAGE.lower()
    for name, estimate in _estimates(measure(given())):
        if estimate.reason.startswith("no round"):
            assert estimate.reason in text, name
