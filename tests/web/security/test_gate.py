"""Gate: hosts, sizes, origins, and the token where others can reach the port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from pumpswap.clock import ManualClock
from pumpswap.errors import ConfigError
from pumpswap.settings import Settings
from pumpswap.web.failures import Failure, failure_json
from pumpswap.web.security import gate
from pumpswap.web.security.access import Access
from pumpswap.web.security.gate import LARGEST_BODY, Gate
from pumpswap.web.security.hosts import Hosts
from tests.support.market import at
from tests.web.serving import NOW, books_in, csrf_of, in_loop, served

TOKEN = "sesame-open-sesame-open"
PAGES = (
    "/",
    "/positions",
    "/decisions",
    "/orders",
    "/ledger",
    "/decisions/refused",
    "/pools",
    "/signals",
    "/alerts",
    "/health",
    "/settings",
    "/reports",
)
API = ("overview", "positions", "decisions", "orders", "ledger", "proposals", "refused",
       "execution", "pools", "signals", "alerts",
       "health", "settings", "reports", "runs", "csrf", "openapi.json")  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return books_in(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return books_in(tmp_path_factory.mktemp("guarded"), dashboard={"token": TOKEN})


def test_off_loopback_it_does_not_start_without_a_token(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no token") as refused, served(settings, host="0.0.0.0"):
        pass
    assert "dashboard.token" in refused.value.hint


def test_without_its_token_nobody_sees_anything_off_loopback(guarded: Settings) -> None:
    with served(guarded, host="0.0.0.0", asked="192.168.1.5:8765") as client:
        for path in PAGES:
            answer = client.get(path, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), path
        for path in (*(f"/api/v1/{name}" for name in API), "/events"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "no_token"), path
            assert "Bearer" in answer.headers["www-authenticate"]
        assert client.post("/api/v1/actions/pause", json={"confirm": "pause"}).status_code == 401
        assert client.post("/actions/pause", data={"confirm": "pause"}).status_code == 401


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
def test_a_wrong_bearer_is_none(guarded: Settings, given: str) -> None:
    with served(guarded) as client:
        assert client.get("/api/v1/health", headers={"Authorization": given}).status_code == 401


def test_a_program_sends_the_token_itself(guarded: Settings) -> None:
    with served(guarded, host="0.0.0.0", asked="192.168.1.5:8765") as client:
        answer = client.get("/api/v1/health", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        acted = client.post(
            "/api/v1/actions/pause", json={"confirm": "pause"}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert acted.status_code == 200, acted.text  # a bearer is no browser: it needs no further word


def test_a_browser_logs_in_and_its_cookie_is_closed_to_scripts_and_to_other_sites(guarded: Settings) -> None:
    with served(guarded) as client:
        first = client.get("/decisions?side=buy", follow_redirects=False)
        assert first.headers["location"] == "/login?back=%2Fdecisions%3Fside%3Dbuy"
        wrong = client.post("/login", data={"token": "wrong", "back": "/decisions"}, follow_redirects=False)
        assert "set-cookie" not in wrong.headers and "not the token" in wrong.text
        right = client.post("/login", data={"token": TOKEN, "back": "/decisions"}, follow_redirects=False)
        assert (right.status_code, right.headers["location"]) == (303, "/decisions")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie and TOKEN not in cookie
        assert client.get("/decisions", follow_redirects=False).status_code == 200
        assert client.post("/logout", data={"csrf": csrf_of(client)["X-CSRF-Token"]}, follow_redirects=False)
        client.cookies.clear()
        assert client.get("/decisions", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "evil", "/\tx", "/é"])
def test_nobody_is_sent_to_another_site_after_the_login(guarded: Settings, back: str) -> None:
    with served(guarded) as client:
        answer = client.post("/login", data={"token": TOKEN, "back": back}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_token_is_not_guessed_by_trying(guarded: Settings) -> None:
    clock = ManualClock(at(NOW))
    with served(guarded, clock=clock) as client:
        for _ in range(10):
            client.post("/login", data={"token": "guess"})
        assert client.get("/api/v1/health", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 429
        assert "wait a minute" in client.post("/login", data={"token": TOKEN}).text.lower()
        clock.advance_to(at(NOW + 61))
        assert client.get("/api/v1/health", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_session_of_today_does_not_stop_wrong_tokens_from_being_wrong(guarded: Settings) -> None:
    with served(guarded) as client:
        client.post("/login", data={"token": TOKEN})
        for _ in range(12):
            client.post("/login", data={"token": "guess"})
        assert client.get("/api/v1/health").status_code == 200  # who is in stays in


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "192.168.1.5:8765", ""]
)
def test_under_a_strangers_name_nothing_is_served(settings: Settings, host: str) -> None:
    with served(settings) as client:
        for path in ("/", "/static/app.css", "/api/v1/overview", "/login"):
            answer = client.get(path, headers={"Host": host})
            assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host"), path


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
    ],
)
def test_what_another_site_makes_a_browser_ask_is_refused(settings: Settings, headers: dict[str, str]) -> None:
    with served(settings) as client:
        word = csrf_of(client)
        acted = client.post("/api/v1/actions/pause", json={"confirm": "pause"}, headers=headers | word)
        assert (acted.status_code, acted.json()["code"]) == (403, "foreign_origin")
        assert client.get("/api/v1/overview", headers=headers).status_code == 403
        assert client.get("/events", headers=headers).status_code == 403


def test_a_link_of_another_site_leads_to_a_page(settings: Settings) -> None:
    with served(settings) as client:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert client.get("/", headers=headers).status_code == 200
        assert client.post("/actions/pause", headers=headers, data={}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_not_there(settings: Settings, method: str) -> None:
    with served(settings) as client:
        answer = client.request(
            method, "/api/v1/overview", headers={"Origin": f"http://{client.base_url.netloc.decode()}"}
        )
        assert answer.status_code == 405
        assert "access-control-allow-origin" not in answer.headers


def test_what_is_too_large_is_refused_before_anybody_reads_it(settings: Settings) -> None:
    with served(settings) as client:
        assert client.get("/api/v1/decisions?policy=" + "x" * 3_000).status_code == 414
        assert client.get("/" + "x" * 600).status_code == 414
        body = b"x" * (LARGEST_BODY + 1)
        assert client.post("/actions/pause", content=body).status_code == 413
        assert (
            client.post("/actions/pause", content=iter([body])).status_code == 413
        )  # that does not say how long it is
        assert client.post("/login", content=b"a=b&" * 4_000).status_code in (400, 413)


def test_no_path_leads_out_of_its_folder(settings: Settings, tmp_path: Path) -> None:
    with served(settings) as client:
        ways = ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd",
                "/static/....//app.py", "/reports/..%2f..%2fpumpswap.sqlite", "/reports/%2e%2e%2fpumpswap.sqlite",
                "/reports/pumpswap.sqlite", "/reports/.html", "/reports/a%00.html")  # fmt: skip
        for path in ways:
            assert client.get(path).status_code in (400, 404), path


def test_books_are_shown_to_their_owner_on_loopback_without_a_token(settings: Settings) -> None:
    with served(settings) as client:
        assert client.get("/login", follow_redirects=False).headers["location"] == "/"
        assert_pages(client)


def assert_pages(client: TestClient) -> None:
    for path in PAGES:
        assert client.get(path).status_code == 200, path


@in_loop
async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no token to begin one."""
    monkeypatch.setattr(gate, "_BODY_SECONDS", 0.01)
    asked, told = list[Scope](), list[int]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)

    async def refuse(request: Request, failure: Failure) -> Response:
        told.append(failure.status)
        return failure_json(failure)

    async def never() -> Message:
        return await asyncio.get_running_loop().create_future()

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    guarded = Gate(app, Access(TOKEN, ManualClock(0)), Hosts("127.0.0.1"), refuse)
    scope: Scope = {"type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "query_string": b"",
                    "headers": [(b"host", b"127.0.0.1")]}  # fmt: skip
    await guarded(dict(scope), never, send)
    assert told == [408]
    await guarded(dict(scope), gone, send)  # who has hung up is no fault of ours, and gets no answer
    assert (told, asked) == ([408], [])
