"""DexScreener: the second source, and whether both sources tell the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.errors import SourceDown, UnreadableAnswer
from pumpswap.market.dexscreener import DexScreenerClient, parse_pairs
from pumpswap.market.gecko.client import GeckoClient
from pumpswap.market.http_source import SourceParts
from pumpswap.market.source_agreement import sources_agree
from tests.market.gecko.bodies import WORLD, pairs
from tests.support.gecko_server import GeckoServer, status
from tests.support.gecko_world import WSOL
from tests.support.material import material, requires_material
from tests.support.patient import PatientClock

WIZARD = "7XdCaKpqLmKE2K7yr9xaeWB1H2CVZ1oGwxB6hmd9pump"


def recorded(name: str) -> bytes:
    path = material("real", "gecko", f"dexscreener_{name}.json")
    assert path is not None
    return path.read_bytes()


@requires_material("real", "gecko")
def test_the_recorded_pair_keeps_the_virtual_reserve_apart_from_the_vault() -> None:
    page = parse_pairs(recorded("pair_pumpswap"))
    (pair,) = page.pairs
    assert pair.liquidity_base is not None
    assert pair.price_quote * pair.liquidity_base == Decimal("550.378072002")
    assert pair.liquidity_quote == Decimal("538.3472")
    assert pair.volumes_usd["m5"] == 0 and pair.transactions["h24"] == (2577, 2031)
    assert pair.created_ns == 1_791_117_376 * 10**9 and pair.fdv_usd == 855_167
    assert page.refused == () and page.drift == ()


@requires_material("real", "gecko")
def test_the_recorded_pairs_of_a_token_and_the_one_that_has_it_on_the_quote_side() -> None:
    page = parse_pairs(recorded("token_pairs"))
    assert len(page.pairs) == 5 and len(page.priced_in(WIZARD)) == 4
    last = page.pairs[-1]
    assert last.quote_token == WIZARD
    assert (last.price_usd, last.liquidity_usd, last.liquidity_quote, last.fdv_usd) == (None, None, None, None)
    assert page.refused == () and page.drift == ()


def test_pairs_without_material() -> None:
    page = parse_pairs(pairs())
    assert [one.address for one in page.pairs] == [WORLD.pool_address(5), WORLD.pool_address(4)]
    assert page.pairs[0].quote_token == WSOL and page.drift == ()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("priceNative", None, "priceNative is null"),
        ("priceNative", "-1", "priceNative is below 0: '-1'"),
        ("liquidity", 5, "liquidity should be an object, is 5"),
        ("liquidity", {"usd": []}, "liquidity.usd is no number: []"),
        ("baseToken", None, "baseToken is null"),
        ("txns", {"h1": {"buys": 1}}, "txns.h1.sells is missing"),
        ("pairCreatedAt", "today", "pairCreatedAt is no whole number: 'today'"),
    ],
)
def test_what_makes_a_pair_unusable(name: str, value: object, reason: str) -> None:
    page = parse_pairs(pairs(lambda told: told["pairs"][0].update({name: value})))
    assert [str(one) for one in page.refused] == [f"pairs[0]: {reason}"]
    assert len(page.pairs) == 1


def test_new_fields_and_another_schema_are_noted() -> None:
    def edit(told: Any) -> None:
        told["schemaVersion"] = "2.0.0"
        told["pairs"][0]["rugScore"] = 3
        told["pairs"][0]["priceChange"]["h24"] = "-4.5"
        del told["pairs"][1]["txns"]

    page = parse_pairs(pairs(edit))
    assert [str(one) for one in page.drift] == [
        "token_pairs: pairs[].priceChange.h24 is of another type (1 times)",
        "token_pairs: pairs[].rugScore is new (1 times)",
        "token_pairs: pairs[].txns is missing (1 times)",
        "token_pairs: schemaVersion is of no possible value (1 times)",
    ]
    assert page.pairs[0].price_changes["h24"] == Decimal("-4.5")


def test_an_address_that_nobody_knows_has_no_pairs_and_an_odd_answer_is_an_error() -> None:
    assert parse_pairs(b'{"schemaVersion": "1.0.0", "pairs": null}').pairs == ()
    for body in (b'{"schemaVersion": "1.0.0"}', b'{"pairs": 5}', b"[]", b"<html>"):
        with pytest.raises(UnreadableAnswer):
            parse_pairs(body)


@pytest.mark.asyncio
async def test_the_client_asks_for_a_pair_and_for_the_pairs_of_a_token() -> None:
    with GeckoServer() as server:
        clock = PatientClock()
        async with DexScreenerClient(server.settings(), clock, SourceParts(sleep=clock.sleep)) as client:
            world = server.world
            (pair,) = (await client.pair(f"solana_{world.pool_address(3)}")).pairs
            assert (await client.token_pairs(world.mint(3))).pairs == (pair,)
            assert (await client.pair("Unknown")).pairs == ()
            assert server.paths()[:2] == [f"pairs/solana/{world.pool_address(3)}", f"dex-tokens/{world.mint(3)}"]
            server.always("pairs", status(502))
            with pytest.raises(SourceDown):
                await client.pair(world.pool_address(3))
            assert client.statistics.retries == 5 and client.drift == ()


@pytest.mark.asyncio
async def test_both_sources_of_one_market_agree() -> None:
    with GeckoServer() as server:
        clock = PatientClock()
        parts = SourceParts(sleep=clock.sleep)
        async with (
            GeckoClient(server.settings(), clock, parts) as gecko,
            DexScreenerClient(server.settings(), clock, parts) as other,
        ):
            (pool,) = (await gecko.pool(server.world.pool_address(3))).pools
            (pair,) = (await other.pair(server.world.pool_address(3))).pairs
    told = sources_agree(pool, pair)
    assert told.agrees and [one.what for one in told.compared] == ["price in USD", "price in SOL", "liquidity in USD"]

    assert pair.price_usd is not None and pair.liquidity_usd is not None
    dear = sources_agree(pool, replace(pair, price_usd=pair.price_usd * 2))
    assert not dear.agrees and "price in USD: they differ by 50.0" in dear.reasons[0]
    thin = sources_agree(pool, replace(pair, liquidity_usd=pair.liquidity_usd / 2))
    assert not thin.agrees and thin.reasons[2].startswith("liquidity in USD: they differ by 50.00%")
    assert sources_agree(
        pool, replace(pair, liquidity_usd=pair.liquidity_usd / 2), liquidity_tolerance=Decimal(1)
    ).agrees

    partly = sources_agree(pool, replace(pair, liquidity_usd=None))
    assert partly.agrees and partly.reasons[2] == "liquidity in USD: missing at one of the services"
    blind = sources_agree(replace(pool, base_price_usd=None, base_price_native=None), pair)
    assert not blind.agrees and blind.reasons[0] == "no price could be compared"
    turned = sources_agree(pool, replace(pair, base_token=pair.quote_token, quote_token=pair.base_token))
    assert not turned.agrees and "other way round" in turned.reasons[0]
    assert not sources_agree(pool, replace(pair, address="other")).agrees
