"""The rules beside a running engine: what is stored, over restarts and days, and that all of it is in the table."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pumpswap.alerts.daily import day_bounds
from pumpswap.alerts.rules.rule import RuleContext
from pumpswap.alerts.topics import TOPICS
from pumpswap.app.alerting import alert_rules
from pumpswap.app.companion import RunPlace
from pumpswap.app.daily_summary import DailySummaries, day_summary
from pumpswap.app.performance import performance_of_run
from pumpswap.app.run_order import RunOrder
from pumpswap.clock import ManualClock
from pumpswap.engine.feed import Feed
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.errors import StorageError
from pumpswap.model import (
    SOL,
    Alert,
    AlertLevel,
    Decision,
    EntryKind,
    EquityPoint,
    Intent,
    LedgerEntry,
    MarketUpdate,
    TradeSide,
    Verdict,
)
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run
from tests.alerts.rules.heard import Heard
from tests.app.played import played
from tests.app.test_run import Counting, ran
from tests.engine.supervised import locked, opened
from tests.support.market import SOL as LAMPORTS
from tests.support.market import START_NS, at
from tests.support.market import engine as market_engine

SIMULATED = RunOrder("simulated:9", is_fast=True, seconds=1_800)
DAY = date(2026, 11, 2)
UTC = ZoneInfo("UTC")


class Looked(Exception):
    """The helper has looked once."""


class NoSink:
    """Of a helper that brings no news, and need not look twice."""

    async def put(self, update: MarketUpdate, place: object = None) -> None:
        raise AssertionError("it brings none")

    async def turn(self, make: object, place: object = None) -> bool:
        raise AssertionError("it brings none")

    def alive(self) -> None:
        raise Looked


def stored(folder: Path) -> tuple[Run, list[Alert]]:
    with open_database(folder / "pumpswap.sqlite") as database:
        run = database.run(1)
        return run, list(database.alerts.all())


def test_a_run_tells_of_its_start_its_trades_its_triggers_and_its_end(tmp_path: Path) -> None:
    result = ran(tmp_path, SIMULATED)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        run, alerts = database.run(1), list(database.alerts.all())
        trades = list(run.history.trades())
        sales = [run.decided.get(one.order.decision_id) for one in trades if one.order.side is TradeSide.SELL]
        positions = sum(1 for _ in run.open_positions())
        topics = [alert.topic for alert in alerts]
        assert set(topics) <= TOPICS.keys()
        assert topics[0] == "start"
        assert [alert.text for alert in alerts][-2:][0] == "the market is over"
        assert (alerts[-1].topic, alerts[-1].level) == ("stop", AlertLevel.WARNING)
        assert f"{positions} positions worth" in alerts[-1].text
        # Each trade is told once, in its order, with its number.
        told = [alert.text for alert in alerts if alert.topic in ("entry", "exit")]
        assert [text.rpartition("[")[2].rstrip("]") for text in told] == [one.order.order_id for one in trades]
        assert topics.count("exit") == len(sales)
        # Each sale that a rule has wanted was told as that rule.
        kinds = [one.decision.intent.exit.value for one in sales if one and one.decision.intent.exit]
        for kind in ("stop-loss", "take-profit", "trailing stop", "time-out"):
            assert topics.count(kind) >= kinds.count(kind)
        assert "stop-loss" in topics
    assert result.open_positions == positions


def test_with_every_limit_within_reach_the_rules_tell_and_none_breaks(tmp_path: Path) -> None:
    near = {"large_move_bps": 100, "milestone_bps": 1, "drawdown_bps": 1, "daily_loss_bps": 1, "refused_burst": 2}
    limits = {"max_drawdown_fraction": "0.001", "max_daily_loss_fraction": "0.0004"}
    ran(tmp_path, SIMULATED, alert_rules=near | {"wallet_low_sol": "50"}, risk=limits)
    alerts = stored(tmp_path)[1]
    assert [alert.text for alert in alerts if alert.subject.startswith("alert rule")] == []
    told = {alert.topic for alert in alerts}
    assert told >= {"entry", "exit", "large move", "drawdown", "daily loss", "refused burst", "wallet low"}
    locks = [alert for alert in alerts if alert.subject == "lock"]
    assert {alert.topic for alert in locks} == {"drawdown", "daily loss"}
    assert {alert.level for alert in locks} == {AlertLevel.CRITICAL}


def test_the_results_of_exits_add_up_to_what_the_ledger_has_realised(tmp_path: Path) -> None:
    played(tmp_path, SIMULATED)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        realised = sum(position.realised_lamports for position in database.run(1).positions())
        texts = [alert.text for alert in database.alerts.all() if alert.topic == "exit"]
    results = [text.split("result ")[1].split(" SOL")[0].replace("−", "-") for text in texts]
    assert sum(round(float(one) * 1e9) for one in results) == realised


def test_a_restart_says_that_it_goes_on_and_repeats_no_step(tmp_path: Path) -> None:
    rules = {"drawdown_bps": 20, "milestone_bps": 0}
    ran(tmp_path, SIMULATED, Counting(2_000), alert_rules=rules)
    before = stored(tmp_path)[1]
    ran(tmp_path, SIMULATED, alert_rules=rules)
    after = stored(tmp_path)[1][len(before) :]
    assert [one.topic for one in after if one.topic == "start"] == ["start"]
    assert "goes on" in next(one.text for one in after if one.topic == "start")
    told = [one.text.split(";")[0] for one in [*before, *after] if one.topic == "drawdown"]
    assert told
    assert len(set(told)) == len(told)


def test_an_alert_and_what_keeps_it_from_being_told_again_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        outbox = Outbox(run, StoreRecorder(run))
        engine = market_engine(observers=[outbox])
        place = RunPlace(Settings(), database, run, engine, ManualClock(START_NS), outbox.also)
        (rules,) = alert_rules(place).observers
        engine.listen(rules)
        engine.clock.advance_to(START_NS)
        engine.deposit(10 * LAMPORTS)
        outbox.flush()
        engine.risk.measured(100 * LAMPORTS, START_NS + 1)  # the highest equity; what is measured next is far below
        engine.mark_all()
        with locked(tmp_path), pytest.raises(StorageError):
            outbox.flush()
        assert (database.alerts.all(), run.states.load("alerts/drawdown")) == ((), None)
        outbox.flush()  # a process that dies in between has told nothing, and tells it after the restart
        told = [(alert.level, alert.topic) for alert in database.alerts.all() if alert.topic == "drawdown"]
        assert told == [(AlertLevel.CRITICAL, "drawdown")]
        assert run.states.load("alerts/drawdown") == {"told_bps": "9000", "epoch": "0"}


def test_a_milestone_counts_from_what_the_ledger_says_was_put_in(tmp_path: Path) -> None:
    async def look(helpers: Sequence[Feed]) -> None:
        (milestones,) = (one for one in helpers if one.name == "milestones")
        with contextlib.suppress(Looked):
            await milestones.run(NoSink())

    with opened(tmp_path) as database:
        run = database.start_run("paper", START_NS)
        outbox = Outbox(run, StoreRecorder(run))
        engine = market_engine(observers=[outbox])
        place = RunPlace(Settings(), database, run, engine, ManualClock(START_NS), outbox.also)
        helpers = alert_rules(place).helpers
        engine.clock.advance_to(START_NS)
        engine.deposit(10 * LAMPORTS)
        outbox.flush()
        asyncio.run(look(helpers))
        outbox.flush()
        assert database.alerts.all() == ()
        engine.portfolio.ledger.post([(SOL, 5 * LAMPORTS, EntryKind.TRADE_QUOTE)], START_NS)  # earned, not put in
        asyncio.run(look(helpers))
        outbox.flush()
        (alert,) = database.alerts.all()
        assert (alert.topic, alert.text.partition(" that were")[0]) == (
            "milestone",
            "equity is 15 SOL, 50 % above the 10 SOL",
        )
        assert run.states.load("alerts/milestone") == {"told_bps": "5000", "epoch": "0"}


def test_the_summary_of_a_day_says_what_is_stored(tmp_path: Path) -> None:
    played(tmp_path, SIMULATED)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        run = database.run(1)
        summary = day_summary(database, run, DAY, day_bounds(DAY, UTC))
        trades = run.listings.trades(0, 2**62)
        points = list(run.equity.points())
        totals = run.books.totals()
        alerts = database.alerts.all()
        decisions = list(run.decisions())
        repeats = run.decided.repeated()
    assert (summary.buys + summary.sales, summary.positions) == (len(trades), 3)
    assert summary.result_lamports == points[-1].equity_lamports - points[0].equity_lamports
    assert summary.put_in_lamports == 0  # what a run begins with is no gain of its day
    assert summary.costs == {
        kind: -units
        for (asset, kind), units in totals.items()
        if asset == SOL and kind.value.endswith(("_fee", "tip", "cashback")) and units
    }
    assert summary.accepted == sum(one.accepted for one in decisions)
    assert summary.refused == sum(not one.accepted for one in decisions) + repeats
    assert sum(summary.alerts.values()) == len(alerts)


def test_a_summary_is_told_once_a_day_over_restarts_and_missed_days_are_not_made_up(tmp_path: Path) -> None:
    async def day_by_day() -> None:
        heard, clock = Heard(), ManualClock(START_NS)
        with open_database(tmp_path / "x.sqlite") as database:
            run = database.start_run("paper", START_NS)

            def made(context: RuleContext) -> DailySummaries:
                return DailySummaries(context, database, run, Settings(), clock)

            daily = made(heard.context)
            for hours, alerts in ((0, 0), (12, 0), (24, 0), (24.1, 1), (30, 1), (48.05, 1), (48.1, 2)):
                clock.advance_to(at(hours * 3_600))
                await daily.look()
                assert len(heard.alerts) == alerts, hours
            daily = made(heard.context)
            await daily.look()
            assert len(heard.alerts) == 2
            clock.advance_to(at(10 * 86_400 + 3_600))
            await daily.look()
            assert [text[:10] for *_, text in heard.alerts] == ["2026-11-02", "2026-11-03", "2026-11-11"]

    asyncio.run(day_by_day())


def test_money_that_is_put_in_during_the_day_is_no_result(tmp_path: Path) -> None:
    with open_database(tmp_path / "x.sqlite") as database:
        run = database.start_run("paper", START_NS)
        refused = Decision(
            "d1", Intent(TradeSide.BUY, "pool", "mint", at(10), ""), False, (Verdict("size", False, "no"),)
        )
        run.save_decision(refused)
        run.decided.repeat("d1", 4, at(20))
        post(run, 1, 10, EntryKind.DEPOSIT, 0)
        measure(run, 10, 1)
        post(run, 2, 5, EntryKind.DEPOSIT, 100)
        post(run, 3, -2, EntryKind.WITHDRAWAL, 200)
        measure(run, 12, 300)
        measure(run, 100, 90_000)
        summary = day_summary(database, run, DAY, day_bounds(DAY, UTC))
    assert (summary.put_in_lamports, summary.result_lamports) == (3, -1)
    assert (summary.accepted, summary.refused, summary.refused_by) == (0, 5, {"size": 5})
    assert summary.able is None


def test_the_summary_and_the_report_of_a_day_say_the_same_of_a_night_in_which_nothing_ran(tmp_path: Path) -> None:
    """10 SOL in the evening, 8 in the morning: the two that are gone are of the day in which that was seen."""
    with open_database(tmp_path / "x.sqlite") as database:
        run = database.start_run("paper", at(-80_000))
        post(run, 1, 10, EntryKind.DEPOSIT, -80_000)
        measure(run, 10, -7_200)
        post(run, 2, 5, EntryKind.DEPOSIT, -60)
        measure(run, 13, 8 * 3_600)
        summary = day_summary(database, run, DAY, day_bounds(DAY, UTC))
        report = performance_of_run(run, *day_bounds(DAY, UTC))
        before = day_summary(database, run, DAY - timedelta(1), day_bounds(DAY - timedelta(1), UTC))
        later = day_summary(database, run, DAY + timedelta(1), day_bounds(DAY + timedelta(1), UTC))
    assert (summary.result_lamports, summary.put_in_lamports) == (-2, 5)
    assert report.money.equity_change_lamports == -2
    assert (before.result_lamports, later.result_lamports) == (0, None)


def test_a_day_counts_what_was_decided_and_told_in_it_however_much_came_later(tmp_path: Path) -> None:
    bounds = day_bounds(DAY, UTC)
    with open_database(tmp_path / "x.sqlite") as database:
        run = database.start_run("paper", START_NS)
        for number, (seconds, accepted) in enumerate(
            ((-1, True), (0, True), (5, False), (86_399, True), (86_400, False))
        ):
            intent = Intent(TradeSide.BUY, "pool", "mint", at(seconds), "")
            run.save_decision(Decision(f"d{number}", intent, accepted, (Verdict("size", accepted, "so"),)))
            database.alerts.add(Alert(at(seconds), AlertLevel.ERROR, "order", "", "so"), run.run_id)
        summary = day_summary(database, run, DAY, bounds)
    assert (summary.accepted, summary.refused, summary.refused_by) == (2, 1, {"size": 1})
    assert summary.alerts == {AlertLevel.ERROR: 3}


def post(run: Run, sequence: int, lamports: int, kind: EntryKind, seconds: float) -> None:
    run.append_entries([LedgerEntry(sequence, at(seconds), SOL, lamports, kind)])


def measure(run: Run, lamports: int, seconds: float) -> None:
    run.equity.add(EquityPoint(at(seconds), lamports, 0, 0))
