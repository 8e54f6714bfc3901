"""Make the pictures of the documentation: ``python -m tests.web.browser.pictures [FOLDER]``.

Six hours of a simulated market, the same each time, as the pages show them; the question before a sale beside an
engine that runs.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from pumpswap.settings import Settings
from tests.cli.running import run
from tests.support.material import ROOT
from tests.web.browser.session import CONFIG, PATIENCE, PHONE, Session, dashboard_url, engine, until

SMALL = {"viewport": {"width": 1180, "height": 740}}
MARKET = ("run", "--market", "simulated:4", "--fast", "--duration", "6h")


def main(folder: Path) -> None:
    """Into ``folder``."""
    browser_path = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as place:
        over, running, config = Path(place, "over"), Path(place, "running"), Path(place, "pumpswap.yaml")
        run(*MARKET, "--data-dir", str(over))  # before the browser, which keeps an event loop of its own
        config.write_text(CONFIG)
        where = ("--config", str(config), "--data-dir", str(running))
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
            with dashboard_url("--data-dir", str(over)) as url:
                take(browser, Session(url, Settings(data_dir=over)), folder)
            with engine(*where), dashboard_url(*where) as url:
                take_question(browser, Session(url, Settings(data_dir=running)), folder)
            browser.close()


def take(browser: Browser, session: Session, folder: Path) -> None:
    """One after the other."""
    sight = session.sight()
    held = sight.browse.open_positions(1)[0].position
    bought = next(one for one in sight.browse.orders(("filled",), 50) if one.order.pool == held.pool)
    shots = (
        ("dashboard", "/", SMALL),
        ("dashboard-positions", "/positions", SMALL),
        ("dashboard-decision", f"/decisions/{bought.order.decision_id}", SMALL),
        ("dashboard-pool", f"/pools/{held.pool}", {**SMALL, "color_scheme": "dark"}),
        ("dashboard-phone", "/positions", PHONE),
    )
    for name, path, options in shots:
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(PATIENCE * 1_000)
        page.goto(session.url + path[1:])
        page.wait_for_timeout(800)
        page.screenshot(path=folder / f"{name}.png")


def take_question(browser: Browser, session: Session, folder: Path) -> None:
    """What is asked before everything is sold: somebody must be there who could."""
    until(lambda: session.has_begun() and session.holds() > 1, "something is held")
    page = browser.new_context(**SMALL).new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    page.goto(session.url)
    page.wait_for_timeout(800)
    page.get_by_role("link", name="Close all").click()
    page.wait_for_timeout(300)
    page.screenshot(path=folder / "dashboard-close-all.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
