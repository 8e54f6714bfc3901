"""Figures of two services for a screen: believed when they agree, never guessed, never an error."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pumpswap.app.market_figures import with_market_figures
from pumpswap.market.http_source import SourceParts
from pumpswap.model import ScreenCheck, ScreenVerdict, TokenFacts
from pumpswap.signals.screens import screen_token
from tests.signals.screens.coins import good
from tests.support.gecko_server import GeckoServer, changed, status
from tests.support.gecko_world import GeckoWorld
from tests.support.patient import PatientClock

NUMBER = 4


def coin(world: GeckoWorld) -> TokenFacts:
    facts = good()
    assert facts.pool is not None
    return replace(facts, pool=replace(facts.pool, address=world.pool_address(NUMBER)))


def asked(server: GeckoServer, facts: TokenFacts, **changes: Any) -> TokenFacts:
    clock = PatientClock()
    settings = server.settings(max_retries=1, **changes)
    return asyncio.run(with_market_figures(facts, settings, clock, SourceParts(sleep=clock.sleep)))


def check(facts: TokenFacts) -> ScreenCheck | None:
    found = {one.name: one for one in screen_token(facts).checks}
    return found.get("market figures")


def test_two_services_that_agree_are_believed_to_the_last_digit_of_the_first() -> None:
    with GeckoServer() as server:
        found = asked(server, coin(server.world))
        told = server.world.pool(NUMBER)["attributes"]
    assert found.market is not None
    assert found.market.fdv_usd == float(told["fdv_usd"])
    assert found.market.volume_usd_h24 == float(told["volume_usd"]["h24"])
    assert found.market.reserve_usd == float(told["reserve_in_usd"])
    day = told["transactions"]["h24"]
    assert (found.market.buys_h24, found.market.sells_h24) == (day["buys"], day["sells"])
    assert "market" not in found.unread


def test_services_that_contradict_each_other_are_not_believed() -> None:
    def emptied(told: Any) -> None:
        told["pairs"][0]["liquidity"]["usd"] = 3

    with GeckoServer() as server:
        facts = coin(server.world)
        server.always(f"pairs/solana/{server.world.pool_address(NUMBER)}", changed(emptied))
        found = asked(server, facts)
    assert found.market is None
    assert found.unread["market"].startswith("GeckoTerminal and DexScreener do not agree: ")
    assert "liquidity in USD: they differ" in found.unread["market"]
    seen = check(found)
    assert seen is not None
    assert seen.verdict is ScreenVerdict.UNKNOWN
    assert not screen_token(found).is_safe


@pytest.mark.parametrize("failing", ["pools/{}", "pairs/solana/{}"])
def test_one_that_fails_is_replaced_by_the_other(failing: str) -> None:
    with GeckoServer() as server:
        facts = coin(server.world)
        server.always(failing.format(server.world.pool_address(NUMBER)), status(500))
        found = asked(server, facts)
        reserve = float(server.world.pool(NUMBER)["attributes"]["reserve_in_usd"])
    assert found.market is not None
    assert found.market.reserve_usd == pytest.approx(reserve, abs=0.01)


def test_when_nobody_answers_the_reasons_of_both_are_told() -> None:
    with GeckoServer() as server:
        facts = coin(server.world)
        for path in ("pools/{}", "pairs/solana/{}"):
            server.always(path.format(server.world.pool_address(NUMBER)), status(503))
        found = asked(server, facts)
    assert found.market is None
    assert "GeckoTerminal: " in found.unread["market"]
    assert "DexScreener: " in found.unread["market"]
    seen = check(found)
    assert seen is not None
    assert seen.verdict is ScreenVerdict.UNKNOWN
    assert "503" in seen.reason


def test_a_pool_that_no_service_knows_is_told_of_by_nobody() -> None:
    with GeckoServer() as server:
        found = asked(server, good())
    assert found.market is None
    assert "(HTTP 404)" in found.unread["market"]
    assert found.unread["market"].endswith("; DexScreener: it does not tell of this pool")
    seen = check(found)
    assert seen is not None
    assert seen.verdict is ScreenVerdict.UNKNOWN


def test_a_coin_without_a_pool_is_asked_about_nowhere() -> None:
    with GeckoServer() as server:
        found = asked(server, good(pool=None))
        assert server.paths() == []
    assert found.unread["market"] == "there is no pool to ask about"
    assert check(good()) is None
