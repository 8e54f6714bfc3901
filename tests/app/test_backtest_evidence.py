"""What a stored back-test is worth: told wherever it is shown, against everything that was tried on its history."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.app.backtest import BacktestOrder, run_order
from pumpswap.app.backtest_evidence import JUDGED_BY, evidence_of
from pumpswap.app.backtest_runs import open_backtests, repeat_backtest
from pumpswap.app.tuning import TuneOrder, tune
from pumpswap.clock import ManualClock
from pumpswap.research.backtest.world import Impact
from pumpswap.settings import BacktestSettings, RiskLimits, Settings
from tests.cli.running import answer, run

CLOCK = ManualClock(1_800_000_000 * 10**9)
LUCK = """
from pumpswap.engine.strategies.random_entries import RandomEntries
from pumpswap.engine.trial import TRIAL_START_NS


class Luck(RandomEntries):
    name = "luck"

    def __init__(self, seed: int) -> None:
        until_ns = TRIAL_START_NS + 4 * 60 * 10**9
        super().__init__(seed=seed, since_ns=TRIAL_START_NS, until_ns=until_ns, entries=40, held_seconds=(5, 10))
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "luck.py").write_text(LUCK)
    risk = RiskLimits(cooldown_seconds=0)
    return Settings(data_dir=tmp_path, risk=risk, backtest=BacktestSettings(period_seconds=10, verify=False))


def luck(seed: int) -> BacktestOrder:
    naive = (Impact.NAIVE,)
    return BacktestOrder(
        "simulated:3", "luck.py:Luck", (("seed", str(seed)),), naive, minutes=4, compares_landing=False
    )


def test_a_random_strategy_shows_no_significance_in_the_report(settings: Settings) -> None:
    done = [run_order(luck(seed), settings, clock=CLOCK) for seed in (1, 2, 3)]
    again = run_order(replace(luck(3), keeps_books=False), settings, clock=CLOCK)
    # The space asks for 4 sets: of the 3 that are runs already their searches count all the same.
    order = TuneOrder(luck(0), "strategy.seed=1|4", objective="net", jobs=1, null_draws=0, network_draws=0)
    tune(order, settings, clock=CLOCK)
    with open_backtests(settings) as database:
        found = evidence_of(database, database.backtests.newest(9))
    assert sorted(found) == [1, 2, 3, 4]
    # Made twice is one try: three back-tests and two sets of the search.
    assert {one.deflated.trials for one in found.values() if one.deflated} == {5}
    assert found[4] == found[3] and again.ran[0].run_id == 4
    for one in found.values():
        assert one.verdict == "no evidence"
        assert one.deflated is not None and one.deflated.probability < min(0.95, one.deflated.undeflated)
        assert one.out_of_sample.rounds > 1
    # When it was the first, nothing else had been tried.
    first = done[0].ran[0].evidence
    assert first is not None and first.deflated is not None
    assert (first.deflated.trials, first.deflated.probability) == (1, first.deflated.undeflated)

    told = run("backtest", "report", "2", "--html", "page.html").stdout
    page = (settings.data_dir / "page.html").read_text()
    for text in ("no evidence", "best of 5 tries", "it was not compared with random entries"):
        assert text in " ".join(told.split()) and text in page
    (stored,) = answer("backtest", "report", "2")["results"]
    assert stored["evidence"]["deflated"]["trials"] == 5
    listed = answer("backtest", "list")["backtests"]
    assert {(one["verdict"], one["tries"]) for one in listed} == {("no evidence", 5)}
    assert listed[2]["deflated_sharpe"] == stored["evidence"]["deflated"]["probability"]
    assert "no evidence" in run("backtest", "list").stdout


def test_what_judges_is_no_part_of_the_bytes_that_are_repeated(settings: Settings) -> None:
    run_id = run_order(luck(1), settings, clock=CLOCK).ran[0].run_id
    with open_backtests(settings) as database:
        assert JUDGED_BY not in database.backtests.get(run_id).result
    assert repeat_backtest(settings, run_id).is_equal


def test_a_run_says_what_it_is_worth_and_an_older_one_that_it_cannot_be_said(settings: Settings) -> None:
    told = run("backtest", "run", "simulated:7", "--length", "1m", "--strategy", "momentum", "--one-landing").stdout
    assert "Worth, counterfactual: no evidence. 4 rounds in this back-test: below 30" in " ".join(told.split())
    with open_backtests(settings) as database:
        connections = database.backtests._connections
        with connections.writing("the run") as connection:
            connection.exec_driver_sql("UPDATE pumpswap_runs SET summary = '{}'")
        assert evidence_of(database, database.backtests.newest(9)) == {}
    assert "nothing was kept to judge it by" in run("backtest", "report", "1").stdout
    assert answer("backtest", "list")["backtests"][0]["verdict"] is None


def test_who_begins_without_money_is_no_evidence(settings: Settings) -> None:
    poor = settings.model_copy(update={"paper": settings.paper.model_copy(update={"start_sol": Decimal(0)})})
    (ran,) = run_order(replace(luck(1), minutes=1), poor, clock=CLOCK).ran
    assert ran.evidence is not None and ran.evidence.verdict == "no evidence"
    assert ran.evidence.out_of_sample.probability is None
