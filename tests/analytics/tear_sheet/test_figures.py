"""Figures of a tear sheet: bins and bands that lose nothing, spreads, dollars, curves."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.analytics.performance.result import CurvePoint, Day
from pumpswap.analytics.tear_sheet import PricePath, ScoredRound, SolUsd, biggest_pools, score_bands, sheet_json
from pumpswap.analytics.tear_sheet.charts import (
    MOST_DAYS,
    curve_figure,
    days_figure,
    falls_of,
    gains_figure,
    landing_figure,
    price_figure,
)
from pumpswap.analytics.tear_sheet.execution import spread_of
from pumpswap.analytics.tear_sheet.metric_rows import metric_rows
from pumpswap.analytics.tear_sheet.words import said
from tests.analytics.tear_sheet.accounts import MINUTE, SOL, START, Trip, account, random_trips

SHARES = st.floats(-1, 50, allow_nan=False, allow_subnormal=False)


@given(st.lists(SHARES, min_size=1, max_size=60))
def test_bins_count_every_value_once_and_are_few(values: list[float]) -> None:
    (bars,) = gains_figure(values)["data"]
    assert sum(bars["y"]) == len(values)
    assert 1 <= len(bars["x"]) <= 60
    assert len(bars["x"]) == len(bars["y"]) == len(bars["hovertext"])


@given(st.lists(st.floats(-0.5, 0.5, allow_subnormal=False), min_size=5, max_size=60))
def test_a_bar_left_of_zero_is_a_loss_and_one_right_of_it_a_gain(values: list[float]) -> None:
    (bars,) = gains_figure(values)["data"]
    for middle, colour in zip(bars["x"], bars["marker"]["color"], strict=True):
        assert colour == ("$gain" if middle >= 0 else "$loss")


def test_times_begin_at_zero() -> None:
    (bars,) = landing_figure([0.8, 1.2, 3.0])["data"]
    assert bars["x"][0] - bars["width"] / 2 >= 0
    assert sum(bars["y"]) == 3


SCORED = st.builds(
    ScoredRound, st.floats(0, 100, allow_nan=False), st.integers(1, 10**12), st.integers(-(10**12), 10**12)
)


@given(st.lists(SCORED, max_size=80))
def test_bands_hold_every_round_once_and_its_score(rounds: list[ScoredRound]) -> None:
    bands = score_bands(rounds)
    assert sum(band.rounds for band in bands) == len(rounds)
    assert sum(band.gain_lamports for band in bands) == sum(one.gain_lamports for one in rounds)
    assert sum(band.won for band in bands) == sum(one.gain_lamports > 0 for one in rounds)
    for band in bands:
        assert band.lowest - 1e-9 <= band.mean_score <= band.highest + 1e-9
        assert band.rounds > 0


def test_the_highest_score_belongs_to_the_band_below_it() -> None:
    bands = score_bands([ScoredRound(100.0, SOL, SOL), ScoredRound(95.0, SOL, -SOL), ScoredRound(94.9, SOL, SOL // 2)])
    assert [(band.lowest, band.highest, band.rounds) for band in bands] == [(90.0, 95.0, 1), (95.0, 100.0, 2)]
    assert bands[1].mean.value == 0.0
    assert (bands[1].win_rate.value, bands[1].won) == (0.5, 1)
    assert score_bands([]) == []
    assert score_bands([ScoredRound(80.0, 0, 5)]) == []  # nothing was paid: there is no result to speak of


def test_a_spread_of_one_value_is_that_value() -> None:
    one = spread_of([0.25])
    assert one is not None
    assert (one.mean, one.lowest, one.highest, one.percentiles) == (0.25, 0.25, 0.25, {5: 0.25, 50: 0.25, 95: 0.25})
    assert spread_of([]) is None
    hundred = spread_of([number / 100 for number in range(1, 101)])
    assert hundred is not None
    assert hundred.percentiles == {5: 0.05, 50: 0.5, 95: 0.95}


@pytest.mark.parametrize(("lamports", "dollars"), [(SOL, "150.00"), (-SOL // 3, "-50.00"), (1, "0.00"), (0, "0.00")])
def test_dollars_are_rounded_to_the_cent(lamports: int, dollars: str) -> None:
    assert SolUsd(Decimal(150), "").of(lamports) == Decimal(dollars)
    assert SolUsd(None, "nobody").of(lamports) is None
    assert SolUsd(Decimal(150), "").of(None) is None


def curve(*indices: float) -> list[CurvePoint]:
    return [
        CurvePoint(START + number * MINUTE, round(index * SOL), round(index * SOL), index)
        for number, index in enumerate(indices)
    ]


def test_the_drawdown_is_that_of_the_index() -> None:
    assert [round(fall, 6) for fall in falls_of(curve(1, 1.5, 0.75, 1.5, 3))] == [0, 0, 0.5, 0, 0]
    assert falls_of(curve(0, 0)) == [0.0, 0.0]
    assert len(curve_figure(curve(1, 1.1), moved_capital=False)["data"]) == 2
    assert len(curve_figure(curve(1, 1.1), moved_capital=True)["data"]) == 3


def test_a_curve_of_many_points_is_drawn_with_few_and_keeps_its_ends() -> None:
    points = curve(*(1 + (number * 7919 % 1000) / 1000 for number in range(50_000)))
    equity = curve_figure(points, moved_capital=False)["data"][0]
    assert len(equity["x"]) <= 2_000
    assert equity["y"][0] == points[0].equity_lamports / SOL
    assert equity["y"][-1] == points[-1].equity_lamports / SOL
    assert max(equity["y"]) == max(point.equity_lamports for point in points) / SOL


def test_days_are_bounded_and_coloured_by_their_sign() -> None:
    days = [Day(START + number * 1_440 * MINUTE, 2, 1, (-1) ** number * SOL, -5, 0, None) for number in range(900)]
    (bars,) = days_figure(days)["data"]
    assert len(bars["x"]) == MOST_DAYS
    assert bars["y"][-1] == pytest.approx(-1.000000005)
    assert bars["marker"]["color"][-2:] == ["$gain", "$loss"]


def test_prices_are_exact_where_decimals_are_known_and_raw_where_not() -> None:
    path = PricePath("pool", "COIN", 6, [(START, SOL, 10**12)], [], 0, is_spot=True)
    assert path.price(SOL, 10**12) == 1.0  # a million tokens for one SOL
    assert path.unit == "SOL per million tokens"
    raw = PricePath("pool", "COIN", None, [], [], 0, is_spot=True)
    assert raw.price(SOL, 10**12) == 1_000.0
    assert raw.price(SOL, 0) is None
    assert raw.unit == "lamports per million raw units"


def test_a_price_that_nobody_saw_for_long_is_a_gap() -> None:
    seen = [(START + number * MINUTE, SOL, 10**12) for number in (*range(10), *range(400, 410))]
    path = PricePath("pool", "COIN", 6, seen, [], 0, is_spot=False)
    line = price_figure(path, START, START + 500 * MINUTE)["data"][0]
    assert line["y"].count(None) == 1
    assert line["y"][10] is None


def test_the_biggest_pools_are_those_with_the_largest_sums() -> None:
    gains = [("a", 5), ("b", -9), ("a", -4), ("c", 3), ("d", 3)]
    assert biggest_pools(gains, 3) == [("b", -9), ("c", 3), ("d", 3)]
    assert biggest_pools([], 3) == []


@given(st.lists(st.builds(Trip, st.integers(10**6, SOL), st.one_of(st.none(), st.integers(0, 3 * SOL))), max_size=12))
def test_what_was_earned_is_what_the_wallet_has_more_to_the_lamport(trips: list[Trip]) -> None:
    figures = sheet_json(account(trips))
    paid = sum(trip.paid + 5_000 for trip in trips)
    back = sum(trip.back - 5_000 for trip in trips if trip.back is not None)
    still = sum(trip.paid + 5_000 for trip in trips if trip.back is None)
    assert int(figures["money"]["net_lamports"]) == back - (paid - still)
    assert int(figures["money"]["unexplained_lamports"]) == 0
    by_exit = sum(int(one["gain_lamports"]) for one in figures["by_exit"])
    by_day = sum(int(one["net_lamports"]) for one in figures["by_day"])
    assert by_exit == by_day == int(figures["money"]["net_lamports"])


def test_every_metric_is_said_or_says_why_it_cannot_be() -> None:
    for trips in ([], [Trip(back=None)], [Trip(back=SOL // 2)], random_trips(50)):
        for row in metric_rows(account(trips).performance):
            assert (row.estimate.value is None) == bool(row.estimate.reason), row.name
            if row.estimate.value is not None:
                assert said(row.estimate.value, row.shape) not in ("", "–", "nan"), row.name


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        (0.1234, "share", "12.34\u00a0%"),
        (-0.5, "change", "−50.00\u00a0%"),
        (-1.5e9, "sol", "−1.5"),
        (90e9, "duration", "1\u00a0min\u00a030\u00a0s"),
        (-1.256, "ratio", "−1.26"),
        (1234.4, "count", "1,234"),
        (None, "ratio", "–"),
    ],
)
def test_statistics_are_said_as_people_read_them(value: float | None, shape: str, text: str) -> None:
    assert said(value, shape) == text


def test_impact_and_slippage_of_a_row_are_those_of_its_quotes() -> None:
    from pumpswap.analytics.metrics import slippage_between
    from pumpswap.model import TradeSide
    from pumpswap.storage.fills import FillRow
    from tests.storage.samples import buy_quote, sell_quote  # the sizes of a real trade

    quoted, executed = buy_quote(), buy_quote(base_out=1_880_000_000_000, base_reserve=184_000_000_000_000)
    row = FillRow(
        "o1", "d1", TradeSide.BUY, "p", "m", START, START + 10**9, quoted.base_out, quoted.total_quote,
        executed.base_out, executed.total_quote, executed.gross_quote, executed.base_reserve,
        executed.effective_quote_reserve, 80.0, None, None,
    )  # fmt: skip
    assert isclose(row.slippage, float(slippage_between(quoted, executed)), rel_tol=1e-9)
    assert isclose(row.impact, float(executed.impact), rel_tol=1e-9)
    sold, got = sell_quote(), sell_quote(user_quote_out=400_000_000)
    row = FillRow(
        "o2", "d2", TradeSide.SELL, "p", "m", START, START + 10**9, sold.base_in, sold.user_quote_out, got.base_in,
        got.user_quote_out, got.gross_quote, got.base_reserve, got.effective_quote_reserve, None, None, "stop-loss",
    )  # fmt: skip
    assert Fraction(row.slippage).limit_denominator(10**9) == slippage_between(sold, got).limit_denominator(10**9)
    assert isclose(row.impact, float(got.impact), rel_tol=1e-9)
    assert row.landing_ns == 10**9
