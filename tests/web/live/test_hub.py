"""Hub: one look for all viewers; nobody watches, nobody looks; who is slow hears of the newest change only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pumpswap.clock import ManualClock
from pumpswap.model import Alert, AlertLevel
from pumpswap.settings import Settings
from pumpswap.storage import Database, open_database
from pumpswap.web.live.hub import MOST_VIEWERS, Hub
from pumpswap.web.store import Store
from tests.web.serving import in_loop

REFRESH = 0.01


class Looked(Hub):
    """Counts its looks."""

    looks = 0

    def _has_changed(self) -> bool:
        self.looks += 1
        return super()._has_changed()


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path)
    with open_database(settings.database_target):
        pass
    return settings


def happens(database: Database, number: int) -> None:
    database.alerts.add(Alert(number, AlertLevel.INFO, "engine", "", f"alert {number}"))


async def generation(stream: AsyncIterator[bytes]) -> int:
    """The next change that a viewer hears of."""
    async with asyncio.timeout(60):
        async for message in stream:
            if message.startswith(b"event: changed"):
                return int(message.rsplit(b"data: ", 1)[1])
    raise AssertionError("the stream has ended")


@in_loop
async def test_every_viewer_hears_of_a_change_after_one_look_for_all(place: Settings) -> None:
    hub = Looked(Store(place, ManualClock(0)), REFRESH)
    looking = asyncio.create_task(hub.run())
    streams = [hub.stream() for _ in range(50)]
    with open_database(place.database_target) as database:
        assert {await generation(stream) for stream in streams} == {1} and hub.viewers == 50
        heard = [await generation(stream) for stream in streams]  # the first look sees a new database
        looks = hub.looks
        happens(database, 1)
        after = [await generation(stream) for stream in streams]
    assert all(new > old for new, old in zip(after, heard, strict=True))
    assert hub.looks - looks < 50
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]
    assert hub.viewers == 0
    looking.cancel()


@in_loop
async def test_nobody_watches_nobody_looks(place: Settings) -> None:
    hub = Looked(Store(place, ManualClock(0)), REFRESH)
    looking = asyncio.create_task(hub.run())
    await asyncio.sleep(20 * REFRESH)
    assert hub.looks == 0
    stream = hub.stream()
    await generation(stream)
    await generation(stream)
    await stream.aclose()
    await asyncio.sleep(5 * REFRESH)
    looks = hub.looks
    await asyncio.sleep(20 * REFRESH)
    assert hub.looks <= looks + 1
    looking.cancel()


@in_loop
async def test_a_slow_viewer_hears_of_the_newest_change_only(place: Settings) -> None:
    hub = Hub(Store(place, ManualClock(0)), REFRESH)
    stream = hub.stream()
    assert await generation(stream) == 1
    for _ in range(1_000):
        hub.tell()
    assert await generation(stream) == 1_001
    await stream.aclose()


@in_loop
async def test_a_database_that_comes_later_is_found(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    hub = Hub(Store(settings, ManualClock(0)), REFRESH)
    looking = asyncio.create_task(hub.run())
    stream = hub.stream()
    await generation(stream)
    await asyncio.sleep(5 * REFRESH)
    with open_database(settings.database_target) as database:
        assert await generation(stream) == 2
        happens(database, 1)
        assert await generation(stream) == 3
    await stream.aclose()
    looking.cancel()


@in_loop
async def test_only_so_many_may_watch(place: Settings) -> None:
    hub = Hub(Store(place, ManualClock(0)), REFRESH)
    streams = [hub.stream() for _ in range(MOST_VIEWERS)]
    for stream in streams:
        await generation(stream)
    assert hub.is_full
    await streams[0].aclose()
    assert not hub.is_full
    for stream in streams:
        await stream.aclose()


@in_loop
async def test_who_comes_first_after_a_pause_is_not_told_that_nothing_has_changed(place: Settings) -> None:
    """While nobody watches nobody looks: what was rendered for the last viewer may be an hour old."""
    hub = Hub(Store(place, ManualClock(0)), REFRESH)
    stream = hub.stream()
    before = await generation(stream)
    await stream.aclose()
    first, second = hub.stream(), hub.stream()
    assert await generation(first) > before
    assert await generation(second) == hub.generation == before + 1
    for stream in (first, second):
        await stream.aclose()
