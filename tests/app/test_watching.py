"""A watcher tells everything once, in order, and follows the run that is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.app.run_order import RunOrder
from pumpswap.app.watching import Ended, Look, Watcher
from pumpswap.clock import SystemClock
from pumpswap.errors import NotFound, NotRunning
from pumpswap.model import Alert, Decision, Filled
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.app.played import played
from tests.app.test_run import Counting, ran

MARKET = RunOrder("simulated:3", is_fast=True, seconds=3_600)
CLOCK = SystemClock()


def watcher(database: object, folder: Path, run_id: int | None = None) -> Watcher:
    return Watcher(database, Settings(data_dir=folder), CLOCK, run_id)  # type: ignore[arg-type]


def told(look: Look) -> list[str]:
    """Numbers of what is new."""
    names = []
    for news in look.news:
        match news.what:
            case Decision():
                names.append(news.what.decision_id)
            case Ended():
                names.append(f"{news.what.order.order_id} {type(news.what.outcome).__name__}")
            case Alert():
                names.append(f"alert {news.what.number}")
    return names


def test_between_two_looks_everything_is_told_once(tmp_path: Path) -> None:
    played(tmp_path, MARKET, 400)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        watching = watcher(database, tmp_path)
        first = watching.look()
        before = {decision.decision_id for decision in database.run(1).decisions()}
        alerts_before = {alert.number for alert in database.alerts.all()}
        assert told(watching.look()) == []
        ran(tmp_path, MARKET, Counting(900))
        second = watching.look()
        run = database.run(1)
        fresh = {decision.decision_id for decision in run.decisions()} - before
        alerts = {f"alert {alert.number}" for alert in database.alerts.all() if alert.number not in alerts_before}
        seen = told(second)
        assert len(seen) == len(set(seen))
        assert fresh
        assert {name for name in seen if name.startswith("d")} == fresh
        assert {name for name in seen if name.startswith("alert")} == alerts
        fills = {trade.order_id for trade in run.trades()}
        both = {name.split()[0] for name in (*told(first), *seen) if name.endswith("Filled")}
        assert both == fills
        assert [news.at_ns for news in second.news] == sorted(news.at_ns for news in second.news)
        assert second.left_out == 0
        assert told(watching.look()) == []


def test_what_is_shown_is_what_the_books_say(tmp_path: Path) -> None:
    played(tmp_path, MARKET, 700)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        look, run = watcher(database, tmp_path).look(), database.run(1)
        point = run.equity.latest()
        assert point is not None
        assert look.overview.money.equity_lamports == point.equity_lamports
        assert [each.position.pool for each in look.held.rows.items] == [
            position.pool for position in reversed(list(run.open_positions()))
        ]
        ended = [news.what for news in look.news if isinstance(news.what, Ended)]
        assert ended
        assert all(one.position is not None for one in ended if isinstance(one.outcome, Filled))


def test_the_name_of_a_stranger_is_harmless(tmp_path: Path) -> None:
    played(tmp_path, MARKET, 400)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        watching, run = watcher(database, tmp_path), database.run(1)
        watching.look()
        old = next(decision for decision in run.decisions() if decision.intent.signal is not None)
        assert old.intent.signal is not None
        signal = replace(old.intent.signal, name="\x1b[2J<script>\u202e")
        intent = replace(old.intent, signal=signal, pool="6ayAyjERvBN67nshdCk2bWDvdhRj6GmuL4KzAygzwoeE")
        run.save_decision(replace(old, decision_id="d999999", intent=intent))
        look = watching.look()
        assert told(look) == ["d999999"]
        assert look.names[intent.pool] == "\\u001b[2J<script>\\u202e"


def test_another_run_that_begins_is_followed_and_said(tmp_path: Path) -> None:
    played(tmp_path, MARKET, 200)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        following, staying = watcher(database, tmp_path), watcher(database, tmp_path, 1)
        assert not following.look().is_new_run
        staying.look()
        ran(tmp_path, replace(MARKET, market="simulated:4"), Counting(200))
        look = following.look()
        assert (look.is_new_run, look.overview.run.run_id) == (True, 2)
        assert not following.look().is_new_run
        assert staying.look().overview.run.run_id == 1


def test_without_books_there_is_nothing_to_watch(tmp_path: Path) -> None:
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        with pytest.raises(NotRunning, match="no books"):
            watcher(database, tmp_path).look()
        with pytest.raises(NotFound):
            watcher(database, tmp_path, 7).look()


def test_more_than_fits_a_look_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpswap.app.watching._FEW", 2)
    monkeypatch.setattr("pumpswap.app.watching._MOST", 3)
    played(tmp_path, MARKET, 200)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        watching = watcher(database, tmp_path)
        watching.look()
        before = len(list(database.run(1).decisions()))
        ran(tmp_path, MARKET, Counting(700))
        look = watching.look()
        decisions = [news for news in look.news if isinstance(news.what, Decision)]
        assert len(decisions) == 3
        assert look.left_out == len(list(database.run(1).decisions())) - before - 3
