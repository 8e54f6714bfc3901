"""The page in a real browser: every chart is drawn, nothing complains, it fits a phone, it prints."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Dialog, Page

from pumpswap.analytics.tear_sheet import TearSheet
from pumpswap.analytics.tear_sheet.page import write_tear_sheet
from tests.analytics.tear_sheet.accounts import SOL, Trip, account, random_trips
from tests.analytics.test_report import EVIL
from tests.web.browser.conftest import chromium

__all__ = ["chromium"]  # a fixture

PHONE = {"width": 390, "height": 844}
_CUT = """() => [...document.querySelectorAll("body *")].filter(
  (one) => !one.closest(".scroll, .unseen, .skip, svg") && one.getBoundingClientRect().right > innerWidth + 1
).map((one) => one.outerHTML.slice(0, 80))"""


class Watched:
    """A page and what it complained of: messages, errors, dialogs, requests for anything outside of its file."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page, self.complaints = page, list[str]()
        page.on("console", lambda told: self.complaints.append(told.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))
        page.on("dialog", self._dialog)
        page.goto(path.as_uri())

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.complaints.append(url)

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(dialog.message)
        dialog.dismiss()


def check(browser: Browser, path: Path, sheet: TearSheet) -> None:
    """On a screen in light and dark, and on a phone."""
    write_tear_sheet(path, sheet)
    shades = set()
    for options in ({"color_scheme": "light"}, {"color_scheme": "dark", "viewport": PHONE}):
        watched = Watched(browser.new_page(**options), path)
        page = watched.page
        assert page.locator("[data-chart]:not(.drawn)").count() == 0
        assert page.locator("[data-chart] .main-svg").count() >= page.locator("[data-chart]").count() > 3
        assert page.evaluate(_CUT) == []
        shades.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert watched.complaints == []
        page.close()
    assert len(shades) == 2


def test_a_page_of_names_of_strangers_is_drawn_and_nothing_complains(tmp_path: Path, chromium: Browser) -> None:
    trips = [
        Trip(name=EVIL, exit_kind="stop-loss", back=SOL * share // 4, score=76.0 + share) for share in (1, 2, 6, 9)
    ]
    check(chromium, tmp_path / "page.html", account([*trips, Trip(name=EVIL, back=None)]))


def test_a_long_page_is_drawn_prints_on_white_and_can_be_read_without_scripts(
    tmp_path: Path, chromium: Browser
) -> None:
    path = tmp_path / "page.html"
    check(chromium, path, account(random_trips(80), usd="150"))
    page = Watched(chromium.new_page(color_scheme="dark"), path).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("nav").is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()") == "#1d2227"
    assert len(page.pdf(format="A4")) > 50_000
    plain = Watched(chromium.new_page(java_script_enabled=False), path).page
    assert plain.locator("#metrics").is_visible()
    assert "The chart needs JavaScript" in plain.locator("[data-chart=curve]").inner_text()
