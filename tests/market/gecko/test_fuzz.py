"""Whatever a service answers: named errors only, and no figure that the answer does not have."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.clock import parse_utc
from pumpswap.errors import DataSourceError
from pumpswap.market.dexscreener import parse_pairs
from pumpswap.market.gecko.convert import TradedPair, candle_of, observed_trade, snapshot_of, swap_of
from pumpswap.market.gecko.parse import parse_pool, parse_pools, parse_trades
from pumpswap.market.gecko.parse_candles import parse_candles
from pumpswap.market.http_drift import DriftNote, Refused
from pumpswap.market.http_fields import exact_number
from pumpswap.market.identifiers import bare_address, network_of
from tests.market.gecko.bodies import WORLD, candles, pairs, pools, trades
from tests.support.gecko_world import WSOL, dumped
from tests.support.material import material

KINDS: list[tuple[str, Callable[[bytes], Any], list[bytes]]] = [
    ("pools", parse_pools, [pools()]),
    ("pool", parse_pool, [dumped(WORLD.one_pool(1))]),
    ("trades", parse_trades, [trades()]),
    ("candles", lambda body: parse_candles(body, "1m"), [candles()]),
    ("pairs", parse_pairs, [pairs()]),
]
for index, names in enumerate(
    (
        ("geckoterminal_new_pools",),
        ("geckoterminal_pool_pumpswap",),
        ("geckoterminal_trades_pumpswap_short", "geckoterminal_trades_meteora_usdc"),
        ("geckoterminal_ohlcv_minute",),
        ("dexscreener_token_pairs", "dexscreener_pair_pumpswap"),
    )
):
    paths = (material("real", "gecko", f"{name}.json") for name in names)
    KINDS[index][2].extend(path.read_bytes() for path in paths if path is not None)

NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 2**63, 1e308, 5e-324]),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["NaN", "1e5", "1e999", "-0", "0.0", "buy", "solana_x", "9" * 300, "2026-10-08T15:32:10Z", "\u0661"]
    ),
    NUMBERS.map(str),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


def places(told: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document and a key in it."""
    items = list(told.items()) if isinstance(told, dict) else list(enumerate(told)) if isinstance(told, list) else []
    for key, value in items:
        yield told, key
        yield from places(value)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, Callable[[bytes], Any], bytes]:
    """An answer with a few things in it replaced, removed, added or doubled."""
    name, parse, bodies = draw(st.sampled_from(KINDS))
    told = json.loads(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 4))):
        found = list(places(told))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        match draw(st.sampled_from(("replace", "remove", "add", "double"))):
            case "replace":
                holder[key] = draw(VALUES)
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(TEXTS)] = draw(VALUES)
            case _ if isinstance(holder, list):
                holder.insert(0, holder[key])
            case _:
                pass
    return name, parse, dumped(told)


def leaves(told: Any) -> Iterator[object]:
    """Every value of a document, and every key."""
    if isinstance(told, dict):
        yield from told
        told = list(told.values())
    if isinstance(told, list):
        for value in told:
            yield from leaves(value)
    else:
        yield told


def figures(value: object) -> Iterator[object]:
    """Every number and text of a result, notes and refusals apart."""
    if isinstance(value, DriftNote | Refused):
        return
    if is_dataclass(value):
        for one in fields(value):
            yield from figures(getattr(value, one.name))
    elif isinstance(value, dict):
        yield from (each for one in value.values() for each in figures(one))
    elif isinstance(value, tuple | list):
        yield from (each for one in value for each in figures(one))
    elif value is not None and not isinstance(value, bool):
        yield value


def told_by(body: bytes) -> set[object]:
    """What an answer says: its numbers, texts, addresses and times, as a result may hold them."""
    said: set[object] = {"", "1m"}
    for leaf in leaves(json.loads(body, parse_float=Decimal)):
        number = exact_number(leaf)
        if number is not None:
            said |= {number, number * 10**6} if abs(number) < 10**15 else {number}
        if isinstance(leaf, str):
            said |= {leaf, leaf.replace("\0", ""), bare_address(leaf), network_of(leaf)}
            with contextlib.suppress(ValueError, OverflowError):
                said.add(parse_utc(leaf))
    return said


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_a_damaged_answer_gives_what_it_says_or_a_named_error(case: tuple[str, Callable[[bytes], Any], bytes]) -> None:
    _, parse, body = case
    page = page_or_error(parse, body)
    if isinstance(page, DataSourceError):
        return
    assert page is not None
    said = told_by(body)
    for figure in figures(page):
        assert figure in said, figure
    convert(page)


def page_or_error(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """The page, or an error with something to read in it; any other error is a failure."""
    try:
        return parse(body)
    except DataSourceError as error:
        return error if error.what and error.hint else None


def convert(page: Any) -> None:
    """Nothing that was read breaks what comes after it."""
    pair = TradedPair("pool", WORLD.mint(2), WSOL, 6, 9)
    for pool in getattr(page, "pools", ()):
        assert snapshot_of(pool, 1).pool == pool.address
    for trade in getattr(page, "trades", ()):
        assert swap_of(trade, pair) and observed_trade(trade, pair)
    for candle in getattr(page, "candles", ()):
        assert candle_of(candle, "pool").low_usd <= candle.open_usd <= candle.high_usd


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_any_bytes_give_a_page_or_a_named_error(
    kind: tuple[str, Callable[[bytes], Any], list[bytes]], data: st.DataObject
) -> None:
    _, parse, bodies = kind
    body = bytearray(data.draw(st.sampled_from(bodies)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body))) :]
    assert page_or_error(parse, bytes(body))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["replace", "keep"]), min_size=3, max_size=3), VALUES)
def test_every_element_is_either_kept_or_refused(acts: list[str], value: Any) -> None:
    told = json.loads(pools())
    told["data"] = [value if act == "replace" else one for act, one in zip(acts, told["data"], strict=True)]
    page = parse_pools(dumped(told))
    assert len(page.pools) == acts.count("keep")
    assert [one.place for one in page.refused] == [f"data[{at}]" for at, act in enumerate(acts) if act == "replace"]
    assert bool(page.drift) == bool(page.refused)
