"""Actions: confirmed, of our own pages or of a program with its word, obeyed by the engine, and on record."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from pumpswap.clock import SystemClock
from pumpswap.model import CommandVerb, Heartbeat, TradingState
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.support.market import START_NS
from tests.support.paper_life import paper_life
from tests.web.serving import csrf_of, lived, served, trade


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(data_dir=tmp_path_factory.mktemp("books"))
    lived(made)
    return made


def form(client: TestClient, name: str, **changes: str) -> dict[str, str]:
    return {"csrf": csrf_of(client)["X-CSRF-Token"], "confirm": name, "back": "/positions"} | changes


@pytest.mark.parametrize("name", ["exits-only", "pause", "resume", "close-all", "ack-alert"])
def test_without_its_word_no_form_does_anything(settings: Settings, name: str) -> None:
    with served(settings) as client:
        for fields in ({}, {"csrf": ""}, {"csrf": "guess"}):
            given = {"confirm": name, "number": "1"} | fields
            assert client.post(f"/actions/{name}", data=given).status_code == 400
            assert client.post(f"/api/v1/actions/{name}", json={"confirm": name, "number": 1}).status_code == 403
    with open_database(settings.database_target) as database:
        (run,) = (database.run(header.run_id) for header in database.runs())
        assert run.commands.all() == ()
        assert [alert.acknowledged_ns for alert in database.alerts.all()] == [None]


def test_what_was_not_confirmed_is_not_done(settings: Settings) -> None:
    with served(settings) as client:
        for confirm in ("", "pause", "EXITS-ONLY"):
            told = client.post("/actions/exits-only", data=form(client, confirm), follow_redirects=False)
            assert "not+confirmed" in told.headers["location"]
            answer = client.post("/api/v1/actions/exits-only", json={"confirm": confirm}, headers=csrf_of(client))
            assert (answer.status_code, answer.json()["code"]) == (400, "usage_error")


def test_a_form_of_another_kind_and_a_body_of_another_shape_are_refused(settings: Settings) -> None:
    with served(settings) as client:
        word = csrf_of(client)
        assert client.post("/actions/pause", json={"confirm": "pause"}).status_code == 400
        assert (
            client.post(
                "/actions/pause", content="a=b&" * 100, headers={"Content-Type": "application/x-www-form-urlencoded"}
            ).status_code
            == 400
        )
        assert (
            client.post("/api/v1/actions/pause", json={"confirm": "pause", "more": 1}, headers=word).status_code == 422
        )
        assert client.post("/api/v1/actions/pause", content=b"\xff", headers=word).status_code == 422
        assert client.post("/api/v1/actions/halt", json={"confirm": "halt"}, headers=word).status_code == 404


def test_without_an_engine_the_word_is_stored_with_who_said_it(settings: Settings) -> None:
    with served(settings) as client:
        answer = client.post("/actions/exits-only", data=form(client, "exits-only"), follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/positions?told=")
        page = client.get(answer.headers["location"]).text
        assert "next start honours it" in page
    with open_database(settings.database_target) as database:
        run = database.open_paper()
        assert run is not None
        (command,) = run.commands.all()
        assert run.states.switch().trading is TradingState.EXITS_ONLY
    assert command.verb is CommandVerb.EXITS_ONLY
    assert command.origin.startswith("dashboard testclient, ") and "process" in command.origin


def test_selling_everything_needs_an_engine(settings: Settings) -> None:
    with served(settings) as client:
        answer = client.post("/api/v1/actions/close-all", json={"confirm": "close-all"}, headers=csrf_of(client))
    assert (answer.status_code, answer.json()["code"], answer.json()["exit_code"]) == (409, "not_running", 6)
    assert answer.json()["hint"]


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """An engine that beats, and answers commands, in a thread of its own."""
    ended, begun = threading.Event(), threading.Event()

    def live() -> None:
        with paper_life(settings.database_target, settings) as life:
            trade(life)
            while not ended.is_set():
                now = SystemClock().now_ns()
                life.run.states.beat(Heartbeat(now, START_NS, 4711, "paper"))
                life.poll()
                begun.set()
                ended.wait(0.02)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        ended.set()
        thread.join(60)


def test_a_running_engine_answers_and_is_seen_to_obey(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("running"))
    with running(settings), served(settings, clock=SystemClock()) as client:
        word = csrf_of(client)
        for name, state in (("exits-only", "exits-only"), ("resume", "active"), ("pause", "exits-only")):
            done = client.post(f"/api/v1/actions/{name}", json={"confirm": name}, headers=word).json()
            assert (done["schema"], done["is_done"], done["state"]) == ("pumpswap.action", True, state)
            assert client.get("/api/v1/overview").json()["trading"]["state"] == state
        done = client.post("/api/v1/actions/close-all", json={"confirm": "close-all"}, headers=word).json()
        assert done["is_done"] and done["state"] == "exits-only", done
        commands = client.get("/api/v1/health").json()["commands"]
    assert [one["verb"] for one in commands] == ["panic", "pause", "resume", "exits-only"]
    assert all(one["origin"].startswith("dashboard ") and one["answer"] for one in commands)


def test_an_alert_is_acknowledged_once_by_whom(settings: Settings) -> None:
    with served(settings) as client:
        word = csrf_of(client)
        (alert,) = client.get("/api/v1/alerts?unseen=true").json()["rows"]["items"]
        asked = {"confirm": "ack-alert", "number": alert["number"]}
        assert client.post("/api/v1/actions/ack-alert", json=asked, headers=word).json()["is_done"]
        assert client.get("/api/v1/alerts?unseen=true").json()["rows"]["items"] == []
        (seen,) = client.get("/api/v1/alerts").json()["rows"]["items"]
        assert seen["acknowledged_by"].startswith("dashboard testclient, ")
        told = client.post("/actions/ack-alert", data=form(client, "ack-alert", number="99"), follow_redirects=False)
        assert "there+is+no+alert+99" in told.headers["location"]
        for number in ("", "x", "-1", "9" * 30, "１"):
            told = client.post(
                "/actions/ack-alert", data=form(client, "ack-alert", number=number), follow_redirects=False
            )
            assert "no+alert+was+named" in told.headers["location"]


def test_nobody_makes_the_dashboard_say_something_by_a_link(settings: Settings) -> None:
    with served(settings) as client:
        for query in ("told=Call+0800+now", "told=Call+0800+now&well=1", f"told=Call+0800+now&well=1&seal={'a' * 64}"):
            assert "0800" not in client.get(f"/positions?{query}").text
