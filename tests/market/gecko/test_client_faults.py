"""GeckoClient when the service fails: what is waited for, what is asked again, what is given up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import Any

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError, SourceBusy, SourceDown, SourceRefused, UnreadableAnswer
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_drift import DriftKind, DriftNote
from pumpswap.market.http_source import SourceParts
from pumpswap.settings import CollectSettings
from tests.market.gecko.conftest import Setting
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
from tests.support.gecko_world import START
from tests.support.material import requires_material
from tests.support.patient import PatientClock

pytestmark = pytest.mark.asyncio


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


async def test_p18_a_429_silences_all_requests_of_the_client(server: GeckoServer) -> None:
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


async def test_p18_the_rate_of_the_settings_is_kept(server: GeckoServer) -> None:
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
