"""GeckoClient against a real HTTP server on loopback: what it asks, what it waits for, what it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, SourceBusy, SourceDown, SourceRefused, UnreadableAnswer, UsageError
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_drift import DriftKind, DriftNote
from pumpswap.market.http_source import SourceParts
from pumpswap.settings import CollectSettings
from tests.support.gecko_server import (
    Answer,
    GeckoServer,
    changed,
    cut,
    dropped,
    limited,
    ok,
    packed,
    slow,
    status,
    web_page,
)
from tests.support.gecko_world import START, GeckoWorld
from tests.support.material import requires_material
from tests.support.patient import PatientClock

pytestmark = pytest.mark.asyncio


class Setting:
    """A server, a clock that only sleeping moves, and a client."""

    def __init__(self, server: GeckoServer, **settings: Any) -> None:
        self.server, self.clock = server, PatientClock()
        parts = SourceParts(sleep=self.clock.sleep, random=Random(1))
        self.client = GeckoClient(server.settings(**settings), self.clock, parts)


@pytest.fixture
def server() -> Iterator[GeckoServer]:
    with GeckoServer() as running:
        yield running


@pytest_asyncio.fixture
async def setting(server: GeckoServer) -> AsyncIterator[Setting]:
    made = Setting(server)
    yield made
    await made.client.aclose()


async def test_new_pools_are_asked_for_with_tokens_and_exchanges(setting: Setting) -> None:
    page = await setting.client.new_pools(2)
    world = setting.server.world
    assert [one.address for one in page.pools] == [world.pool_address(number) for number in range(39, 19, -1)]
    (request,) = setting.server.seen
    assert request.path == "new_pools"
    assert request.params == {"include": "base_token,quote_token,dex", "page": "2"}
    assert "gzip" in request.headers["Accept-Encoding"]
    assert page.pools[0].base_token == world.mint(39)
    assert page.tokens[world.mint(39)].decimals == 6
    assert page.dexes["pumpswap"] == "Pumpswap"
    assert page.refused == () and page.drift == ()


async def test_pages_that_overlap_give_every_pool_once(setting: Setting) -> None:
    every: list[str] = []
    async for page in setting.client.new_pool_pages(3):
        every += [one.address for one in page.pools]
        setting.server.world.pool_count += 3  # three pools more between two pages
    assert len(every) == len(set(every)) == 54
    assert setting.server.paths() == ["new_pools"] * 3


async def test_an_empty_page_ends_the_pages(setting: Setting) -> None:
    merged = await setting.client.all_new_pools(10)
    assert len(merged.pools) == 60
    assert len(setting.server.seen) == 4
    assert len(merged.tokens) == 61 and set(merged.dexes) == {"pumpswap", "meteora-dbc", "raydium-clmm"}


async def test_one_pool_and_the_pools_of_its_token(setting: Setting) -> None:
    world = setting.server.world
    by_address = await setting.client.pool(f"solana_{world.pool_address(7)}")
    by_token = await setting.client.pools_of_token(world.mint(7))
    assert by_address.pools == by_token.pools
    assert setting.server.paths() == [f"pools/{world.pool_address(7)}", f"tokens/{world.mint(7)}/pools"]


async def test_a_pool_that_the_service_does_not_know_is_refused_with_its_words(setting: Setting) -> None:
    with pytest.raises(SourceRefused, match=r"HTTP 404.*Not Found") as caught:
        await setting.client.pool("Unknown111")
    assert caught.value.status == 404 and caught.value.title == "Not Found"
    assert setting.client.statistics.retries == 0


async def test_several_pools_at_once_without_those_that_nobody_knows(setting: Setting) -> None:
    world = setting.server.world
    page = await setting.client.pools([world.pool_address(9), "Unknown", f"solana_{world.pool_address(4)}"])
    assert [one.address for one in page.pools] == [world.pool_address(9), world.pool_address(4)]
    assert setting.server.paths() == [f"pools/multi/{world.pool_address(9)},Unknown,{world.pool_address(4)}"]
    for addresses in ([], ["a"] * 31):
        with pytest.raises(UsageError, match=f"{len(addresses)} pools"):
            await setting.client.pools(addresses)


async def test_what_is_odd_in_an_address_does_not_change_the_request(setting: Setting) -> None:
    with pytest.raises(SourceRefused):
        await setting.client.pool("../../new_pools?page=1")
    assert setting.server.seen[0].path == "pools/../../new_pools?page=1"
    for nothing in ("solana_", "", "..", "solana_."):
        with pytest.raises(UsageError, match="no address"):
            await setting.client.pool(nothing)


async def test_trades_are_the_last_three_hundred(setting: Setting) -> None:
    page = await setting.client.trades(setting.server.world.pool_address(3))
    assert len(page.trades) == 300 and page.is_full
    assert page.trades[0].at_ns > page.trades[-1].at_ns


async def test_small_trades_need_not_be_told(setting: Setting) -> None:
    page = await setting.client.trades(setting.server.world.pool_address(3), above_usd=Decimal("1500.5"))
    assert setting.server.seen[0].params == {"trade_volume_in_usd_greater_than": "1500.5"}
    assert 100 < len(page.trades) < 300 and not page.is_full
    assert all(one.volume_usd is not None and one.volume_usd > Decimal("1500.5") for one in page.trades)


@pytest.mark.parametrize(
    ("timeframe", "unit", "aggregate"),
    [("1m", "minute", "1"), ("15m", "minute", "15"), ("4h", "hour", "4"), ("1d", "day", "1")],
)
async def test_candles_are_asked_for_by_unit_and_aggregate(
    setting: Setting, timeframe: str, unit: str, aggregate: str
) -> None:
    pool = setting.server.world.pool_address(1)
    page = await setting.client.candles(pool, timeframe, before_seconds=START, limit=5)
    request = setting.server.seen[0]
    assert request.path == f"pools/{pool}/ohlcv/{unit}"
    expected = {"aggregate": aggregate, "limit": "5", "currency": "usd", "token": "base"}
    assert request.params == expected | {"before_timestamp": str(START)}
    starts = [one.start_seconds for one in page.candles]
    assert starts == sorted(starts) and all(start < START for start in starts)


async def test_candles_that_cannot_be_asked_for(setting: Setting) -> None:
    with pytest.raises(UsageError, match="'2m' is no length"):
        await setting.client.candles("pool", "2m")
    with pytest.raises(UsageError, match="1001 candles"):
        await setting.client.candles("pool", "1m", limit=1_001)
    with pytest.raises(UsageError, match="no page 11"):
        await setting.client.new_pools(11)
    assert setting.server.seen == []


async def test_an_aggregate_that_the_service_refuses_says_which_it_allows(setting: Setting) -> None:
    setting.server.always("pools/", status(400, "Invalid aggregate. Allowed values: 1, 5, 15"))
    with pytest.raises(SourceRefused, match="Allowed values: 1, 5, 15"):
        await setting.client.candles("pool", "1m")


async def test_candles_back_to_a_start_come_page_by_page_each_once() -> None:
    with GeckoServer(GeckoWorld(traded_seconds=200_000, gap_every=7)) as server:
        setting = Setting(server)
        pool, start = server.world.pool_address(2), START - 150_000
        pages = [page async for page in setting.client.candles_back_to(pool, "1m", start)]
        starts = [one.start_seconds for page in reversed(pages) for one in page.candles]
        expected = [one * 60 for one in range(-(-start // 60), START // 60 + 1) if one % 7]
        assert starts == expected
        assert len(server.seen) == 3
        await setting.client.aclose()


async def test_candles_end_where_the_service_has_nothing_older(setting: Setting) -> None:
    pool = setting.server.world.pool_address(2)
    pages = [page async for page in setting.client.candles_back_to(pool, "1h", 0)]
    assert len(pages) == 1 and len(pages[0].candles) == 21
    assert len(setting.server.seen) == 2


async def test_a_service_that_ignores_the_edge_does_not_hold_us_for_ever(setting: Setting) -> None:
    pool = setting.server.world.pool_address(2)
    newest = setting.server.world.candles(2, 60, None, 10)
    setting.server.always("pools/", ok(newest))
    pages = [page async for page in setting.client.candles_back_to(pool, "1m", 0)]
    assert len(pages) == 1 and len(setting.server.seen) == 2


async def test_retry_after_in_seconds_is_waited_for(setting: Setting) -> None:
    setting.server.script("new_pools", limited("30"))
    assert len((await setting.client.new_pools()).pools) == 20
    (waited,) = setting.clock.slept
    assert 30 <= waited < 31
    told = setting.client.statistics
    assert (told.requests, told.answers, told.retries, told.limited) == (2, 1, 1, 1)
    assert told.waited_seconds == waited


async def test_retry_after_as_a_date_is_waited_for(setting: Setting) -> None:
    setting.server.script("new_pools", limited(format_datetime(datetime.fromtimestamp(START + 25, UTC), usegmt=True)))
    await setting.client.new_pools()
    (waited,) = setting.clock.slept
    assert 25 <= waited < 26


async def test_503_with_retry_after_is_the_same(setting: Setting) -> None:
    setting.server.script("new_pools", limited("12"), status(503))
    await setting.client.new_pools()
    assert 12 <= setting.clock.slept[0] < 13 and 1 <= setting.clock.slept[1] < 2.01


async def test_a_service_that_wants_an_hour_is_reported_and_not_waited_for(setting: Setting) -> None:
    setting.server.script("new_pools", limited("3600"))
    with pytest.raises(SourceBusy, match="for 3600 s") as caught:
        await setting.client.new_pools()
    assert caught.value.retry_after_seconds == 3600 and setting.clock.slept == []
    assert setting.client.statistics.failed == 1


async def test_a_429_silences_all_requests_of_the_client(server: GeckoServer) -> None:
    setting = Setting(server, requests_per_minute=60)
    server.script("new_pools", limited("20"))
    began = setting.clock.now_ns()
    await asyncio.gather(*(setting.client.new_pools(page) for page in (1, 2, 3)))
    assert setting.clock.now_ns() - began >= 20 * NS_PER_SECOND
    assert setting.client.statistics.limited == 1
    await setting.client.aclose()


@pytest.mark.parametrize(
    "faults",
    [
        [status(500), status(502), status(503)],
        [cut()],
        [cut(honest_length=False)],
        [web_page(), web_page(503)],
        [dropped(), dropped()],
        [ok(b"")],
        [ok([1, 2, 3])],
        [ok({"data": "gone"})],
        [limited(), limited("not a time")],
        [status(408)],
    ],
    ids=["5xx", "cut json", "cut body", "web page", "dropped", "empty", "list", "no list", "429", "408"],
)
async def test_what_passes_by_itself_is_retried(setting: Setting, faults: list[Answer]) -> None:
    setting.server.script("new_pools", *faults)
    page = await setting.client.new_pools()
    assert len(page.pools) == 20
    assert setting.client.statistics.retries == len(faults) == len(setting.clock.slept)


async def test_waits_double_and_are_never_the_same_for_everybody(server: GeckoServer) -> None:
    server.always("", status(500))
    waits = []
    for seed in (1, 2):
        clock = PatientClock()
        parts = SourceParts(sleep=clock.sleep, random=Random(seed))
        async with GeckoClient(server.settings(max_retries=8), clock, parts) as client:
            with pytest.raises(SourceDown, match="HTTP 500"):
                await client.new_pools()
        waits.append(clock.slept)
        for attempt, waited in enumerate(clock.slept):
            assert min(2.0**attempt, 60) / 2 <= waited <= min(2.0**attempt, 60)
        assert len(clock.slept) == 8
    assert waits[0] != waits[1]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(500), SourceDown),
        (dropped(), SourceDown),
        (web_page(), UnreadableAnswer),
        (cut(), UnreadableAnswer),
        (limited("1"), SourceBusy),
    ],
)
async def test_after_the_last_retry_the_error_says_what_was_wrong(
    server: GeckoServer, fault: Answer, kind: type[Exception]
) -> None:
    setting = Setting(server, max_retries=2)
    server.always("", fault)
    with pytest.raises(kind) as caught:
        await setting.client.new_pools()
    assert "127.0.0.1" in str(caught.value) and getattr(caught.value, "hint", "")
    told = setting.client.statistics
    assert (told.requests, told.retries, told.failed, told.answers) == (3, 2, 1, 0)
    await setting.client.aclose()


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 422])
async def test_what_the_service_refuses_is_not_asked_again(setting: Setting, code: int) -> None:
    setting.server.always("", status(code, "No."))
    with pytest.raises(SourceRefused) as caught:
        await setting.client.new_pools()
    assert caught.value.status == code and caught.value.title == "No."
    assert len(setting.server.seen) == 1


async def test_an_error_that_is_called_a_success_is_a_refusal(setting: Setting) -> None:
    setting.server.always("", ok({"errors": [{"status": "429", "title": "You are out of credits"}]}))
    with pytest.raises(SourceRefused, match="out of credits"):
        await setting.client.new_pools()


async def test_a_slow_answer_is_given_up(server: GeckoServer) -> None:
    setting = Setting(server, timeout_seconds=1, max_retries=0)
    server.always("", slow(1.5))
    with pytest.raises(SourceDown, match="no answer within 1 s"):
        await setting.client.new_pools()
    await setting.client.aclose()


async def test_nobody_there_is_a_service_that_is_down() -> None:
    clock = PatientClock()
    settings = CollectSettings(gecko_url="http://127.0.0.1:1/api", max_retries=1, requests_per_minute=1_000)
    async with GeckoClient(settings, clock, SourceParts(sleep=clock.sleep)) as client:
        with pytest.raises(SourceDown, match="ConnectError"):
            await client.new_pools()


async def test_compressed_answers_are_unpacked_and_broken_ones_retried(setting: Setting) -> None:
    setting.server.script("new_pools", lambda request, right: replace(right, headers={"Content-Encoding": "gzip"}))
    setting.server.always("new_pools", packed())
    assert len((await setting.client.new_pools()).pools) == 20
    assert setting.client.statistics.retries == 1


async def test_an_answer_without_end_is_cut_off(server: GeckoServer) -> None:
    setting = Setting(server, max_retries=0)
    server.always("new_pools", replace(ok(b" " * (33 * 2**20)), packed=True))
    with pytest.raises(UnreadableAnswer, match="more than 32 MB"):
        await setting.client.new_pools()
    await setting.client.aclose()


async def test_the_rate_of_the_settings_is_kept(server: GeckoServer) -> None:
    setting = Setting(server, requests_per_minute=30)
    began = setting.clock.now_ns()
    for page in (1, 2, 3, 4):
        await setting.client.new_pools(page)
    assert setting.clock.now_ns() - began == 6 * NS_PER_SECOND
    assert setting.client.statistics.waited_seconds == 0
    await setting.client.aclose()


async def test_differences_are_counted_by_endpoint_and_field_over_all_answers(setting: Setting) -> None:
    def edit(told: Any) -> None:
        for one in told["data"]:
            one["attributes"]["trending_score"] = 7
            one["attributes"]["reserve_in_usd"] = 12.5
        del told["data"][0]["attributes"]["fdv_usd"]
        told["data"][1]["attributes"]["volume_usd"] = "much"

    setting.server.always("new_pools", changed(edit))
    first = await setting.client.new_pools()
    await setting.client.new_pools(2)
    where = "data[].attributes"
    assert setting.client.drift == (
        DriftNote("new_pools", f"{where}.fdv_usd", DriftKind.MISSING, 2),
        DriftNote("new_pools", f"{where}.reserve_in_usd", DriftKind.TYPE, 40),
        DriftNote("new_pools", f"{where}.trending_score", DriftKind.NEW, 40),
        DriftNote("new_pools", f"{where}.volume_usd", DriftKind.TYPE, 2),
    )
    assert [str(one) for one in first.refused] == ["data[1]: attributes.volume_usd should be an object, is 'much'"]
    assert len(first.pools) == 19 and str(first.pools[0].reserve_usd) == "12.5"


@pytest.mark.parametrize("url", ["ftp://x", "ws://host", "no url", "http://", "http://a:b:c", "http://host:99999999"])
async def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError):
        GeckoClient(CollectSettings(gecko_url=url), PatientClock())


async def test_a_clock_that_was_set_back_makes_nobody_wait_for_the_difference(server: GeckoServer) -> None:
    class Unsteady(PatientClock):
        back_ns = 0

        def now_ns(self) -> int:
            return super().now_ns() - self.back_ns

    clock = Unsteady()
    parts = SourceParts(sleep=clock.sleep, random=Random(1))
    async with GeckoClient(server.settings(max_retries=0), clock, parts) as client:
        server.script("new_pools", limited("60"))
        with pytest.raises(SourceBusy):
            await client.new_pools()
        clock.back_ns = 86_400 * NS_PER_SECOND
        await client.new_pools()
    assert sum(clock.slept) < 1


async def test_a_retry_after_of_nothing_does_not_make_us_hurry(setting: Setting) -> None:
    setting.server.script("new_pools", *[limited("0")] * 4)
    await setting.client.new_pools()
    assert [waited >= 2**attempt / 2 for attempt, waited in enumerate(setting.clock.slept)] == [True] * 4


@requires_material("real", "gecko")
async def test_the_recorded_answers_arrive_whole_through_everything_that_can_go_wrong() -> None:
    faults = [limited("3"), status(503), cut(), cut(honest_length=False), web_page(), dropped()]
    with GeckoServer(recorded=True) as server:
        setting, order = Setting(server, max_retries=6), Random(5)
        for path in ("new_pools", "pools/Dw4k", "pools/Dw4k/trades", "pools/Dw4k/ohlcv/hour", "pools/Dw4k/ohlcv/day"):
            server.script(path, *order.sample(faults, 6))
        client = setting.client
        pools = await client.new_pools()
        pool = await client.pool("Dw4k")
        trades = await client.trades("Dw4k")
        hours, days = await client.candles("Dw4k", "1h"), await client.candles("Dw4k", "1d")
        await client.aclose()
    assert (len(pools.pools), len(pool.pools), len(trades.trades)) == (3, 1, 99)
    assert (len(hours.candles), len(days.candles), hours.doubled) == (99, 131, (1_783_990_800,))
    assert client.drift == () and client.statistics.retries == 30 and client.statistics.answers == 5
