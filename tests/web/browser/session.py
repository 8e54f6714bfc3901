"""What the browser tests run and look at: processes, pages, and the books behind them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page

from pumpswap.app.views.sight import Sight
from pumpswap.clock import SystemClock
from pumpswap.errors import NotFound
from pumpswap.settings import Settings
from pumpswap.web.store import Store
from tests.cli.running import environment

# Any score may buy: the first purchase comes with the market's first look, and not after minutes.
CONFIG = "signals: {min_score: 1}\n"
PATIENCE = 120.0

DESK = {"viewport": {"width": 1360, "height": 900}}
NIGHT = {**DESK, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@dataclass
class Session:
    """What runs, and a look into the same books with our own eyes."""

    url: str
    settings: Settings

    def sight(self) -> Sight:
        """As the dashboard sees it at this moment."""
        return Store(self.settings, SystemClock()).sight()

    def has_begun(self) -> bool:
        """Whether there is a run, and its engine is alive."""
        try:
            return self.sight().is_running
        except NotFound:
            return False

    def holds(self) -> int:
        """How many positions there are."""
        return self.sight().browse.position_sums().open


@dataclass
class Watched:
    """A page of a dashboard, and what its console has complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """From now on."""
        self.page.on("console", lambda told: self._told(told.type, told.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        """Go there; it must be a page."""
        answer = self.page.goto(self.url + path.lstrip("/"))
        assert answer is not None and answer.status == 200, path
        return self.page

    def value(self, name: str) -> int:
        """The raw value of a figure of the page."""
        text = self.page.locator(f'[data-figure-name="{name}"]').first.get_attribute("value")
        assert text is not None
        return int(text)

    def is_wider_than_its_window(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for it, as long as a slow machine may take."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.1)


@contextmanager
def engine(*where: str) -> Iterator[subprocess.Popen[str]]:
    """It trades on paper on a simulated market, as fast as time goes."""
    with _process("run", "--market", "simulated:3", *where) as running:
        yield running


@contextmanager
def dashboard_url(*where: str) -> Iterator[str]:
    """The address of a dashboard at work."""
    with _process("dashboard", "--port", "0", *where) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), url
        yield url


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``pumpswap …``, ended in order."""
    command = [sys.executable, "-m", "pumpswap", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment())
    try:
        yield running
    finally:
        running.terminate()
        running.communicate(timeout=120)
