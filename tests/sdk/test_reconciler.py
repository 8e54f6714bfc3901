"""The schedule of comparisons: failures are told once, the next is tried, a bug is never silent."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pumpswap.clock import ManualClock
from pumpswap.errors import EndpointDown, StorageError
from pumpswap.model import AlertLevel
from pumpswap.sdk.reconciler import MOST_PUT_OFF, Reconciler
from pumpswap.storage import open_database

pytestmark = pytest.mark.asyncio


async def compared(
    folder: Path, steps: list[Exception | None]
) -> tuple[list[tuple[AlertLevel, str]], Exception | None]:
    """The alerts after these comparisons, and what closing raised."""
    left = list(steps)
    done = asyncio.Event()

    async def compare() -> None:
        await asyncio.sleep(0)
        if not left:
            done.set()
            return
        failure = left.pop(0)
        if failure is not None:
            if not left:
                done.set()
            raise failure

    with open_database(folder / "books.sqlite") as database:
        reconciler = Reconciler(compare, database.start_run("live", 1), ManualClock(7), 0.001)
        reconciler.start()
        async with asyncio.timeout(20):
            await done.wait()
            await asyncio.sleep(0.01)
        raised = None
        try:
            await reconciler.aclose()
        except Exception as error:
            raised = error
        return [(alert.level, alert.text) for alert in database.alerts.all()], raised


async def test_a_failure_is_told_once_until_a_comparison_succeeds(tmp_path: Path) -> None:
    down: Callable[[], Any] = lambda: EndpointDown("no answer", hint="wait")  # noqa: E731
    alerts, raised = await compared(tmp_path, [down(), down(), None, down(), None])
    assert raised is None
    assert alerts == [(AlertLevel.WARNING, "books and wallet could not be compared: no answer")] * 2


async def test_a_database_that_does_not_answer_does_not_end_the_schedule(tmp_path: Path) -> None:
    left = iter(range(3))
    done = asyncio.Event()
    with open_database(tmp_path / "books.sqlite") as database:

        def rename(table: str, to: str) -> None:
            with closing(sqlite3.connect(tmp_path / "books.sqlite")) as connection:
                connection.execute(f"ALTER TABLE {table} RENAME TO {to}")

        async def compare() -> None:
            match next(left, None):
                case 0:
                    rename("pumpswap_alerts", "gone")
                    raise StorageError("no answer", hint="wait")
                case 1:
                    rename("gone", "pumpswap_alerts")
                    raise StorageError("no answer", hint="wait")
                case None:
                    done.set()

        reconciler = Reconciler(compare, database.start_run("live", 1), ManualClock(7), 0.001)
        reconciler.start()
        async with asyncio.timeout(20):
            await done.wait()
        await reconciler.aclose()
        (alert,) = database.alerts.all()
        assert alert.text == "books and wallet could not be compared: no answer"


async def test_a_bug_ends_the_schedule_loudly(tmp_path: Path) -> None:
    alerts, raised = await compared(tmp_path, [ZeroDivisionError("a bug")])
    assert isinstance(raised, ZeroDivisionError)
    assert [level for level, _ in alerts] == [AlertLevel.CRITICAL]
    assert "not compared any more: ZeroDivisionError" in alerts[0][1]


async def test_who_asks_hears_that_the_schedule_has_ended(tmp_path: Path) -> None:
    done = asyncio.Event()

    async def compare() -> None:
        await done.wait()
        raise ZeroDivisionError("a bug")

    with open_database(tmp_path / "books.sqlite") as database:
        reconciler = Reconciler(compare, database.start_run("live", 1), ManualClock(7), 0.001)
        assert reconciler.obstacle() == ""
        reconciler.start()
        await asyncio.sleep(0.01)
        assert reconciler.obstacle() == ""
        done.set()
        async with asyncio.timeout(20):
            while not reconciler.obstacle():
                await asyncio.sleep(0)
        assert "not compared any more: ZeroDivisionError" in reconciler.obstacle()
        with pytest.raises(ZeroDivisionError):
            await reconciler.aclose()


async def test_books_that_are_never_compared_are_told_once(tmp_path: Path) -> None:
    answers = iter([False] * (MOST_PUT_OFF - 1) + [True] + [False] * 2 * MOST_PUT_OFF)
    done = asyncio.Event()

    async def compare() -> bool:
        answer = next(answers, None)
        if answer is None:
            done.set()
            await asyncio.Event().wait()
        return bool(answer)

    with open_database(tmp_path / "books.sqlite") as database:
        reconciler = Reconciler(compare, database.start_run("live", 1), ManualClock(7), 0.001)
        reconciler.start()
        async with asyncio.timeout(20):
            await done.wait()
        await reconciler.aclose()
        (alert,) = database.alerts.all()
        assert alert.level is AlertLevel.WARNING
        assert alert.text.startswith(f"books and wallet were not compared {MOST_PUT_OFF} times in a row: ")


async def test_zero_seconds_are_never(tmp_path: Path) -> None:
    async def compare() -> None:
        raise AssertionError("it was not to run")

    with open_database(tmp_path / "books.sqlite") as database:
        reconciler = Reconciler(compare, database.start_run("live", 1), ManualClock(7), 0)
        reconciler.start()
        await asyncio.sleep(0.01)
        await reconciler.aclose()
