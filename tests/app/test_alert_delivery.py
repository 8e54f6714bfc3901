"""Delivery beside an engine: what waits for the database waits alone, and an end that cannot be stored is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pumpswap.app.alert_delivery import alert_delivery
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.clock import SystemClock
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.model import Alert, AlertLevel
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from tests.alerts.delivery.service import Service, served
from tests.engine.supervised import locked, opened
from tests.support.market import START_NS
from tests.support.market import engine as market_engine


@contextmanager
def delivering(folder: Path, **alerts: object) -> Iterator[tuple[Companions, Database, Service]]:
    """The companions of a paper engine whose alerts go to a service on this machine."""
    with served() as service, opened(folder) as database:
        run = database.start_run("paper", START_NS)
        outbox = Outbox(run, StoreRecorder(run))
        channels = [{"name": "phone", "url": f"json://{service.address}/hook"}]
        settings = Settings(data_dir=folder, alerts={"channels": channels} | alerts)
        place = RunPlace(settings, database, run, market_engine(observers=[outbox]), SystemClock(), outbox.also)
        yield alert_delivery(place), database, service


def test_what_is_stored_last_is_sent_before_the_process_ends(tmp_path: Path) -> None:
    with delivering(tmp_path, file="alerts.jsonl") as (companions, database, service):
        database.run(1).alert(Alert(START_NS, AlertLevel.WARNING, "stop", "held", "it leaves something"))
        (finish,) = companions.on_ends
        asyncio.run(finish())
        assert [body["title"] for body in service.bodies] == ["[warning] stop (paper)"]
    assert "it leaves something" in (tmp_path / "alerts.jsonl").read_text()


def test_an_end_that_cannot_be_stored_is_sent_with_the_run_that_it_is_of(tmp_path: Path) -> None:
    with delivering(tmp_path) as (companions, database, service):
        (tell,) = companions.on_untold
        with locked(tmp_path):
            asyncio.run(tell("the engine has stopped: StorageError: the disk is full"))
        (body,) = service.bodies
        assert body["title"] == "[critical] engine (paper)"
        assert body["message"].startswith("the engine has stopped: StorageError: the disk is full\npaper run 1, ")
        assert database.alerts.all() == ()


def test_delivery_that_waits_for_the_database_lets_the_engine_use_it(tmp_path: Path) -> None:
    with delivering(tmp_path) as (companions, database, service):
        (errand,) = companions.helpers

        async def go() -> None:
            with locked(tmp_path):
                waiting = asyncio.ensure_future(errand.run(Alive()))
                await asyncio.sleep(0.3)  # it wants to note what it has seen, and cannot
                assert database._connections._lock.acquire(blocking=False)
                database._connections._lock.release()
            while not service.taken:
                await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        database.run(1).alert(Alert(START_NS, AlertLevel.WARNING, "order", "", "one"))
        asyncio.run(asyncio.wait_for(go(), 60))
        assert [body["title"] for body in service.bodies] == ["[warning] order (paper)"]


class Alive:
    """Of a helper that brings no news."""

    async def put(self, update: object, place: object = None) -> None:
        raise AssertionError("it brings none")

    async def turn(self, make: object, place: object = None) -> bool:
        raise AssertionError("it brings none")

    def alive(self) -> None:
        """It goes on."""
