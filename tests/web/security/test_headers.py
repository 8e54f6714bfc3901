"""Headers: every answer says what a browser may do with it, errors and redirects too."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from pumpswap.settings import Settings
from tests.web.serving import books_in, served

WAYS = ("/", "/decisions", "/api/v1/overview", "/api/v1/nothing", "/nothing", "/static/app.css", "/login", "/docs")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return books_in(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


@pytest.mark.parametrize("path", WAYS)
def test_every_answer_is_closed(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert (
        policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'" and policy["form-action"] == "'self'"
    )
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers


def test_pages_carry_no_script_and_no_style_of_their_own(settings: Settings) -> None:
    with served(settings) as client:
        for path in (
            "/",
            "/positions",
            "/decisions",
            "/orders",
            "/pools",
            "/signals",
            "/alerts",
            "/health",
            "/settings",
        ):
            page = client.get(path).text
            for script in re.findall(r"<script\b[^>]*>", page):
                assert 'src="/static/' in script or 'type="application/json"' in script, script
            assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", page), path


def test_a_bug_is_answered_without_a_word_about_how_we_are_built(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("secret detail")

    with served(settings, raise_server_exceptions=False) as client:
        monkeypatch.setattr("pumpswap.web.api.routes.overview", broken)
        answer = client.get("/api/v1/overview")
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
