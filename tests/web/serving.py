"""The dashboard without a port: its application over books of a paper engine, asked by a test client."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pumpswap.clock import Clock, ManualClock, SystemClock
from pumpswap.model import Alert, AlertLevel, Heartbeat
from pumpswap.settings import LoadedSettings, Settings
from pumpswap.web.app import create_app
from tests.support.made_once import made_once
from tests.support.market import START_NS, at, graduate, moved, seen
from tests.support.paper_life import PaperLife, paper_life

HOST = "127.0.0.1:8765"
NOW = 100.0  # seconds after the start of the market

POOL, MINT = str(graduate().address), str(graduate().pool.base_mint)
NASTY = "<script>alert('x')</script>\x1b[31m\u202egnp.exe{{7*7}}"


def lived(settings: Settings, *, name: str = "TEST", life_goes_on: bool = False) -> None:
    """One coin bought and sold with a gain, another bought and held; a refusal, an alert; an engine that runs.

    Lived once, by the usual settings, and copied to where the given ones look for their books.
    """
    assert settings.database.url is None
    made_once(("lived", name, life_goes_on), lambda folder: _live(folder, name, life_goes_on), settings.data_dir)


def _live(folder: Path, name: str, life_goes_on: bool) -> None:
    settings = Settings(data_dir=folder)
    with paper_life(settings.database_target, settings) as life:
        trade(life, name)
        life.database.alerts.add(
            Alert(at(50), AlertLevel.ERROR, "order", name, f"{name} could not be sold"), life.run.run_id
        )
        now = at(NOW)
        parts = {"simulation": "ok, 0.4 s ago, 6 updates", "control": "ok"}
        life.run.states.beat(Heartbeat(now, START_NS, 4711, "paper", parts=parts, stopping=not life_goes_on))


def trade(life: PaperLife, name: str = "TEST") -> None:
    """A round that is over, and one that goes on."""
    first, second = graduate(), graduate(2)
    life.step(
        seen(first, 0, scored=True, name=name),
        seen(first, 2),
        seen(moved(first, 150), 30),
        seen(moved(first, 150), 40),
        seen(second, 41, scored=True, name=name),
        seen(second, 43),
        seen(second, 44, scored=True, name=name),  # refused: it is held already
        seen(moved(second, 10), 60),
    )


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that awaits."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


@contextmanager
def running(
    settings: Settings,
    clock: Clock | None = None,
    *,
    mode: str = "paper",
    begin: Callable[[PaperLife], None] = trade,
) -> Iterator[None]:
    """An engine that beats, and answers commands, in a thread of its own; ``begin`` is what happens first."""
    told = clock or SystemClock()
    ended, begun = threading.Event(), threading.Event()

    def live() -> None:
        with paper_life(settings.database_target, settings, mode=mode) as life:
            begin(life)
            while not ended.is_set():
                life.run.states.beat(Heartbeat(told.now_ns(), START_NS, 4711, mode))
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


@contextmanager
def served(
    settings: Settings, *, host: str | None = None, clock: Clock | None = None, **options: Any
) -> Iterator[TestClient]:
    """A client of the running application."""
    app = create_app(LoadedSettings(settings, {}, None, None), host=host, clock=clock or ManualClock(at(NOW)))
    with TestClient(app, base_url=f"http://{options.pop('asked', HOST)}", **options) as client:
        yield client


def books_in(folder: Path, **sections: Any) -> Settings:
    """Settings with books in a folder."""
    settings = Settings(data_dir=folder, **sections)
    lived(settings)
    return settings


def csrf_of(client: TestClient) -> dict[str, str]:
    """The header with which a program may act."""
    return {"X-CSRF-Token": client.get("/api/v1/csrf").json()["csrf"]}
