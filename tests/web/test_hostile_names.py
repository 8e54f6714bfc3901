"""Names come from strangers: a script, a template, a terminal escape and a right-to-left mark are letters here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pumpswap.app.views.sight import shown_name
from pumpswap.settings import Settings
from tests.web.serving import NASTY, POOL, lived, served

PAGES = ("/", "/positions", "/positions?closed=1", "/decisions", "/decisions/d000001", "/orders",
         "/decisions/refused", "/ledger", "/ledger?order=o000001", "/ask/close-all", "/?run=1", "/pools",
         f"/pools/{POOL}", "/signals", "/alerts", "/health", "/settings", "/reports")  # fmt: skip
QUERIES = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{7*7}}", "{% raw %}", "%00",
           "../../etc/passwd", "' OR 1=1 --", "\u202e", "javascript:alert(1)")  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(data_dir=tmp_path_factory.mktemp("books"))
    lived(made, name=NASTY)
    return made


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with served(settings) as client:
        yield client


def assert_harmless(text: str, where: str) -> None:
    assert "<script>alert" not in text, where
    assert "<img src=x" not in text, where
    assert "\x1b" not in text and "\u202e" not in text, where
    assert ">49<" not in text and "gnp.exe49" not in text, where


@pytest.mark.parametrize("path", PAGES)
def test_a_name_is_text_on_every_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert_harmless(answer.text, path)


def test_a_name_is_one_printable_line_in_the_api(settings: Settings) -> None:
    with served(settings) as client:
        rows = client.get("/api/v1/decisions").json()["rows"]["items"]
        assert {row["name"] for row in rows} == {"<script>alert('x')</script>\\u001b[31m\\u202egnp.exe{{7*7}}"}
        assert client.get("/api/v1/decisions").headers["content-type"] == "application/json"
        for path in (
            "positions",
            "pools",
            f"pools/{POOL}",
            "signals",
            "ledger",
            "proposals",
            "alerts",
            "decisions/d000001",
            "orders",
        ):
            text = client.get(f"/api/v1/{path}").text
            assert "\x1b" not in text and "\u202e" not in text and "\\u001b[" not in text.replace("\\\\u001b", ""), path


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_is_never_sent_back_as_it_was(client: TestClient, query: str) -> None:
    for path in ("/decisions?policy=", "/decisions?address=", "/orders?status=", "/positions?before=", "/?period=",
                 "/pools?find=", "/decisions?before=", "/ledger?asset=", "/ledger?order=", "/ledger?kind=",
                     "/ledger?since=", "/?run=", "/ask/approve?decision=", "/reports?x=", "/login?back="):  # fmt: skip
        answer = client.get(path.partition("=")[0], params={path.partition("?")[2].rstrip("="): query})
        assert answer.status_code < 500, path
        assert_harmless(answer.text, path)
    for path in ("/decisions/", "/pools/", "/reports/", "/ask/", "/api/v1/pools/", "/api/v1/decisions/"):
        answer = client.get(path + query.replace("%", "%25").replace("/", "%2F"))
        assert answer.status_code < 500, path
        assert_harmless(answer.text, path)


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    secrets = (
        "s3cr3t-token-of-the-dashboard",
        "123456:telegram-bot-secret",
        "hunter2-of-the-channel",
        "8421-pin",
        "key-of-the-endpoint",
    )
    settings = Settings(
        data_dir=tmp_path,
        dashboard={"token": secrets[0]},
        telegram={"token": secrets[1], "pin": secrets[3]},
        alerts={"channels": [{"name": "me", "url": f"json://user:{secrets[2]}@host/"}]},
        chain={"endpoints": [f"https://rpc.example/?api-key={secrets[4]}"]},
    )
    lived(settings)
    with served(settings) as client:
        client.post("/login", data={"token": secrets[0]})
        for path in (
            *PAGES,
            *(f"/api/v1/{name}" for name in ("settings", "health", "overview", "runs", "openapi.json")),
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            for secret in secrets:
                assert secret not in answer.text, path
        assert "rpc.example" in client.get("/api/v1/health").text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("  TEST / SOL ", "TEST / SOL"), ("a\nb", "a\\u000ab"), ("\u202eabc", "\\u202eabc"), ("x" * 200, "x" * 79 + "…"),
     ("Z\u0335\u0321algo", "Z\\u0335\\u0321algo"), ("日本", "日本"), ("", "")],
)  # fmt: skip
def test_names_are_one_line_without_what_steers(name: str, shown: str) -> None:
    assert shown_name(name) == shown
