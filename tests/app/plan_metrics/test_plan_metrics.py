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
from pumpswap.app.signal_compare import CompareRequest, compare_updates
from pumpswap.errors import BadInput, NotFound
from pumpswap.model import Position, Spell
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.wishes import WishRow
from tests.app.test_drift import simulated
from tests.support.market import START_NS, graduate, seen

HOUR_NS = 3_600 * 10**9
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


def by_number(found: list[PlanMetric]) -> dict[str, PlanMetric]:
    return {one.number: one for one in found}


def test_without_books_and_evidence_every_metric_says_what_is_missing() -> None:
    found = plan_metrics(None, NOTHING)
    assert [one.number for one in found] == [f"M{number}" for number in range(1, 13)]
    assert {one.standing for one in found} == {Standing.UNMEASURED}
    assert all(one.evidence and one.name and one.target for one in found)


def test_a_run_shows_what_it_did(played: Path) -> None:
    with open_database(played) as database:
        found = by_number(plan_metrics(books_of(database), NOTHING))
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


def test_one_heartbeat_shows_no_uptime_and_a_replay_measures_none(
    tmp_path: Path,
) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("simulated", START_NS)
        assert by_number(plan_metrics(books_of(database), NOTHING))["M4"].standing is Standing.UNMEASURED
        run.spells.save(Spell(START_NS, START_NS, START_NS, is_able=True))
        found = by_number(plan_metrics(books_of(database), NOTHING))["M4"]
        assert (found.standing, found.value) == (Standing.NOT_SHOWN, "no value")


def test_uptime_is_met_by_hours_and_missed_with_its_reasons(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", START_NS)
        run.spells.save(Spell(START_NS, START_NS, START_NS + 97 * HOUR_NS, is_able=True))
        unable = Spell(START_NS, START_NS + 97 * HOUR_NS, START_NS + 100 * HOUR_NS, is_able=False, reason="feed chain")
        run.spells.save(unable)
        found = by_number(plan_metrics(books_of(database), NOTHING))["M4"]
        assert (found.standing, found.value) == (Standing.MET, "97.00%")
        run.spells.save(replace(unable, ended_ns=START_NS + 110 * HOUR_NS))
        found = by_number(plan_metrics(books_of(database), NOTHING))["M4"]
        assert found.standing is Standing.MISSED
        assert "feed chain 46,800 s" in found.evidence[1]


def test_a_live_run_counts_its_own_orders_and_others_the_benchmark(played: Path, tmp_path: Path) -> None:
    bench = {"live": {"signal_to_confirmed_seconds": {"mean": 6.5, "p50": 6.0, "p95": 9.0, "orders": 30}}}
    evidence = written(tmp_path, "bench", bench)
    with open_database(played) as database:
        record = read_run(books_of(database))
    assert execution_time(record, evidence).standing is Standing.MISSED
    assert execution_time(None, evidence).value == "6.50 s"
    live = execution_time(replace(record, is_live=True), evidence)
    assert live.standing is Standing.MET
    assert live.figures["mean_seconds"] == pytest.approx(1.2)


def test_tests_and_benchmarks_are_read_from_evidence(tmp_path: Path) -> None:
    cases = {"tests/x.py::test_y": {"passed": 7, "failed": 0, "skipped": 1}}
    broken = {"tests/x.py::test_z": {"passed": 7, "failed": 1, "skipped": 0}}
    tests = {"passed": 95, "failed": 5, "skipped": 2, "failures": ["tests/x.py::test_z"], "skips": {"no program": 2}}
    written(tmp_path, "tests", {**tests, "metrics": {"M1": cases, "M8": broken, "M11": broken, "M12": {}}})
    queries = {
        "trades": {"p50": 5.0, "p99": 120.0},
        "cash": {"p50": 0.5, "p99": 1.0},
        "opening": {"p50": 500, "p99": 600},
    }
    one_engine = {"sizes": {"100000": {"sqlite": {"queries_ms": queries}}}}
    found = by_number(plan_metrics(None, written(tmp_path, "bench-books", one_engine)))
    assert found["M10"].standing is Standing.UNMEASURED
    both = {"sizes": {"100000": {"sqlite": {"queries_ms": queries}, "postgresql": {"queries_ms": queries}}}}
    found = by_number(plan_metrics(None, written(tmp_path, "bench-books", both)))
    assert (found["M10"].standing, found["M10"].value) == (Standing.MET, "at most 5 ms")
    assert any("trades" in line and "every hundredth" in line for line in found["M10"].evidence)
    assert (found["M9"].standing, found["M9"].value) == (Standing.MET, "95.00%")
    assert "Skipped 2: no program" in found["M9"].evidence
    assert (found["M1"].standing, found["M1"].value) == (Standing.MET, "7 cases passed, 1 skipped")
    assert (found["M8"].standing, found["M8"].value) == (Standing.MISSED, "1")
    assert found["M11"].standing is Standing.MISSED
    assert found["M12"].standing is Standing.UNMEASURED


def test_random_loads_and_lives_are_evidence_of_limits_and_positions(tmp_path: Path) -> None:
    acceptance = {
        "limits": {"signals": 100_000, "accepted": 4_000, "violations_or_unexplained": 0},
        "ledger-sequences": {"steps": 1_000, "differences": 2},
    }
    found = by_number(plan_metrics(None, written(tmp_path, "acceptance", acceptance)))
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
    found = by_number(plan_metrics(None, written(tmp_path, "acceptance", {"scores": scores})))["M2"]
    assert (found.standing, found.value) == (Standing.NOT_SHOWN, "not shown by this data")
    assert "496 snapshots: over 5 min too little" in found.evidence[0]
    scores["verdict"] = "a word that nobody knows"
    found = by_number(plan_metrics(None, written(tmp_path, "acceptance", {"scores": scores})))["M2"]
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
        plan_metrics(None, Evidence(tmp_path))
    assert "make test ARGS=--evidence" in refused.value.hint


def test_the_folder_is_the_given_one_or_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        evidence_folder(tmp_path / "none")
    assert evidence_folder(tmp_path) == tmp_path
    (tmp_path / "evidence").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert evidence_folder() == tmp_path / "evidence"
