"""GeckoTerminal's answers: every digit kept, every refusal placed, every difference counted, nothing made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.errors import SourceRefused, UnreadableAnswer
from pumpswap.market.gecko.parse import parse_pool, parse_pools, parse_trades
from pumpswap.market.gecko.records import TradeCounts
from pumpswap.market.http_drift import DriftKind
from tests.market.gecko.bodies import WORLD, pools, trades
from tests.support.gecko_world import WSOL, dumped
from tests.support.material import material, requires_material

Edit = Callable[[Any], None]


def recorded(name: str) -> bytes:
    path = material("real", "gecko", f"geckoterminal_{name}.json")
    assert path is not None
    return path.read_bytes()


@requires_material("real", "gecko")
def test_the_recorded_new_pools_keep_every_digit_and_every_null() -> None:
    page = parse_pools(recorded("new_pools"))
    first, second, third = page.pools
    assert str(first.base_price_usd) == "0.0000336975402892474935741168842050479097005333850422637769405374544"
    assert first.base_price_native is None and first.market_cap_usd is None
    assert first.dex == "meteora-dbc" and first.reserve_usd == 0 and first.created_ns == 1_791_473_491 * 10**9
    assert first.transactions["m15"] == TradeCounts(7, 0, 7, 0)
    assert second.price_changes["h24"] == Decimal("-99.355")
    assert {one.quote_token for one in (first, second, third)} == {WSOL}
    assert page.refused == () and page.drift == ()
    assert all("_" not in mint for mint in page.tokens)


@requires_material("real", "gecko")
def test_the_recorded_pool_of_pumpswap() -> None:
    page = parse_pool(recorded("pool_pumpswap"))
    (pool,) = page.pools
    assert pool.id == "solana_2uZuTQEjcXcR1ESwMdGTpqEwM5PCekEwrSNVRPc1EhS1"
    assert (pool.network, pool.address) == ("solana", "2uZuTQEjcXcR1ESwMdGTpqEwM5PCekEwrSNVRPc1EhS1")
    assert pool.base_token == "8ZCmwpW3MtC5UpNcZf7U4HMvRNTo71syU11BDiAFpump"
    assert pool.reserve_usd == Decimal("73520.3799") and pool.volumes_usd["h6"] == Decimal("965515.839963246")
    assert page.tokens[WSOL].decimals == 9 and page.dexes == {"pumpswap": "PumpSwap"}
    assert page.drift == ()


@requires_material("real", "gecko")
@pytest.mark.parametrize(
    ("name", "count", "buys"), [("pumpswap", 99, 42), ("pumpswap_short", 3, 2), ("meteora_sol", 14, 6)]
)
def test_the_recorded_trades(name: str, count: int, buys: int) -> None:
    page = parse_trades(recorded(f"trades_{name}"))
    assert len(page.trades) == len({one.key for one in page.trades}) == count
    assert page.refused == () and page.drift == () and not page.is_full
    if name != "meteora_sol":
        assert sum(one.is_buy for one in page.trades) == buys
    # What was paid times its price is the volume: digits were neither lost nor mixed up.
    for one in page.trades:
        assert one.from_price_usd is not None and one.volume_usd is not None
        assert abs(one.from_amount * one.from_price_usd - one.volume_usd) < one.volume_usd / 10**12


@requires_material("real", "gecko")
def test_a_pool_quoted_in_usdc_has_trades_without_sol() -> None:
    page = parse_trades(recorded("trades_meteora_usdc"))
    tokens = {token for one in page.trades for token in (one.from_token, one.to_token)}
    assert len(page.trades) == 2 and WSOL not in tokens


@requires_material("real", "gecko")
def test_the_recorded_error_is_a_refusal_in_the_service_s_words() -> None:
    with pytest.raises(SourceRefused) as caught:
        parse_pools(recorded("ohlcv_bad_aggregate_http400"))
    assert caught.value.title == "Invalid aggregate. Allowed values: 1, 5, 15"


def test_pools_without_material() -> None:
    page = parse_pools(pools())
    assert [one.address for one in page.pools] == [WORLD.pool_address(number) for number in (5, 4, 3)]
    told = json.loads(pools())["data"][0]["attributes"]
    pool = page.pools[0]
    assert str(pool.base_price_usd) == told["base_token_price_usd"]
    assert str(pool.volumes_usd["h24"]) == told["volume_usd"]["h24"]
    assert pool.transactions["h1"].buys == told["transactions"]["h1"]["buys"]
    assert page.drift == ()


def test_a_pool_that_is_odd_is_refused_with_its_place_and_the_others_are_kept() -> None:
    def edit(told: Any) -> None:
        told["data"][1]["attributes"]["reserve_in_usd"] = "a lot"

    page = parse_pools(pools(edit))
    assert [one.address for one in page.pools] == [WORLD.pool_address(5), WORLD.pool_address(3)]
    assert [str(one) for one in page.refused] == ["data[1]: attributes.reserve_in_usd is no number: 'a lot'"]
    assert [str(one) for one in page.drift] == [
        "new_pools: data[].attributes.reserve_in_usd is of no possible value (1 times)"
    ]


def _set(where: str, value: object) -> Edit:
    """Set a field of the first element; ``where`` is dotted."""

    def edit(told: Any) -> None:
        *path, last = where.split(".")
        one = told["data"][0]
        for part in path:
            one = one[part]
        one[last] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_set("id", None), "id is null"),
        (_set("id", 7), "id should be a text, is 7"),
        (_set("id", "  "), "id is empty"),
        (_set("id", "solana_\0"), "id is no identifier: 'solana_\\x00'"),
        (_set("id", "x" * 201), f"id is no identifier: '{'x' * 38}…"),
        (_set("id", "solana_Other"), "attributes.address names another pool than the id solana_Other"),
        (_set("attributes", []), "attributes should be an object, is []"),
        (_set("attributes.address", None), "attributes.address is null"),
        (_set("attributes.pool_created_at", "yesterday"), "attributes.pool_created_at is no time: 'yesterday'"),
        (_set("attributes.pool_created_at", 5), "attributes.pool_created_at should be a text, is 5"),
        (_set("attributes.base_token_price_usd", "NaN"), "attributes.base_token_price_usd is no number: 'NaN'"),
        (_set("attributes.base_token_price_usd", "1_000"), "attributes.base_token_price_usd is no number: '1_000'"),
        (_set("attributes.base_token_price_usd", True), "attributes.base_token_price_usd is no number: True"),
        (_set("attributes.base_token_price_usd", "1e101"), "attributes.base_token_price_usd is no number: '1e101'"),
        (_set("attributes.base_token_price_usd", "-1"), "attributes.base_token_price_usd is below 0: '-1'"),
        (_set("attributes.volume_usd", "12"), "attributes.volume_usd should be an object, is '12'"),
        (_set("attributes.volume_usd.h24", "x"), "attributes.volume_usd.h24 is no number: 'x'"),
        (_set("attributes.transactions.h24.buys", -1), "attributes.transactions.h24.buys is no count: -1"),
        (_set("attributes.transactions.h24.buys", 1.5), "attributes.transactions.h24.buys is no count: Decimal('1.5')"),
        (_set("attributes.transactions.h24.buys", "7"), "attributes.transactions.h24.buys is no whole number: '7'"),
        (_set("attributes.transactions.h24", {"buys": 1}), "attributes.transactions.h24.sells is missing"),
        (_set("relationships.dex", {"data": None}), "relationships.dex names no exchange"),
        (_set("relationships", "none"), "relationships should be an object, is 'none'"),
    ],
)
def test_what_makes_a_pool_unusable(edit: Edit, reason: str) -> None:
    page = parse_pools(pools(edit))
    assert [str(one) for one in page.refused] == [f"data[0]: {reason}"]
    assert len(page.pools) == 2 and page.drift != ()


def test_a_missing_figure_is_none_and_noted_and_a_null_is_none_and_normal() -> None:
    def edit(told: Any) -> None:
        del told["data"][0]["attributes"]["reserve_in_usd"]
        told["data"][1]["attributes"]["reserve_in_usd"] = None

    page = parse_pools(pools(edit))
    assert [one.reserve_usd is None for one in page.pools] == [True, True, False]
    assert [(one.field, one.kind) for one in page.drift] == [("data[].attributes.reserve_in_usd", DriftKind.MISSING)]


def test_a_json_number_in_the_place_of_a_text_is_the_same_number_and_noted() -> None:
    text = b'"reserve_in_usd": "'
    start = pools().index(text)
    end = pools().index(b'"', start + len(text))
    body = pools()[:start] + b'"reserve_in_usd": 0.1234567890123456789012345678901234567890' + pools()[end + 1 :]
    page = parse_pools(body)
    assert str(page.pools[0].reserve_usd) == "0.1234567890123456789012345678901234567890"
    assert [(one.field, one.kind) for one in page.drift] == [("data[].attributes.reserve_in_usd", DriftKind.TYPE)]


def test_new_fields_and_windows_are_ignored_and_noted() -> None:
    def edit(told: Any) -> None:
        for one in told["data"]:
            one["attributes"]["sniper_score"] = {"deep": [1]}
            one["attributes"]["volume_usd"]["d7"] = "5"
            one["links"] = {}
        told["warning"] = "this endpoint will go away"

    page = parse_pools(pools(edit))
    assert len(page.pools) == 3
    assert [str(one) for one in page.drift] == [
        "new_pools: data[].attributes.sniper_score is new (3 times)",
        "new_pools: data[].attributes.volume_usd.d7 is new (3 times)",
        "new_pools: data[].links is new (3 times)",
        "new_pools: warning is new (1 times)",
    ]
    assert page.pools[0].volumes_usd["d7"] == 5


def test_names_of_fields_are_anybody_s_too() -> None:
    def edit(told: Any) -> None:
        told["data"][0]["attributes"] |= {"\x1b[31mred": 1, "long" * 50: 2}
        told["data"][1]["attributes"] |= {f"field {number}": number for number in range(1_500)}

    page = parse_pools(pools(edit))
    assert len(page.pools) == 3 and len(page.drift) == 1_001
    assert page.drift[0].field == "data[].attributes.?[31mred" and page.drift[-1].field == "… further fields"
    assert sum(one.count for one in page.drift) == 1_502
    assert max(len(one.field) for one in page.drift) < 60


def test_what_the_service_says_is_one_plain_line() -> None:
    body = dumped({"errors": [{"title": "no\n\x1b[31mway" + "y" * 500}]})
    with pytest.raises(SourceRefused) as caught:
        parse_pools(body)
    assert caught.value.title.startswith("no ?[31mway") and len(caught.value.title) == 200


@pytest.mark.parametrize(
    ("identifier", "address", "network"),
    [
        ("eth_0xabc", "eth_0xabc", "solana"),
        ("base_0xabc", "0xabc", "base"),
        ("sui-network_0xabc", "0xabc", "sui-network"),
        ("ton-network_EQ_x", "EQ_x", "ton-network"),
        ("solana_AbC", "solana_AbC", "solana"),
        ("AbC", "AbC", "solana"),
    ],
)
def test_ids_with_and_without_a_network(identifier: str, address: str, network: str) -> None:
    def edit(told: Any) -> None:
        told["data"][0]["id"], told["data"][0]["attributes"]["address"] = identifier, address

    pool = parse_pools(pools(edit)).pools[0]
    assert pool.network == network and pool.id == identifier
    assert pool.address == address.removeprefix("solana_")


def test_included_things_of_other_kinds_are_left_and_broken_ones_refused() -> None:
    def edit(told: Any) -> None:
        told["included"].append({"id": "x", "type": "network", "attributes": {}})
        told["included"][0]["attributes"]["decimals"] = 300
        told["included"][1]["id"] = "solana_Other"

    page = parse_pools(pools(edit))
    assert [one.place for one in page.refused] == ["included[0]", "included[1]"]
    assert page.refused[0].reason == "attributes.decimals is more than 255: 300"
    assert len(page.tokens) == 2


def test_a_name_is_anybody_s_and_its_nul_characters_are_left_out() -> None:
    def edit(told: Any) -> None:
        told["data"][0]["attributes"]["name"] = "a\0b\n\u202e"
        told["data"][1]["attributes"]["name"] = None

    page = parse_pools(pools(edit))
    assert [one.name for one in page.pools[:2]] == ["ab\n\u202e", ""]


def test_no_included_is_no_tokens() -> None:
    page = parse_pools(pools(lambda told: told.pop("included")))
    assert page.tokens == {} and len(page.pools) == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty answer"),
        (b"  <html>", "a web page instead of JSON"),
        (pools()[:500], "broken or cut JSON, 500 bytes"),
        (b"\xff\xfe", "broken or cut JSON"),
        (b"[]", "JSON without an object"),
        (b"{}", "data is missing"),
        (b'{"data": null}', "data is null"),
        (b'{"data": {}}', "data should be a list"),
        (b'{"data": [], "included": 5}', "included should be a list"),
        (b'{"data": ' + b"[" * 100_000, "broken or cut JSON"),
        (b'{"data": [' + b"9" * 5_000 + b"]}", "broken or cut JSON"),
        (b'{"data": [NaN]}', "broken or cut JSON"),
    ],
)
def test_an_answer_that_is_none_says_what_it_is(body: bytes, words: str) -> None:
    with pytest.raises(UnreadableAnswer, match=words):
        parse_pools(body)


def test_one_pool_that_cannot_be_used_is_an_error() -> None:
    told = WORLD.one_pool(1)
    assert parse_pool(dumped(told)).pools[0].address == WORLD.pool_address(1)
    told["data"]["attributes"]["address"] = ""
    with pytest.raises(UnreadableAnswer, match=r"pool: data: attributes\.address is empty"):
        parse_pool(dumped(told))
    with pytest.raises(UnreadableAnswer, match="data is null"):
        parse_pool(b'{"data": null}')


def test_trades_without_material() -> None:
    page = parse_trades(trades())
    told = json.loads(trades())["data"][0]["attributes"]
    one = page.trades[0]
    assert (one.slot, one.transaction, one.trader) == (told["block_number"], told["tx_hash"], told["tx_from_address"])
    assert str(one.from_amount) == told["from_token_amount"] and str(one.volume_usd) == told["volume_in_usd"]
    assert one.is_buy == (told["kind"] == "buy") == (one.from_token == WSOL)
    assert page.drift == () and not page.is_full


def test_three_hundred_trades_may_not_be_all() -> None:
    assert parse_trades(dumped(WORLD.trades(2, 300))).is_full
    assert not parse_trades(dumped(WORLD.trades(2, 299))).is_full


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_set("attributes.kind", "swap"), "attributes.kind is neither buy nor sell: 'swap'"),
        (_set("attributes.block_number", "12"), "attributes.block_number is no whole number: '12'"),
        (_set("attributes.from_token_amount", None), "attributes.from_token_amount is null"),
        (_set("attributes.from_token_amount", "0x10"), "attributes.from_token_amount is no number: '0x10'"),
        (_set("attributes.block_timestamp", "2026-13-01T00:00:00Z"), None),
        (_set("attributes.tx_hash", ""), "attributes.tx_hash is empty"),
        (_set("attributes.volume_in_usd", [1]), "attributes.volume_in_usd is no number: [1]"),
    ],
)
def test_what_makes_a_trade_unusable(edit: Edit, reason: str | None) -> None:
    page = parse_trades(trades(edit))
    assert len(page.trades) == 3
    (refused,) = page.refused
    assert refused.place == "data[0]" and (reason is None or refused.reason == reason)


def test_a_trade_without_a_price_is_still_a_trade() -> None:
    page = parse_trades(trades(_set("attributes.price_from_in_usd", None)))
    assert page.trades[0].from_price_usd is None and page.trades[1].from_price_usd is not None
    assert page.refused == () and page.drift == ()


def test_the_same_trade_in_two_answers_has_two_ids_and_one_key() -> None:
    first = parse_trades(trades()).trades[1]
    second = parse_trades(trades(lambda told: told["data"][1].update(id="solana_1_x_60_1791999999"))).trades[1]
    assert first.id != second.id and first.key == second.key
