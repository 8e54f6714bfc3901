"""A storm of 10,000 alerts, with a process that is killed again and again in the middle of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pumpswap.alerts.delivery.gatherer import MEMORY
from pumpswap.alerts.delivery.state import DeliveryState
from pumpswap.model import Alert, DeliveryStatus
from pumpswap.storage import Database, open_database
from tests.alerts.delivery.samples import CRITICAL, ERROR, INFO, START, WARNING, settings_of
from tests.alerts.delivery.service import Service, served
from tests.support.material import ROOT

ALERTS, PARTS, BURST = 10_000, 4, settings_of().burst
LOUD = {n: CRITICAL if n % 2_000 else ERROR for n in range(1_000, ALERTS, 1_000)}
PATIENCE_SECONDS = 240


@contextmanager
def delivering(path: Path, service: Service, since_ns: int) -> Iterator[subprocess.Popen[str]]:
    """A process that delivers, killed at the end."""
    command = [sys.executable, "-m", "tests.alerts.delivery.delivering_process", str(path), str(service.port)]
    with subprocess.Popen([*command, str(since_ns)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def tell(database: Database, numbers: range) -> None:
    with database.batch():
        for n in numbers:
            level = LOUD.get(n, WARNING if n % 3 == 0 else INFO)
            topic = "engine" if n in LOUD else ("entry", "exit", "feed")[n % 3]
            database.alerts.add(Alert(START, level, topic, f"subject {n}", f"said {n}."))


def until(holds: object, what: str) -> None:
    assert callable(holds)
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"it took too long: {what}")
        time.sleep(0.005)


def is_told(database: Database) -> bool:
    (state,) = DeliveryState.of(database.memory.load(MEMORY)).channels.values()
    is_empty = state.cursor == ALERTS and state.urgent is None and state.calm is None
    return is_empty and not database.deliveries.counts()[DeliveryStatus.WAITING]


def test_a_storm_over_kills_is_few_messages_and_nothing_is_lost(tmp_path: Path) -> None:
    path, since_ns = tmp_path / "books.sqlite", time.time_ns()
    with served() as service, open_database(path) as database:
        part = ALERTS // PARTS
        for n in range(PARTS):
            asked = service.asked
            with delivering(path, service, since_ns):
                tell(database, range(n * part + 1, (n + 1) * part + 1))
                until(lambda asked=asked: service.asked > asked + 2, "nothing is sent")
        with delivering(path, service, since_ns):
            until(lambda: is_told(database), "something is left")
        sent = database.deliveries.newest(1_000)
        assert sum(one.alerts for one in sent) == ALERTS
        assert {one.status for one in sent} == {DeliveryStatus.SENT}
        # Each process may begin a new burst of each topic: on a slow machine much of the fast time lies between them.
        assert len(sent) <= (PARTS + 1) * 3 * BURST + len(LOUD) + 40
        got = [body["message"] for body in service.bodies]
        assert {one.body for one in sent} == set(got)
        assert len(got) <= len(sent) + PARTS  # one message at most is sent again after each kill
        for number in LOUD:
            assert any(f"said {number}." in body for body in got)
