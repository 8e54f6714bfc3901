"""M1 to M12: from the books and from evidence; what is missing says so, and nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.analytics.comparison import VerdictKind
from pumpswap.app.books import Books, chosen_books
from pumpswap.app.plan_metrics import Evidence, PlanMetric, Standing, evidence_folder, plan_metrics
from pumpswap.app.plan_metrics.by_run import execution_time, violations
from pumpswap.app.plan_metrics.by_scores import signal_accuracy
from pumpswap.app.plan_metrics.from_books import read_run, violations_in
from pumpswap.app.signal_compare import CompareRequest, SignalComparison, compare_updates
from pumpswap.errors import BadInput, NotFound
from pumpswap.model import STOPPING, Position, Spell
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.wishes import WishRow
from tests.app.test_drift import simulated
from tests.support.market import START_NS, graduate, seen

MINUTE_NS = 60 * 10**9
HOUR_NS = 60 * MINUTE_NS
NOTHING = Evidence(None)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The books of one simulated run; nobody writes to them."""
    folder = tmp_path_factory.mktemp("played")
    simulated(folder, seconds=2_400)
    return folder / "pumpswap.sqlite"


def books_of(database: Database) -> Books:
    books = chosen_books(database)
    assert books is not None
    return books


def written(folder: Path, name: str, figures: Any) -> Evidence:
    record = {"commit": "abc1234", "date": "2026-11-26T08:52:41Z", "figures": figures, "name": name}
    (folder / f"{name}.json").write_text(json.dumps(record))
    return Evidence(folder)


def metrics_of(
    books: Books | None, evidence: Evidence, scores: SignalComparison | None = None, now_ns: int = START_NS
) -> list[PlanMetric]:
    return plan_metrics(books, evidence, scores, now_ns=now_ns)


def by_number(found: list[PlanMetric]) -> dict[str, PlanMetric]:
    return {one.number: one for one in found}


def test_without_books_and_evidence_every_metric_says_what_is_missing() -> None:
    found = metrics_of(None, NOTHING)
    assert [one.number for one in found] == [f"M{number}" for number in range(1, 13)]
    assert {one.standing for one in found} == {Standing.UNMEASURED}
    assert all(one.evidence and one.name and one.target for one in found)


def test_a_run_shows_what_it_did(played: Path) -> None:
    with open_database(played) as database:
        found = by_number(metrics_of(books_of(database), NOTHING))
        run = database.run(1)
        fills = list(run.trades())
        accepted = list(run.decisions(accepted=True))
        assert found["M6"].figures["fills"] == len(fills) > 10
        slips = [fill.slippage for fill in run.listings.fills.between(0, 2**63 - 1)]
        assert found["M6"].figures["mean_share"] == pytest.approx(sum(slips) / len(slips))
        bought = [one for one in accepted if one.intent.side.value == "buy"]
        assert found["M5"].figures["accepted"] == len(bought)
        assert found["M5"].figures["signals"] == sum(
            1 + one.repeats for one in run.listings.wishes.since(0) if one.has_signal
        )
        assert found["M7"].standing is Standing.MET
        assert found["M7"].figures["trades"] == len(fills)
        assert found["M8"].standing is Standing.MET
        assert found["M8"].figures["run"] == {
            "buys": len(bought),
            "against_a_policy": 0,
            "too_many_positions": 0,
            "over_budget": 0,
        }
        assert found["M3"].standing is Standing.UNMEASURED  # on paper it is a setting, and is said to be
        assert "setting" in found["M3"].evidence[0]
        assert found["M4"].standing is Standing.NOT_SHOWN  # seconds of a market that is played


def test_one_heartbeat_shows_no_uptime_and_a_replay_measures_none(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("simulated", START_NS)
        assert by_number(metrics_of(books_of(database), NOTHING))["M4"].standing is Standing.UNMEASURED
        run.spells.save(Spell(START_NS, START_NS, START_NS, is_able=True))
        found = by_number(metrics_of(books_of(database), NOTHING))["M4"]
        assert (found.standing, found.value) == (Standing.NOT_SHOWN, "no value")


def test_uptime_is_met_by_hours_and_missed_with_its_reasons(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", START_NS)
        run.spells.save(Spell(START_NS, START_NS, START_NS + 97 * HOUR_NS, is_able=True))
        unable = Spell(START_NS, START_NS + 97 * HOUR_NS, START_NS + 100 * HOUR_NS, is_able=False, reason="feed chain")
        run.spells.save(unable)
        found = by_number(metrics_of(books_of(database), NOTHING))["M4"]
        assert (found.standing, found.value) == (Standing.MET, "97.00%")
        run.spells.save(replace(unable, ended_ns=START_NS + 110 * HOUR_NS))
        found = by_number(metrics_of(books_of(database), NOTHING))["M4"]
        assert found.standing is Standing.MISSED
        assert "feed chain 46,800 s" in found.evidence[1]


def test_an_engine_that_died_and_nobody_has_started_again_is_missing_until_now(tmp_path: Path) -> None:
    died_ns, later_ns = START_NS + 65 * MINUTE_NS, START_NS + 24 * HOUR_NS

    def found(now_ns: int) -> PlanMetric:
        return by_number(metrics_of(books_of(database), NOTHING, now_ns=now_ns))["M4"]

    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", START_NS)
        run.spells.save(Spell(START_NS, START_NS, died_ns, is_able=True))
        assert (found(died_ns + 4 * 10**9).standing, found(died_ns + 4 * 10**9).value) == (Standing.MET, "100.00%")
        assert (found(later_ns).standing, found(later_ns).value) == (Standing.MISSED, "4.51%")
        assert "gone without a stop 82,500 s" in found(later_ns).evidence[1]
        run.spells.save(Spell(START_NS, died_ns + 1, died_ns + 2, is_able=False, reason=STOPPING))
        assert found(later_ns).standing is Standing.MET  # somebody has stopped it
    with open_database(tmp_path / "other.sqlite") as database:
        run = database.start_run("paper", START_NS)
        run.spells.save(Spell(START_NS, START_NS, died_ns, is_able=True))
        run.finish(died_ns, {})
        assert found(later_ns).standing is Standing.MET  # it was over


def test_a_live_run_counts_its_own_orders_and_others_the_benchmark(played: Path, tmp_path: Path) -> None:
    bench = {"live": {"signal_to_confirmed_seconds": {"mean": 6.5, "p50": 6.0, "p95": 9.0, "orders": 30}}}
    evidence = written(tmp_path, "bench", bench)
    with open_database(played) as database:
        record = read_run(books_of(database), START_NS)
    assert execution_time(record, evidence).standing is Standing.MISSED
    assert execution_time(None, evidence).value == "6.50 s"
    live = execution_time(replace(record, is_live=True), evidence)
    assert live.standing is Standing.MET
    assert live.figures["mean_seconds"] == pytest.approx(1.2)


WHOLE = {"passed": 7, "failed": 0, "skipped": 0}
BY_NAME = ("M1", "M8", "M11", "M12")
TESTS = {"passed": 95, "failed": 5, "skipped": 2, "failures": ["tests/x.py::test_z"], "left_out": []}


def of_tests(folder: Path, **more: Any) -> dict[str, PlanMetric]:
    return by_number(metrics_of(None, written(folder, "tests", TESTS | more)))


def test_tests_are_read_from_evidence(tmp_path: Path) -> None:
    whole, broken = {"tests/x.py::test_y": WHOLE}, {"tests/x.py::test_z": WHOLE | {"failed": 1}}
    metrics = {"M1": whole, "M8": broken, "M11": broken, "M12": {}}
    found = of_tests(tmp_path, skips={"no program": 2}, metrics=metrics)
    assert (found["M9"].standing, found["M9"].value) == (Standing.MET, "95.00%")
    assert "Skipped 2: no program" in found["M9"].evidence
    assert (found["M1"].standing, found["M1"].value) == (Standing.MET, "7 cases passed")
    assert (found["M8"].standing, found["M8"].value) == (Standing.MISSED, "1")
    assert found["M11"].standing is Standing.MISSED
    assert found["M12"].standing is Standing.UNMEASURED


@pytest.mark.parametrize("beside", [WHOLE | {"passed": 0, "skipped": 1}, WHOLE | {"skipped": 1}, WHOLE | {"passed": 0}])
def test_what_was_skipped_or_has_not_run_shows_nothing(tmp_path: Path, beside: dict[str, int]) -> None:
    cases = {"tests/x.py::test_y": WHOLE, "tests/x.py::test_z": beside}
    found = of_tests(tmp_path, metrics=dict.fromkeys(BY_NAME, cases))
    for number in ("M1", "M11", "M12"):
        assert found[number].standing is Standing.NOT_SHOWN
        assert any("tests/x.py::test_z" in line for line in found[number].evidence)
    assert found["M8"].standing is Standing.UNMEASURED


def test_a_run_of_some_tests_only_is_no_measurement(tmp_path: Path) -> None:
    metrics = {number: {"tests/x.py::test_y": WHOLE} for number in BY_NAME}
    found = of_tests(tmp_path, passed=3, failed=0, left_out=["-k"], metrics=metrics)
    assert (found["M9"].standing, found["M9"].value) == (Standing.UNMEASURED, "no value")
    assert found["M9"].evidence == ("Not all tests were run (evidence/tests.json, 2026-11-26, commit abc1234): -k.",)
    assert {found[number].standing for number in ("M1", "M11", "M12")} == {Standing.NOT_SHOWN}
    assert found["M8"].standing is Standing.UNMEASURED
    found = of_tests(tmp_path, left_out=None, metrics=metrics)  # older than this question
    assert "lacks what was left out" in found["M9"].evidence[0]


QUERIES = {
    "trades": {"p50": 5.0, "p99": 120.0},
    "cash": {"p50": 0.5, "p99": 1.0},
    "opening": {"p50": 500, "p99": 600},
}


def of_queries(**engines: Any) -> dict[str, Any]:
    return {"sizes": {"100000": {name: {"queries_ms": queries} for name, queries in engines.items()}}}


def test_the_database_is_measured_by_its_slowest_query_on_both_engines(tmp_path: Path) -> None:
    found = by_number(metrics_of(None, written(tmp_path, "bench-books", of_queries(sqlite=QUERIES))))
    assert found["M10"].standing is Standing.UNMEASURED
    both = of_queries(sqlite=QUERIES, postgresql=QUERIES)
    found = by_number(metrics_of(None, written(tmp_path, "bench-books", both)))
    assert (found["M10"].standing, found["M10"].value) == (Standing.MET, "at most 5 ms")
    assert any("trades" in line and "every hundredth" in line for line in found["M10"].evidence)


ONLY_OPENING = {"opening": {"p50": 500, "p99": 600}}


@pytest.mark.parametrize(
    ("number", "name", "figures", "lacking"),
    [
        ("M10", "bench-books", of_queries(sqlite=ONLY_OPENING, postgresql=ONLY_OPENING), "p50 and p99 of any query"),
        ("M10", "bench-books", of_queries(sqlite=QUERIES, postgresql=QUERIES | {"cash": {"p50": 1}}), "of cash"),
        ("M3", "bench", {"live": {"signal_to_confirmed_seconds": {}}}, "mean, p50, p95, orders"),
        ("M3", "bench", {"live": {"signal_to_confirmed_seconds": {"mean": 1.0, "p95": None, "orders": 9}}}, "p50, p95"),
        ("M7", "acceptance", {"ledger-sequences": {"steps": None}}, "steps, differences of ledger-sequences"),
        ("M7", "acceptance", {"crashes": {"kills": float("inf"), "lost_trades": 0}}, "kills of crashes"),
        ("M8", "acceptance", {"limits": {"violations_or_unexplained": 0}}, "signals of limits"),
        ("M9", "tests", {"passed": "many", "failed": []}, ""),
    ],
)
def test_evidence_that_lacks_a_figure_says_which_and_the_other_metrics_are_told(
    tmp_path: Path, number: str, name: str, figures: Any, lacking: str
) -> None:
    found = by_number(metrics_of(None, written(tmp_path, name, figures)))
    assert len(found) == 12
    assert found[number].standing is Standing.UNMEASURED
    assert any(f"evidence/{name}.json" in line and lacking in line for line in found[number].evidence)


def test_random_loads_and_lives_are_evidence_of_limits_and_positions(tmp_path: Path) -> None:
    acceptance = {
        "limits": {"signals": 100_000, "accepted": 4_000, "violations_or_unexplained": 0},
        "ledger-sequences": {"steps": 1_000, "differences": 2},
    }
    found = by_number(metrics_of(None, written(tmp_path, "acceptance", acceptance)))
    assert found["M8"].standing is Standing.MET
    assert "100,000 signals" in found["M8"].evidence[0]
    assert found["M7"].standing is Standing.MISSED
    assert violations(None, NOTHING).standing is Standing.UNMEASURED


def test_the_verdict_over_a_market_is_the_accuracy(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    compared = compare_updates([seen(graduate(), 1, scored=True)], settings, CompareRequest(), source="a minute")
    found = signal_accuracy(compared)
    assert (found.standing, found.value) == (Standing.NOT_SHOWN, "not shown by this data")
    for kind, standing in ((VerdictKind.ENHANCED, Standing.MET), (VerdictKind.BASE, Standing.MISSED)):
        verdict = replace(compared.comparison.verdict, kind=kind)
        told = replace(compared, comparison=replace(compared.comparison, verdict=verdict))
        assert signal_accuracy(told).standing is standing


def test_without_a_market_the_recorded_export_tells_the_accuracy(tmp_path: Path) -> None:
    scores = {"verdict": "not shown by this data", "sentence": "over 5 min too little", "compared": 496, "pools": 496}
    found = by_number(metrics_of(None, written(tmp_path, "acceptance", {"scores": scores})))["M2"]
    assert (found.standing, found.value) == (Standing.NOT_SHOWN, "not shown by this data")
    assert "496 snapshots: over 5 min too little" in found.evidence[0]
    scores["verdict"] = "a word that nobody knows"
    found = by_number(metrics_of(None, written(tmp_path, "acceptance", {"scores": scores})))["M2"]
    assert found.standing is Standing.UNMEASURED


def wish(number: int, **changes: Any) -> WishRow:
    fields = {
        "decision_id": f"d{number}", "at_ns": number, "has_signal": True, "accepted": True, "refused_by": (),
        "repeats": 0, "status": "filled", "was_proposed": False, "budget_lamports": 100, "spent_lamports": 100,
        "filled_ns": number, "most_open": 2,
    }  # fmt: skip
    return WishRow(**(fields | changes))  # type: ignore[arg-type]


def test_violations_are_recounted_from_what_was_booked() -> None:
    def held(opened: int, closed: int | None = None, buys: int = 1) -> Position:
        return Position(f"p{opened}", "m", 1, opened, buys=buys, closed_ns=closed)

    kept = [held(1, 3), held(2), held(3), held(0, buys=0)]  # one was closed when the third came; one was adopted
    assert violations_in([wish(1), wish(2), wish(3)], kept).count == 0
    assert violations_in([wish(1), wish(2), wish(3)], [held(1), held(2), held(3)]).too_many_positions == 1
    assert violations_in([wish(1, refused_by=("size",))], []).against_a_policy == 1
    assert violations_in([wish(1, spent_lamports=101)], []).over_budget == 1
    assert violations_in([wish(1), wish(2)], []).buys == 2


def big(path: Path) -> None:
    path.write_bytes(b" " * 10_000_001)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text('{"figures": 3, "commit": "", "date": ""}'),
        lambda path: path.write_text("[" * 100_000),
        big,
    ],
)
def test_evidence_that_cannot_be_read_is_an_error_and_no_value(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    spoil(tmp_path / "tests.json")
    with pytest.raises(BadInput, match=r"evidence/tests\.json is no evidence") as refused:
        metrics_of(None, Evidence(tmp_path))
    assert "make test ARGS=--evidence" in refused.value.hint


def test_the_folder_is_the_given_one_or_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        evidence_folder(tmp_path / "none")
    assert evidence_folder(tmp_path) == tmp_path
    (tmp_path / "evidence").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert evidence_folder() == tmp_path / "evidence"
