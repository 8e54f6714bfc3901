"""What a run of the tests leaves as evidence: counts, reasons, and the tests that show a metric."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.support.material import ROOT
from tests.support.run_evidence import METRIC_TESTS, figures_of, left_out


def report(node: str, when: str = "call", longrepr: Any = None) -> SimpleNamespace:
    return SimpleNamespace(nodeid=node, when=when, longrepr=longrepr)


def test_every_test_that_shows_a_metric_is_there() -> None:
    for tests in METRIC_TESTS.values():
        for test in tests:
            file, _, name = test.partition("::")
            text = (ROOT / file).read_text(encoding="utf-8")
            assert not name or f"def {name}(" in text, test


def test_cases_are_counted_once_and_reasons_name_no_place() -> None:
    limits = "tests/engine/test_limits.py::test_no_limit_is_exceeded_at_any_instant"
    skip = ("/some/where/tests/test_x.py", 12, "Skipped: no program in /some/where/else")
    found = figures_of({
        "passed": [report(f"{limits}[{seed}]") for seed in range(3)] + [report("tests/a.py::test_b", "setup")],
        "failed": [report(f"{limits}[9]"), report("tests/a.py::test_c")],
        "error": [report("tests/a.py::test_c", "teardown")],
        "skipped": [report("tests/a.py::test_d", "setup", skip), report("tests/a.py::test_e", "setup", skip)],
    })  # fmt: skip
    assert (found["passed"], found["failed"], found["skipped"]) == (3, 2, 2)
    assert found["failures"] == ["tests/a.py::test_c", limits]
    assert found["skips"] == {"no program in …": 2}
    nothing = {"passed": 0, "failed": 0, "skipped": 0}
    assert found["metrics"]["M8"] == {
        limits: {"passed": 3, "failed": 1, "skipped": 0},
        "tests/engine/test_desk_limits.py": nothing,  # a file of which no test has run
    }
    assert found["metrics"]["M1"] == dict.fromkeys(sorted(METRIC_TESTS["M1"]), nothing)
    assert figures_of({})["passed"] == 0


def test_a_test_whose_name_only_begins_like_another_is_not_that_test() -> None:
    (test, *_) = METRIC_TESTS["M1"]
    found = figures_of({"passed": [report(f"{test}_of_late")]})
    assert set(found["metrics"]["M1"]) == set(METRIC_TESTS["M1"])
    assert found["metrics"]["M1"][test]["passed"] == 0


def run_with(exitstatus: int = 0, args: tuple[str, ...] = ("tests",), **options: Any) -> list[str]:
    config = SimpleNamespace(
        args=list(args), getini=lambda _: ["tests"], getoption=lambda name, default: options.get(name, default)
    )
    return left_out(config, exitstatus)  # type: ignore[arg-type]


def test_a_run_of_everything_is_told_from_a_run_of_some_tests() -> None:
    assert run_with() == run_with(1) == run_with(keyword="", maxfail=0, deselect=None) == []
    assert run_with(keyword="x", maxfail=1) == ["-k", "--maxfail"]
    assert run_with(args=("tests/cli",)) == ["only the paths that were named"]
    assert run_with(2) == ["it was stopped"]
