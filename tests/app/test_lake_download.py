"""Downloads from a server on loopback: every candle once, holes filled, limits kept, and going on after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from pumpswap.app.lake_download import Downloaded, Downloader, DownloadOptions
from pumpswap.app.lake_swaps import ends_of, last_of_a_slot, stored_signatures
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import SourceDown, SourceRefused, StorageError, UnreadableAnswer, UsageError
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_source import SourceParts
from pumpswap.market.lake import Lake, LakeReader, LakeWriter
from tests.support.gecko_server import GeckoServer, Reply, Request, changed, limited, ok, status
from tests.support.gecko_world import START, GeckoWorld
from tests.support.patient import PatientClock

T = TypeVar("T")
HOUR = 3_600


@pytest.fixture
def server() -> Iterator[GeckoServer]:
    with GeckoServer(GeckoWorld(pool_count=3, traded_seconds=20 * 86_400)) as running:
        yield running


def with_downloader(
    server: GeckoServer, lake: Lake, work: Callable[[Downloader], Awaitable[T]], clock: PatientClock | None = None
) -> T:
    clock = clock or PatientClock(START * NS_PER_SECOND)

    async def run() -> T:
        parts = SourceParts(sleep=clock.sleep, random=Random(1))
        async with GeckoClient(server.settings(max_retries=2), clock, parts) as client:
            with LakeWriter(lake) as writer:
                return await work(Downloader(client, writer, clock, lambda *_: None))

    return asyncio.run(run())


def download(server: GeckoServer, lake: Lake, pool: str | None = None, **options: object) -> Downloaded:
    chosen = DownloadOptions(**options)  # type: ignore[arg-type]
    address = pool or server.world.pool_address(0)
    return with_downloader(server, lake, lambda downloader: downloader.download(address, chosen))


def starts(lake: Lake, server: GeckoServer, timeframe: str = "1h") -> list[int]:
    frame = LakeReader(lake).candles(server.world.pool_address(0), timeframe=timeframe).collect()
    return sorted(start // NS_PER_SECOND for start in frame["start_ns"].to_list())


def expected(server: GeckoServer, days: int, seconds: int = HOUR) -> list[int]:
    end = (START - 120) // seconds * seconds
    first = max(end - days * 86_400, START - server.world.traded_seconds)
    every = range(-(-first // seconds) * seconds, end, seconds)
    return [start for start in every if (start // seconds) % server.world.gap_every]


def test_every_candle_is_stored_and_quiet_hours_are_counted(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (got,) = download(server, lake, days=10).candles
    wanted = expected(server, 10)
    assert starts(lake, server) == wanted
    assert (got.received, got.held, got.empty, got.gaps) == (len(wanted), len(wanted), 240 - len(wanted), [])


def test_a_second_run_asks_for_nothing_and_a_longer_one_for_the_rest(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    download(server, lake, days=4)
    asked = len(server.seen)
    (again,) = download(server, lake, days=4).candles
    assert (len(server.seen), again.received) == (asked, 0)
    (more,) = download(server, lake, days=9).candles
    assert starts(lake, server) == expected(server, 9)
    assert more.received == len(expected(server, 9)) - len(expected(server, 4))


def test_the_candle_that_still_grows_is_left_for_the_next_run(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    download(server, lake, days=1)
    assert starts(lake, server)[-1] + HOUR <= START
    clock = PatientClock((START + 3 * HOUR) * NS_PER_SECOND)
    server.world.at_seconds = START + 3 * HOUR
    options = DownloadOptions(days=1)
    pool = server.world.pool_address(0)
    with_downloader(server, lake, lambda downloader: downloader.download(pool, options), clock)
    assert (START - 1) // HOUR * HOUR in starts(lake, server)
    assert len(starts(lake, server)) == len(set(starts(lake, server)))


def test_pages_go_back_to_the_wanted_day(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (got,) = download(server, lake, days=3, timeframes=("1m",)).candles
    wanted = expected(server, 3, 60)
    assert len(wanted) > 3_000
    assert starts(lake, server, "1m") == wanted
    assert got.empty == 3 * 1_440 - len(wanted)
    assert len(server.seen) == -(-len(wanted) // 1_000)


def test_before_the_first_trade_there_is_nothing_and_that_is_no_gap(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (got,) = download(server, lake, days=60).candles
    assert starts(lake, server) == expected(server, 60)
    assert got.gaps == []
    asked = len(server.seen)
    download(server, lake, days=60)
    assert len(server.seen) == asked


def test_a_download_that_broke_off_keeps_its_pages_and_goes_on(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = f"pools/{server.world.pool_address(0)}/ohlcv"
    right = [changed(lambda told: told)] * 2
    server.script(path, *right, *[status(503)] * 3)
    with pytest.raises(SourceDown):
        download(server, lake, days=3, timeframes=("1m",))
    wanted = expected(server, 3, 60)
    assert starts(lake, server, "1m") == wanted[-2_000:]
    (got,) = download(server, lake, days=3, timeframes=("1m",)).candles
    assert starts(lake, server, "1m") == wanted
    assert got.received == len(wanted) - 2_000


def test_history_that_is_too_old_for_the_service_stays_a_gap_and_ends_no_download(
    server: GeckoServer, tmp_path: Path
) -> None:
    """Without a key it tells half a year, and answers 401 for what was before."""
    lake, pool = Lake(tmp_path), server.world.pool_address(0)
    oldest = START - 2 * 86_400

    def answer(request: Request, right: Reply) -> Reply:
        return status(401, "the past 2 days") if int(request.params["before_timestamp"]) < oldest else right

    server.always(f"pools/{pool}/ohlcv", answer)
    for received in (True, False):  # the second run has nothing left but what is too old
        (got,) = download(server, lake, days=5, timeframes=("1m",)).candles
        assert (got.received > 2_000, got.too_old, len(got.gaps)) == (received, "the past 2 days", 1)
    server.always("pools/", status(401, "no"))
    with pytest.raises(SourceRefused, match="401"):
        download(server, lake, server.world.pool_address(1))


def test_429_is_waited_for_as_long_as_the_service_says(server: GeckoServer, tmp_path: Path) -> None:
    clock = PatientClock(START * NS_PER_SECOND)
    server.script("pools/", limited("17"))
    pool = server.world.pool_address(0)
    with_downloader(server, Lake(tmp_path), lambda one: one.download(pool, DownloadOptions(days=1)), clock)
    assert sum(clock.slept) >= 17
    assert starts(Lake(tmp_path), server) == expected(server, 1)


def test_a_page_with_candles_that_cannot_be_read_is_not_called_complete(server: GeckoServer, tmp_path: Path) -> None:
    def spoil(told: dict[str, dict[str, dict[str, list[list[object]]]]]) -> None:
        told["data"]["attributes"]["ohlcv_list"][3][2] = "much"

    server.script("pools/", changed(spoil))
    lake = Lake(tmp_path)
    (got,) = download(server, lake, days=2).candles
    assert (got.refused, len(got.gaps)) == (1, 1)
    (again,) = download(server, lake, days=2).candles
    assert again.gaps == []
    assert starts(lake, server) == expected(server, 2)


def test_a_service_that_repeats_its_newest_page_has_not_told_the_older_time(
    server: GeckoServer, tmp_path: Path
) -> None:
    """Nothing in an answer about newer times says that nobody traded before."""
    lake, pool = Lake(tmp_path), server.world.pool_address(0)
    server.always(f"pools/{pool}/ohlcv", lambda *_: ok(server.world.candles(0, 60, None, 1_000)))
    with pytest.raises(UnreadableAnswer, match="newer candles"):
        download(server, lake, timeframes=("1m",), days=2)
    first = starts(lake, server, "1m")[0]
    (low, high), *_ = lake.gaps("candles", pool, timeframe="1m", start_ns=(START - 86_400) * NS_PER_SECOND)
    assert (low, high) == ((START - 86_400) * NS_PER_SECOND, first * NS_PER_SECOND)


def test_trades_are_stored_once_however_often_they_come(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = download(server, lake, days=1, with_trades=True).trades
    again = download(server, lake, days=1, with_trades=True).trades
    assert first is not None and again is not None
    assert (first.received, first.stored, first.known, first.unfit, first.is_full) == (300, 300, 0, 0, True)
    assert (again.stored, again.known) == (0, 300)
    swaps = list(LakeReader(lake).read_swaps(server.world.pool_address(0)))
    assert len({(swap.signature, swap.index) for swap in swaps}) == len(swaps) == 300
    assert all(swap.quote_units > 0 and swap.base_units > 0 for swap in swaps)


def test_an_unknown_pool_is_an_error_and_nothing_is_claimed(server: GeckoServer, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(SourceRefused, match="404"):
        download(server, lake, pool="So11111111111111111111111111111111111111112", days=1)
    assert lake.manifest().coverage == []


def test_damage_in_the_lake_is_said_by_whoever_looks_what_is_there(server: GeckoServer, tmp_path: Path) -> None:
    lake, pool = Lake(tmp_path), server.world.pool_address(0)
    download(server, lake, days=1, with_trades=True)
    for file in (*lake.files("swaps"), *lake.files("candles")):
        path = lake.folder / file.path
        path.write_bytes(path.read_bytes()[:50])
    span = (0, START * NS_PER_SECOND)
    for look in (
        lambda: ends_of(lake, pool, span),
        lambda: stored_signatures(lake, pool, span),
        lambda: last_of_a_slot(lake),
        lambda: download(server, lake, days=1),
    ):
        with pytest.raises(StorageError, match="a file of the lake cannot be read"):
            look()


def test_options_that_mean_nothing() -> None:
    with pytest.raises(UsageError, match="'2h' is no length"):
        DownloadOptions(("1h", "2h"))
    with pytest.raises(UsageError, match="nothing to download"):
        DownloadOptions(())
