"""GeckoTerminal's candles: from old to new, one per start, every digit kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.errors import SourceRefused, UnreadableAnswer, UsageError
from pumpswap.market.candle_file import TIMEFRAMES
from pumpswap.market.gecko.parse_candles import parse_candles
from tests.market.gecko.bodies import WORLD, candles
from tests.support.gecko_world import WSOL, dumped
from tests.support.material import material, requires_material


def recorded(name: str) -> bytes:
    path = material("real", "gecko", f"geckoterminal_ohlcv_{name}.json")
    assert path is not None
    return path.read_bytes()


@requires_material("real", "gecko")
@pytest.mark.parametrize(("name", "timeframe", "count"), [("minute", "1m", 10), ("hour", "1h", 99), ("day", "1d", 131)])
def test_the_recorded_candles(name: str, timeframe: str, count: int) -> None:
    page = parse_candles(recorded(name), timeframe)
    starts = [one.start_seconds for one in page.candles]
    assert len(starts) == count and starts == sorted(set(starts))
    assert page.refused == () and page.drift == () and page.quote_token == WSOL
    newest = json.loads(recorded(name), parse_float=str)["data"]["attributes"]["ohlcv_list"][0]
    last = page.candles[-1]
    assert [
        str(one) for one in (last.open_usd, last.high_usd, last.low_usd, last.close_usd, last.volume_usd)
    ] == newest[1:]


@requires_material("real", "gecko")
def test_of_the_recorded_doubled_hour_the_candle_stays_that_continues_from_the_one_before() -> None:
    page = parse_candles(recorded("hour"), "1h")
    assert page.doubled == (1_783_990_800,)
    by_start = {one.start_seconds: one for one in page.candles}
    kept, before = by_start[1_783_990_800], by_start[1_783_987_200]
    assert kept.open_usd == before.close_usd == Decimal("0.00022109713577764644")
    assert kept.close_usd == Decimal("0.00022163448658574423")


def _rows(told: Any) -> list[list[Any]]:
    rows: list[list[Any]] = told["data"]["attributes"]["ohlcv_list"]
    return rows


def test_candles_without_material() -> None:
    page = parse_candles(candles(), "1m")
    rows = sorted(_rows(json.loads(candles(), parse_float=Decimal)))
    assert [
        [one.start_seconds, one.open_usd, one.high_usd, one.low_usd, one.close_usd, one.volume_usd]
        for one in page.candles
    ] == rows
    assert {one.timeframe for one in page.candles} == {"1m"}
    assert (page.base_token, page.quote_token) == (WORLD.mint(2), WSOL)


def test_the_same_candle_twice_is_one_and_not_worth_a_note() -> None:
    page = parse_candles(candles(lambda told: _rows(told).insert(2, list(_rows(told)[1]))), "1m")
    assert len(page.candles) == 5 and page.doubled == ()


@pytest.mark.parametrize("flat_first", [True, False])
def test_of_two_different_ones_the_wider_stays_wherever_it_stands(flat_first: bool) -> None:
    def edit(told: Any) -> None:
        rows = _rows(told)
        close = rows[1][4]
        rows.insert(1 if flat_first else 2, [rows[1][0], close, close, close, close, rows[1][5]])

    page = parse_candles(candles(edit), "1m")
    assert page.candles == parse_candles(candles(), "1m").candles
    assert page.doubled == (_rows(json.loads(candles()))[1][0],)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("text", "is no list of start, four prices and volume"),
        ([60, 1, 1, 1, 1], "is no list of start, four prices and volume"),
        ([61, 1, 1, 1, 1, 1], "does not start a candle of 1m: 61"),
        ([60_000_000_000_000, 1, 1, 1, 1, 1], "does not start a candle of 1m: 60000000000000"),
        (["60", 1, 1, 1, 1, 1], "is no whole number: '60'"),
        ([60, None, 1, 1, 1, 1], "is no number: null"),
        ([60, 1, 1, 1, 1, None], "is no number: null"),
        ([60, 1, 1, 1, 1, -1], "is below 0: -1"),
        ([60, 0, 1, 0, 1, 1], "its prices are not positive"),
        ([60, 1, 1, 1, 2, 1], "its prices are not positive, or its high or low is not the highest or lowest"),
    ],
)
def test_what_makes_a_candle_unusable(row: Any, reason: str) -> None:
    page = parse_candles(candles(lambda told: _rows(told).__setitem__(3, row)), "1m")
    assert len(page.candles) == 4
    (refused,) = page.refused
    assert refused.place == "data.attributes.ohlcv_list[3]" and refused.reason.startswith(reason)
    assert page.drift != ()


def test_candles_of_another_length_than_asked_for_are_refused() -> None:
    page = parse_candles(candles(), "1d")
    assert page.candles == () and len(page.refused) == 5


def test_no_candles_is_an_empty_page() -> None:
    page = parse_candles(dumped(WORLD.candles(2, 60, 0, 5)), "1m")
    assert page.candles == () and page.refused == ()


def test_a_body_without_candles_is_refused() -> None:
    with pytest.raises(UnreadableAnswer, match=r"ohlcv: data\.attributes\.ohlcv_list is missing"):
        parse_candles(b'{"data": {"attributes": {}}}', "1m")
    with pytest.raises(SourceRefused, match="Invalid aggregate"):
        parse_candles(b'{"errors": [{"status": "400", "title": "Invalid aggregate"}]}', "1m")
    with pytest.raises(UsageError, match="'7m' is no length"):
        parse_candles(candles(), "7m")


def test_meta_may_be_missing() -> None:
    page = parse_candles(candles(lambda told: told.pop("meta")), "1m")
    assert (page.base_token, page.quote_token, len(page.candles)) == (None, None, 5)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_every_length_of_the_house_can_be_read(timeframe: str) -> None:
    seconds = TIMEFRAMES[timeframe]
    page = parse_candles(dumped(WORLD.candles(2, seconds, None, 3)), timeframe)
    assert page.candles and all(one.start_seconds % seconds == 0 for one in page.candles)
