"""GeckoClient against a real HTTP server on loopback: what it asks, and how it goes from page to page."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pumpswap.errors import SourceRefused, UsageError
from tests.market.gecko.conftest import Setting
from tests.support.gecko_server import (
    GeckoServer,
    ok,
    status,
)
from tests.support.gecko_world import START, GeckoWorld

pytestmark = pytest.mark.asyncio


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
