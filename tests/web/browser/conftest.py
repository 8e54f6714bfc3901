"""A real Chromium before a real dashboard, beside a real engine that trades on paper on a simulated market."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from pumpswap.settings import Settings
from tests.web.browser.session import CONFIG, DESK, PATIENCE, Session, Watched, dashboard_url, engine, until

expect.set_options(timeout=PATIENCE * 1_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The installed browser, started once for a file: what drives it keeps an event loop, so it is gone before the
    tests of another file, which need one of their own.

    Where everything must be tested (CI) a missing one is a failure.
    """
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("there is no Chromium: .ci/run installs it from Debian")
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=PATIENCE * 1_000)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """An engine at work and a dashboard beside it, each a process of its own."""
    folder = tmp_path_factory.mktemp("session")
    config, data = folder / "pumpswap.yaml", folder / "data"
    config.write_text(CONFIG)
    where = ("--config", str(config), "--data-dir", str(data))
    settings = Settings(data_dir=data, signals={"min_score": 1})
    with engine(*where) as trading, dashboard_url(*where) as url:
        looks = Session(url, settings)
        until(lambda: trading.poll() is not None or looks.has_begun(), "the engine has begun")
        yield looks
        assert trading.poll() is None


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages of a dashboard, as many as a test wants; in the end none of them may have complained."""
    made: list[Watched] = []

    def open_one(url: str, **options: object) -> Watched:
        context = chromium.new_context(**{**DESK, **options})
        context.set_default_timeout(PATIENCE * 1_000)  # a machine may have other things to do
        watched = Watched(context.new_page(), url)
        watched.listen()
        made.append(watched)
        return watched

    yield open_one
    for watched in made:
        watched.page.context.close()
    assert [complaint for watched in made for complaint in watched.complaints] == []


@pytest.fixture
def pictures() -> Path | None:
    """The folder that SCREENSHOTS names, for people who want to look."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
