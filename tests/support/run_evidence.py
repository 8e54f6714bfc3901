"""``--evidence``: what a run of all tests has found goes to `evidence/tests.json`; `report metrics` reads it there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.support.evidence import write_evidence

_MOST_NAMED = 50

# The metrics of the plan that tests show, and the tests that show them: files, or single tests.
METRIC_TESTS: Mapping[str, tuple[str, ...]] = {
    "M1": (
        "tests/sdk/test_sdk.py::test_a_pool_is_read_by_mint_and_by_pair",
        "tests/sdk/test_sdk.py::test_what_the_chain_cannot_tell_is_none_and_says_why",
        "tests/sdk/test_sdk.py::test_a_coin_without_a_canonical_pool_has_no_pair",
        "tests/sdk/test_sdk.py::test_a_round_trip_is_exact_and_speaks_both_vocabularies",
        "tests/sdk/test_practice_trading.py::test_reading_knows_mint_and_pair_and_says_what_the_chain_cannot_tell",
        "tests/sdk/test_practice_trading.py::test_a_round_trip_has_both_vocabularies_exact_amounts_and_balanced_books",
    ),
    "M7": (
        "tests/portfolio/test_random_books.py",
        "tests/portfolio/test_audit.py",
    ),
    "M8": (
        "tests/engine/test_limits.py",
        "tests/engine/test_desk_limits.py",
    ),
    "M11": (
        "tests/cli/test_whole_tree.py",
        "tests/cli/test_help.py",
    ),
    "M12": ("tests/settings/test_one_reader.py",),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--evidence", action="store_true", help="write what was found to evidence/tests.json: for runs of everything"
    )


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """After all workers."""
    if not config.getoption("--evidence"):
        return
    figures = figures_of(terminalreporter.stats) | {"left_out": left_out(config, exitstatus)}
    path = write_evidence("tests", figures, notes=_NOTES)
    terminalreporter.write_line(f"evidence: {path}")


def left_out(config: pytest.Config, exitstatus: int) -> list[str]:
    """In which ways this was no run of everything: what was chosen on the command line, or that it was stopped."""
    found = [option for name, option in _NARROWING.items() if config.getoption(name, None)]
    if config.args != config.getini("testpaths"):
        found.append("only the paths that were named")
    if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        found.append("it was stopped")
    return found


# Options with which pytest does not run every test.
_NARROWING = {
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
    "lf": "--last-failed",
    "stepwise": "--stepwise",
    "maxfail": "--maxfail",
    "collectonly": "--collect-only",
}
_NOTES = (
    "left_out: why this was no run of all tests, if it was none",
    "skips: tests that something on this machine was missing for, by reason",
    "metrics: the tests that show a metric of the plan, and how many of their cases passed",
)


def figures_of(stats: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """Counts of a run, by the names under which pytest gathers reports. A test that fails in more than one of its
    phases is one test.
    """
    passed = [report.nodeid for report in stats.get("passed", ()) if report.when == "call"]
    failed = sorted({report.nodeid for kind in ("failed", "error") for report in stats.get(kind, ())})
    skipped = list(stats.get("skipped", ()))
    return {
        "passed": len(passed),
        "failed": len(failed),
        "skipped": len(skipped),
        "failures": [_name(one) for one in failed[:_MOST_NAMED]],
        "skips": dict(Counter(_reason(report) for report in skipped).most_common()),
        "metrics": {
            metric: _cases(tests, passed, failed, [report.nodeid for report in skipped])
            for metric, tests in METRIC_TESTS.items()
        },
    }


def _cases(tests: tuple[str, ...], *outcomes: list[str]) -> dict[str, dict[str, int]]:
    """Cases by test; those of a test with parameters are counted together. What has not run has no case."""
    nodes = [node for outcome in outcomes for node in outcome]
    absent = [test for test in tests if not any(_is_of(node, test) for node in nodes)]
    found: dict[str, dict[str, int]] = {test: {"passed": 0, "failed": 0, "skipped": 0} for test in absent}
    for name, nodes in zip(("passed", "failed", "skipped"), outcomes, strict=True):
        for node in nodes:
            if any(_is_of(node, test) for test in tests):
                counts = found.setdefault(_name(node), {"passed": 0, "failed": 0, "skipped": 0})
                counts[name] += 1
    return dict(sorted(found.items()))


def _is_of(node: str, test: str) -> bool:
    """Whether it is a case of the test, or of a test in the file: no other whose name only begins so."""
    return _name(node) == test or node.startswith(f"{test}::")


def _name(node: str) -> str:
    return node.partition("[")[0]


def _reason(report: Any) -> str:
    """Without the place: its line changes, and a path is nobody's business."""
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return re.sub(r"(/[\w.+-]+){2,}", "…", str(told).removeprefix("Skipped: "))
