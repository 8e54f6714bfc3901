"""Actions: confirmed, of our own pages or of a program with its word, obeyed by the engine, and on record."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from pumpswap.chain.networks import MAINNET_GENESIS
from pumpswap.clock import ManualClock, SystemClock
from pumpswap.model import Alert, AlertLevel, CommandVerb, Heartbeat, ProposalStatus, TradingState
from pumpswap.settings import Settings
from pumpswap.storage import open_database
from tests.support.market import START_NS, at, graduate, seen
from tests.support.paper_life import PaperLife
from tests.web.serving import NASTY, csrf_of, lived, running, served


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(data_dir=tmp_path_factory.mktemp("books"))
    lived(made)
    return made


def form(client: TestClient, name: str, **changes: str) -> dict[str, str]:
    return {"csrf": csrf_of(client)["X-CSRF-Token"], "confirm": name, "back": "/positions", "run": "1"} | changes


@pytest.mark.parametrize(
    "name", ["exits-only", "pause", "resume", "close-all", "approve", "decline", "ack-alert", "ack-all"]
)
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


def test_selling_everything_needs_an_engine_and_no_page_says_that_it_waits_for_one(settings: Settings) -> None:
    with served(settings) as client:
        page = client.get("/ask/close-all").text
        assert "Nobody can sell now" in page and "pumpswap run" in page and "next start honours it" not in page
        assert 'action="/actions/close-all"' in page and 'type="submit"' not in page.partition("<main")[2]
        assert "next start honours it" in client.get("/ask/exits-only").text
        told = client.post("/actions/close-all", data=form(client, "close-all"), follow_redirects=False)
        assert "no+engine+keeps+run+1" in told.headers["location"]
        answer = client.post("/api/v1/actions/close-all", json={"confirm": "close-all"}, headers=csrf_of(client))
    assert (answer.status_code, answer.json()["code"], answer.json()["exit_code"]) == (409, "not_running", 6)
    assert answer.json()["hint"]


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


def test_all_that_was_shown_is_acknowledged_and_nothing_that_came_since(settings: Settings) -> None:
    with served(settings) as client:
        page = client.get("/alerts").text
        found = re.search(r'action="/actions/ack-all".*?name="number" value="([0-9]+)"', page, re.S)
        assert found is not None
        with open_database(settings.database_target) as database:
            database.alerts.add(Alert(at(60), AlertLevel.WARNING, "order", "", "it came meanwhile"))
        asked = form(client, "ack-all", number=found[1], back="/alerts")
        told = client.post("/actions/ack-all", data=asked, follow_redirects=False)
        assert "1+alert+acknowledged" in told.headers["location"]
        (left,) = client.get("/api/v1/alerts?unseen=true").json()["rows"]["items"]
        assert left["text"] == "it came meanwhile"
        asked = {"confirm": "ack-all", "number": left["number"]}
        assert client.post("/api/v1/actions/ack-all", json=asked, headers=csrf_of(client)).json()["is_done"]
        assert client.get("/api/v1/alerts?unseen=true").json()["rows"]["items"] == []
        assert "ack-all" not in client.get("/alerts").text


# ---------------------------------------------------------------------------------------------- two engines


def live_run(settings: Settings, beat_ns: int) -> int:
    """A live run whose engine beats in this moment, and is never behind."""
    with open_database(settings.database_target) as database:
        run = database.start_run("live", START_NS, wallet="wallet", network=MAINNET_GENESIS)
        run.states.beat(Heartbeat(beat_ns, START_NS, 4712, "auto"))
        database.alerts.add(Alert(beat_ns, AlertLevel.CRITICAL, "order", "", "real money"), run.run_id)
        return run.run_id


@pytest.mark.parametrize("paper_beat", [99.0, 101.0])
def test_whichever_engine_beat_last_the_live_run_is_shown_until_another_is_chosen(
    tmp_path_factory: pytest.TempPathFactory, paper_beat: float
) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("two"))
    lived(settings, life_goes_on=True)
    live = live_run(settings, at(100))
    with open_database(settings.database_target) as database:
        database.run(1).states.beat(Heartbeat(at(paper_beat), START_NS, 4711, "paper"))
    with served(settings, clock=ManualClock(at(102))) as client:
        assert client.get("/api/v1/overview").json()["run"]["run_id"] == live
        first, chosen = client.get("/positions").text, client.get("/positions?run=1").text
        assert run_fields(first) == {str(live)} and run_fields(chosen) == {"1"}
        assert "real money" in first and "play money" in chosen
        assert "run 1 (paper) goes on as it is" in first and f"run {live} (live) goes on as it is" in chosen
        for page in (first, chosen):
            assert f'href="/positions?run={live}"' in page and 'href="/positions?run=1"' in page
            assert '<span class="badge alarm">2</span>' in page  # an alert of each
        assert 'href="/orders"' in first and 'href="/orders?run=1"' in chosen and 'href="/orders"' not in chosen
        assert 'href="/positions?closed=1&amp;run=1"' in chosen and 'href="/static/app.css"' in chosen
        assert '<input type="hidden" name="run" value="1">' in client.get("/decisions?run=1").text
        for wrong in ("0", "x", "-1", "9" * 30, "\u0661", "99"):
            assert client.get("/positions", params={"run": wrong}).status_code in (400, 404)


def run_fields(page: str) -> set[str]:
    """What the forms of a page say which run they are about."""
    return set(re.findall(r'name="run" value="([0-9]+)"', page))


def test_a_command_is_for_the_run_that_was_shown_and_nobody_guesses_which(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("two"))
    with running(settings), served(settings, clock=SystemClock()) as client:
        live = live_run(settings, SystemClock().now_ns() + 10**12)
        word = csrf_of(client)
        refused = client.post("/api/v1/actions/close-all", json={"confirm": "close-all"}, headers=word)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert f"run {live} (live)" in refused.json()["what"] and "run 1 (paper)" in refused.json()["what"]
        fields = form(client, "exits-only", back="/positions?run=1")
        told = client.post("/actions/exits-only", data={**fields, "run": ""}, follow_redirects=False)
        assert "which+run" in told.headers["location"]
        assert client.post("/actions/exits-only", data=fields).status_code == 200
        done = client.post("/api/v1/actions/pause", json={"confirm": "pause", "run": 1}, headers=word).json()
        assert done["is_done"]
    with open_database(settings.database_target) as database:
        assert database.run(live).commands.all() == ()
        assert database.run(live).states.switch().trading is TradingState.ACTIVE
        assert [one.verb.value for one in database.run(1).commands.all()] == ["exits-only", "pause"]


def test_nothing_is_done_about_a_run_that_is_over(settings: Settings) -> None:
    with open_database(settings.database_target) as database:
        database.run(1).finish(at(90), {})
    with served(settings) as client:
        page = client.get("/").text
        assert "this run is over" in page and "/ask/" not in page and "/actions/" not in page
        assert client.get("/ask/close-all").status_code == 404
        told = client.post("/actions/exits-only", data=form(client, "exits-only"), follow_redirects=False)
        assert "run+1+is+over" in told.headers["location"]
        told_api = client.post("/api/v1/actions/exits-only", json={"confirm": "exits-only"}, headers=csrf_of(client))
        assert told_api.status_code == 409


# ---------------------------------------------------------------------------------------------- proposals


def two_wishes(life: PaperLife) -> None:
    """Two purchases that wait for a person."""
    life.step(seen(graduate(), 0, scored=True, name=NASTY), seen(graduate(2), 1, scored=True, name="TWO"))


def test_what_waits_is_answered_here_once_and_with_who_has_answered(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("approve"))
    clock = ManualClock(at(3))
    with running(settings, clock, mode="approve", begin=two_wishes), served(settings, clock=clock) as client:
        word = csrf_of(client)
        rows = client.get("/api/v1/proposals").json()
        assert rows["can_answer"] and [one["decision_id"] for one in rows["rows"]] == ["d000001", "d000002"]
        assert all(one["seconds_left"] > 0 and one["score"] == 90.0 for one in rows["rows"])
        page = client.get("/decisions").text
        assert 'id="proposals"' in page and "<script>alert" not in page and '<span class="badge alarm">2</span>' in page
        assert 'href="/decisions#proposals"' in client.get("/").text
        asked = client.get("/ask/approve?decision=d000001&run=1").text
        assert "Buy this?" in asked and "<script>alert" not in asked
        assert 'name="decision" value="d000001"' in asked
        yes = form(client, "approve", decision="d000001")
        told = client.post("/actions/approve", data=yes, follow_redirects=False)
        assert "d000001+is+approved+and+ordered" in told.headers["location"]
        again = client.post(
            "/actions/decline", data=form(client, "decline", decision="d000001"), follow_redirects=False
        )
        assert "does+not+wait" in again.headers["location"]
        no = {"confirm": "decline", "decision": "d000002", "run": 1}
        assert client.post("/api/v1/actions/decline", json=no, headers=word).json()["text"] == "d000002 is declined"
        assert client.post("/api/v1/actions/decline", json=no, headers=word).status_code == 409
        for wrong, status in (({"decision": "d000099"}, 404), ({"decision": ""}, 400), ({"confirm": "yes"}, 400)):
            assert client.post("/api/v1/actions/decline", json=no | wrong, headers=word).status_code == status
        assert client.get("/api/v1/proposals").json()["rows"] == []
        assert client.get("/ask/approve?decision=d000001").status_code == 404
        assert 'id="proposals"' not in client.get("/decisions").text
    with open_database(settings.database_target) as database:
        first, second = (database.run(1).proposals.get(name) for name in ("d000001", "d000002"))
    assert (first.status, second.status) == (ProposalStatus.ORDERED, ProposalStatus.DECLINED)
    assert first.origin.startswith("dashboard testclient, ") and second.origin.startswith("dashboard testclient, ")


def test_without_an_engine_no_answer_is_taken(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("approve"))
    with running(settings, ManualClock(at(3)), mode="approve", begin=two_wishes):
        pass
    with served(settings, clock=ManualClock(at(3_000))) as client:
        page = client.get("/decisions").text
        assert "no engine runs" in page and "/ask/approve" not in page
        answer = client.post(
            "/actions/approve", data=form(client, "approve", decision="d000001"), follow_redirects=False
        )
        assert "nobody+can+act+on+proposals" in answer.headers["location"]
        assert "Too late" in client.get("/ask/approve?decision=d000001").text
