"""A page that stays open while the dashboard ends and starts again: it comes back by itself, or asks who one is."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pumpswap.settings import Settings
from tests.web.browser.session import PATIENCE, Watched, dashboard_url
from tests.web.serving import lived

Opened = Callable[..., Watched]

TOKEN = "sesame-open-sesame-open"


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def where(folder: Path, port: int, more: str = "") -> tuple[str, ...]:
    """The options of a dashboard over books of an engine that is gone."""
    if not (folder / "pumpswap.yaml").exists():
        lived(Settings(data_dir=folder / "data"))
    (folder / "pumpswap.yaml").write_text(f"dashboard: {{refresh_ms: 200{more}}}\n")
    return ("--config", str(folder / "pumpswap.yaml"), "--data-dir", str(folder / "data"), "--port", str(port))


def leave(watched: Watched) -> None:
    """That nobody was there for a while is what a browser has to complain about here, and all."""
    watched.page.close()
    watched.complaints[:] = [one for one in watched.complaints if "Failed to load resource" not in one]


def test_an_open_page_is_live_again_after_a_restart(tmp_path: Path, port: int, opened: Opened) -> None:
    options = where(tmp_path, port)
    with dashboard_url(*options) as url:
        watched = opened(url)
        page = watched.open("/health")
        page.evaluate("window.isThis = 'the same page'")
        page.get_by_role("link", name="Exits only").click()
        word = page.locator("dialog[open] input[name=csrf]")
        before = str(word.get_attribute("value"))
    expect(page.locator("#line")).to_be_visible()
    with dashboard_url(*options):
        expect(page.locator("#line")).to_be_hidden()
        expect(word).not_to_have_attribute("value", before)  # the open question has the word of now
        assert page.evaluate("window.isThis") == "the same page"
        page.get_by_role("dialog").get_by_role("button", name="Exits only").click()
        expect(page.locator("#told-notice")).to_contain_text("next start honours it")
        leave(watched)


def test_an_open_page_leads_to_the_login_when_nobody_knows_it_any_more(
    tmp_path: Path, port: int, opened: Opened
) -> None:
    options = where(tmp_path, port, f", token: {TOKEN}")
    with dashboard_url(*options) as url:
        watched = opened(url)
        page = watched.open("/login?back=/health")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Come in").click()
        expect(page.locator("main h1")).to_have_text("Health")
    expect(page.locator("#line")).to_be_visible()
    with dashboard_url(*options):
        page.wait_for_url("**/login?back=*", timeout=PATIENCE * 1_000)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Come in").click()
        expect(page.locator("main h1")).to_have_text("Health")
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("main h1")).to_have_text("Who are you?")
        leave(watched)
