"""Bars against a reference in plain Python, and what a bar may know."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import UsageError
from pumpswap.market.lake import Lake, LakeReader, LakeWriter
from pumpswap.market.lake.bars import Bar, BarRule, bars, read_bars
from pumpswap.model import Swap
from tests.market.lake.rows import DAY, MIDNIGHT, MINUTE, lake_of, many_swaps, swap

AMOUNTS = st.one_of(
    st.integers(0, 5),
    st.integers(1, 2**64 - 1),
    st.integers(2**64 - 4, 2**64 - 1),
    st.integers(2**53 - 2, 2**53 + 3),
)
RULES = st.one_of(
    st.sampled_from([BarRule(seconds=length) for length in (1, 60, 300, 86_400)]),
    st.integers(1, 5).map(lambda count: BarRule(trades=count)),
    st.one_of(st.integers(1, 20), st.integers(1, 2**66)).map(lambda units: BarRule(quote_units=units)),
)


@st.composite
def markets(draw: st.DrawFn) -> list[Swap]:
    rows = draw(
        st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 400), AMOUNTS, AMOUNTS, st.booleans()), max_size=30)
    )
    rows.sort(key=lambda row: row[1])
    return [
        Swap(f"Pool{pool}", MIDNIGHT + second * 10**9, is_buy, base, quote, "", f"Signature{number}", second // 2, 0)
        for number, (pool, second, base, quote, is_buy) in enumerate(rows)
    ]


def reference(swaps: Sequence[Swap], rule: BarRule) -> list[Bar]:
    """The same in the plainest way: one pool, one trade after the other."""
    result: list[Bar] = []
    for pool in sorted({one.pool for one in swaps}):
        mine, groups = [one for one in swaps if one.pool == pool], {}
        volume = 0
        for count, one in enumerate(mine):
            if rule.seconds:
                key = one.at_ns // (rule.seconds * 10**9)
            elif rule.trades:
                key = count // rule.trades
            else:
                key = volume // rule.quote_units
            volume += one.quote_units
            groups.setdefault(key, []).append((one, volume))
        for key, members in groups.items():
            trades = [one for one, _ in members]
            if rule.trades and len(trades) < rule.trades:
                continue
            if rule.quote_units and members[-1][1] // rule.quote_units == key:
                continue
            prices = [Fraction(one.quote_units, one.base_units) for one in trades if one.base_units]
            length = rule.seconds * 10**9
            result.append(
                Bar(
                    pool=pool,
                    start_ns=key * length if length else trades[0].at_ns,
                    known_ns=(key + 1) * length if length else trades[-1].at_ns,
                    open=prices[0] if prices else None,
                    high=max(prices) if prices else None,
                    low=min(prices) if prices else None,
                    close=prices[-1] if prices else None,
                    base_units=sum(one.base_units for one in trades),
                    quote_units=sum(one.quote_units for one in trades),
                    buys=sum(one.is_buy for one in trades),
                    sells=sum(not one.is_buy for one in trades),
                )
            )
    return result


@settings(max_examples=120, deadline=None)
@given(markets(), RULES, st.integers(1, 40))
def test_bars_equal_the_plain_reference(swaps: list[Swap], rule: BarRule, flush_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        with LakeWriter(lake, flush_rows=flush_rows) as writer:
            writer.add("swaps", swaps)
        assert list(read_bars(LakeReader(lake), rule)) == reference(swaps, rule)


@settings(max_examples=60, deadline=None)
@given(markets(), RULES, st.integers(0, 420))
def test_what_comes_later_changes_no_bar_that_is_known(swaps: list[Swap], rule: BarRule, second: int) -> None:
    now = MIDNIGHT + second * 10**9
    with tempfile.TemporaryDirectory() as folder:
        reader = LakeReader(lake_of(Path(folder), *swaps))
        then = list(read_bars(reader, rule, end_ns=now))
        later = [bar for bar in read_bars(reader, rule) if bar.known_ns <= now - (not rule.seconds)]
    assert then == later


def test_volumes_beyond_64_bits_add_up(tmp_path: Path) -> None:
    most = 2**64 - 1
    reader = LakeReader(lake_of(tmp_path, *(swap(n, base_units=most, quote_units=most) for n in range(5))))
    (bar,) = read_bars(reader, BarRule(seconds=60))
    assert (bar.base_units, bar.quote_units, bar.close) == (5 * most, 5 * most, Fraction(1))


def test_the_higher_of_two_prices_that_floats_cannot_tell_apart(tmp_path: Path) -> None:
    low, high = (2**64 - 3, 2**64 - 2), (2**64 - 2, 2**64 - 1)  # n / (n + 1) rises with n
    assert low[0] / low[1] == high[0] / high[1]
    for order in ((low, high), (high, low)):
        swaps = [swap(n, quote_units=quote, base_units=base) for n, (quote, base) in enumerate(order)]
        (bar,) = read_bars(LakeReader(lake_of(tmp_path / str(order == (low, high)), *swaps)), BarRule(seconds=60))
        assert (bar.high, bar.low) == (Fraction(*high), Fraction(*low))


def test_bars_of_time_lie_within_the_range_and_are_whole(tmp_path: Path) -> None:
    reader = LakeReader(lake_of(tmp_path, *(swap(n) for n in range(0, 600, 10))))
    found = list(read_bars(reader, BarRule(seconds=60), start_ns=MIDNIGHT + 1, end_ns=MIDNIGHT + 5 * MINUTE - 1))
    assert [(bar.start_ns - MIDNIGHT) // MINUTE for bar in found] == [1, 2, 3]
    assert all(bar.buys + bar.sells == 6 for bar in found)


def test_empty_minutes_are_left_out_or_repeat_the_close(tmp_path: Path) -> None:
    swaps = [swap(0), swap(200, quote_units=9_000_000), swap(65, "Pool2"), swap(86_410)]
    reader = LakeReader(lake_of(tmp_path, *swaps))
    assert len(bars(reader, BarRule(seconds=60))) == 4
    filled = list(read_bars(reader, BarRule(seconds=60), fill=True))
    first = [bar for bar in filled if bar.pool == "Pool1"]
    assert [bar.start_ns for bar in first] == [MIDNIGHT + n * MINUTE for n in range(1441)]
    price = Fraction(5_000, 1_000_000)
    empty = replace(first[0], start_ns=MIDNIGHT + MINUTE, known_ns=MIDNIGHT + 2 * MINUTE, base_units=0, quote_units=0)
    assert first[1] == replace(empty, buys=0, sells=0, open=price, high=price, low=price, close=price)
    assert first[4].open == first[4].close == first[3].close == Fraction(9_000_000, 1_000_200)
    assert len(filled) == 1441 + 1


def test_many_pools_are_read_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LakeReader(lake_of(tmp_path, *many_swaps(500, pools=7)))
    whole = bars(reader, BarRule(trades=3))
    monkeypatch.setattr("pumpswap.market.lake.bars._ROWS_AT_ONCE", 60)
    assert bars(reader, BarRule(trades=3)).equals(whole)
    assert whole.get_column("pool").n_unique() == 7


def test_one_pool_and_one_day(tmp_path: Path) -> None:
    reader = LakeReader(lake_of(tmp_path, swap(1), swap(2, "Pool2"), swap(86_400 + 5)))
    (bar,) = read_bars(reader, BarRule(seconds=86_400), "Pool1", end_ns=MIDNIGHT + DAY)
    assert (bar.pool, bar.start_ns, bar.known_ns, bar.buys, bar.sells) == ("Pool1", MIDNIGHT, MIDNIGHT + DAY, 0, 1)


def test_an_empty_lake_has_no_bars(tmp_path: Path) -> None:
    assert bars(LakeReader(Lake(tmp_path)), BarRule(seconds=60)).height == 0


def test_prices_for_people() -> None:
    assert Bar.price(Fraction(5_000, 1_000_000)) == Decimal("0.000005")
    assert Bar.price(Fraction(1, 3), 9, 9) == Decimal("0.3333333333333333333333333333")


@pytest.mark.parametrize("wrong", [{}, {"seconds": 60, "trades": 1}, {"trades": -1}, {"seconds": 7}])
def test_a_rule_is_one_rule(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        BarRule(**wrong)


def test_only_bars_of_time_are_filled(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only bars of time"):
        bars(LakeReader(Lake(tmp_path)), BarRule(trades=2), fill=True)
