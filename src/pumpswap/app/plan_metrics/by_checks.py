"""M1, M9 to M12: what the tests and the benchmark of the database have shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import isfinite

from pumpswap.app.plan_metrics.evidence import Evidence, Record
from pumpswap.app.plan_metrics.metric import PlanMetric, Standing, unmeasured

__all__ = ["database_time", "is_number", "tests_of", "tests_passing"]

_NO_TESTS = "No evidence/tests.json: `make test ARGS=--evidence` writes it."
_KINDS = ("passed", "failed", "skipped")
_LEAST_PASSING = 0.95
_MOST_MS = 100.0
_ROWS = "100000"
_ENGINES = ("sqlite", "postgresql")
_NO_QUERY = frozenset({"opening"})  # reads whole books into memory: the start of a process, many queries


def _left_out(tests: Record) -> str:
    """Why this was no run of everything; empty where it was one."""
    told = tests.get("left_out")
    if not isinstance(told, list):
        return f"{tests.where} lacks what was left out: `make test ARGS=--evidence` writes it anew."
    return f"Not all tests were run ({tests.where}): {', '.join(map(str, told))}." if told else ""


def tests_of(number: str, tests: Record | None) -> PlanMetric:
    """M1, M11, M12: the tests that show it, by name; every one must have run, and every case have passed."""
    if tests is None:
        return unmeasured(number, _NO_TESTS)
    shown = tests.get("metrics", number)
    counts = {name: _counted(one) for name, one in shown.items()} if isinstance(shown, dict) else {}
    totals = sum(counts.values(), Counter[str]())
    if not totals:
        return unmeasured(number, f"None of the tests that show it has run ({tests.where}).")
    told = f"{totals['passed']:,} cases passed"
    told += f", {totals['failed']:,} failed" if totals["failed"] else ""
    told += f", {totals['skipped']:,} skipped" if totals["skipped"] else ""
    lines = [f"{len(counts):,} tests ({tests.where}):", *(_test_line(name, one) for name, one in counts.items())]
    standing = Standing.MISSED if totals["failed"] else Standing.MET if totals["passed"] else Standing.UNMEASURED
    partly, missing = _left_out(tests), [name for name, one in counts.items() if not one]
    if standing is Standing.MET and (totals["skipped"] or missing or partly):
        standing = Standing.NOT_SHOWN
        lines += [partly] if partly else []
        lines.append("Only where every one of them has run and passed is it shown.")
    figures = {kind: totals[kind] for kind in _KINDS} | {"tests": {name: dict(one) for name, one in counts.items()}}
    return PlanMetric(number, standing, told, tuple(lines), figures)


def _counted(told: object) -> Counter[str]:
    """Cases by how they ended; those that did not occur are left out."""
    found = told if isinstance(told, Mapping) else {}
    return Counter({kind: int(found[kind]) for kind in _KINDS if isinstance(found.get(kind), int) and found[kind]})


def _test_line(name: str, counts: Mapping[str, int]) -> str:
    parts = [f"{counts[kind]:,} {kind}" for kind in _KINDS if counts.get(kind)]
    return f"{name}: {', '.join(parts) or 'has not run'}"


def tests_passing(tests: Record | None) -> PlanMetric:
    """M9. Of those that could run; what was skipped is named."""
    if tests is None:
        return unmeasured("M9", _NO_TESTS)
    counts = _counted(tests.figures)
    passed, failed, skipped = (counts[kind] for kind in _KINDS)
    if not passed + failed:
        return unmeasured("M9", f"No test has run ({tests.where}).")
    partly = _left_out(tests)
    if partly:
        return unmeasured("M9", partly)
    share = passed / (passed + failed)
    lines = [f"{passed:,} passed, {failed:,} failed, {skipped:,} skipped ({tests.where})."]
    failures, skips = tests.get("failures"), tests.get("skips")
    lines += [f"Failed: {name}" for name in failures] if isinstance(failures, list) else []
    lines += [f"Skipped {count}: {reason}" for reason, count in skips.items()] if isinstance(skips, dict) else []
    figures = {"share": share, "passed": passed, "failed": failed, "skipped": skipped, "skips": skips or {}}
    standing = Standing.MET if share >= _LEAST_PASSING else Standing.MISSED
    return PlanMetric("M9", standing, f"{share:.2%}", tuple(lines), figures)


def database_time(evidence: Evidence) -> PlanMetric:
    """M10. The slowest query of the benchmark at 100,000 rows, by its median, on both engines."""
    bench = evidence.record("bench-books")
    sizes = None if bench is None else bench.get("sizes", _ROWS)
    if bench is None or not isinstance(sizes, dict):
        return unmeasured("M10", "No evidence/bench-books.json: `make bench ARGS=books` writes it.")
    lines, figures, slowest = [], dict[str, object](), list[float]()
    for engine in _ENGINES:
        queries = sizes.get(engine, {}).get("queries_ms") if isinstance(sizes.get(engine), dict) else None
        if not isinstance(queries, dict):
            lines.append(f"{engine}: not measured ({bench.where}).")
            continue
        times = {name: one for name, one in queries.items() if name not in _NO_QUERY and _has_times(one)}
        lacking = sorted(queries.keys() - times.keys() - _NO_QUERY)
        if lacking or not times:
            lines.append(f"{engine}: {bench.where} lacks p50 and p99 of {', '.join(lacking) or 'any query'}.")
            continue
        name = max(times, key=lambda one: float(times[one]["p50"]))
        slow = sorted(one for one in times if float(times[one]["p99"]) >= _MOST_MS)
        slowest.append(float(times[name]["p50"]))
        told = f"{engine}, 100,000 rows, {len(times)} queries: slowest {name}, median {times[name]['p50']} ms"
        lines.append(f"{told}, p99 {times[name]['p99']} ms ({bench.where}).")
        if slow:
            lines.append(f"{engine}: {', '.join(slow)}: every hundredth takes {_MOST_MS:.0f} ms or longer.")
        figures[engine] = {"slowest": name, "p50_ms": times[name]["p50"], "p99_ms": times[name]["p99"]}
    if len(slowest) < len(_ENGINES):
        return unmeasured("M10", *lines, "Both engines are needed.")
    standing = Standing.MET if max(slowest) < _MOST_MS else Standing.MISSED
    return PlanMetric("M10", standing, f"at most {max(slowest):.0f} ms", tuple(lines), figures)


def _has_times(told: object) -> bool:
    return isinstance(told, dict) and all(is_number(told.get(one)) for one in ("p50", "p99"))


def is_number(found: object) -> bool:
    """Whether a file has a figure there."""
    return isinstance(found, int | float) and isfinite(found)
