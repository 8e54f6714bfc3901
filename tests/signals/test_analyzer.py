"""The host's analyser: equal to the host, on every case that is known."""

from __future__ import annotations

import csv
import decimal
import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import BadInput, ConfigError
from pumpswap.model.snapshot import METRIC_KEYS
from pumpswap.signals import NewPoolsSignalAnalyzer, PumpSwapSignalAnalyzer, SignalResult
from tests.support.material import ROOT, material, requires_material

GOLDEN = ROOT / "tests" / "golden" / "host"


def golden_cases() -> list[dict[str, Any]]:
    first = json.loads((GOLDEN / "golden_vectors.json").read_text(encoding="utf-8"))["analyzer"]
    more = json.loads((GOLDEN / "golden_analyzer_more.json").read_text(encoding="utf-8"))["cases"]
    return [*first, *more]


def assert_same(got: object, expected: object) -> None:
    if isinstance(expected, dict):
        assert isinstance(got, dict)
        assert got.keys() == expected.keys()
        for key in expected:
            assert_same(got[key], expected[key])
    elif isinstance(expected, (bool, str)):
        assert got is expected or got == expected
        assert type(got) is type(expected)
    else:
        assert got == pytest.approx(expected, rel=1e-9)


def test_all_golden_cases_of_the_host_are_here() -> None:
    assert len(golden_cases()) == 318


@pytest.mark.parametrize("case", golden_cases())
def test_every_field_equals_the_host(case: dict[str, Any]) -> None:
    result = NewPoolsSignalAnalyzer(case.get("config")).analyze_pool_signals(case["current"], case["history"])
    assert_same(asdict(result), case["expect"])


@requires_material("real", "host_export")
def test_every_stored_score_of_the_export_is_reproduced_within_its_rounding() -> None:
    export = material("real", "host_export", "new_pools_history.csv")
    assert export is not None
    analyzer = NewPoolsSignalAnalyzer()
    with export.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    results = [analyzer.analyze_pool_signals(row) for row in rows]
    assert len(rows) == 4_720
    # The stored values went through a spreadsheet: 4 decimals, and inputs of about 6 digits.
    for field in ("signal_score", "momentum_indicator", "activity_score", "volatility_score"):
        worst = max(abs(getattr(result, field) - float(row[field])) for result, row in zip(results, rows, strict=True))
        assert worst <= 1e-4, field
    assert {result.volume_trend for result in results} == {"unknown"}


def test_a_growth_exactly_on_a_threshold_counts_as_written() -> None:
    # In binary floats 80 / 100 − 1 is below −0.2, and 130 / 100 − 1 above 0.3.
    past = [{"reserve_in_usd": "100"}, {"reserve_in_usd": 100.0}]
    analyze = NewPoolsSignalAnalyzer().analyze_pool_signals
    assert analyze({"reserve_in_usd": 80}, past).liquidity_trend == "stable"
    assert analyze({"reserve_in_usd": "79.9999"}, past).liquidity_trend == "shrinking"
    assert analyze({"reserve_in_usd": 130}, past).liquidity_trend == "stable"
    assert analyze({"reserve_in_usd": 130.0001}, past).liquidity_trend == "growing"


@pytest.mark.parametrize("amount", ["abc", "NaN", "Infinity", "1e999999", object()])
def test_an_unreadable_amount_gives_the_error_result_and_is_an_error_below(amount: object) -> None:
    analyzer = NewPoolsSignalAnalyzer()
    result = analyzer.analyze_pool_signals({"volume_usd_h24": amount})
    assert result == SignalResult(0.0, "stable", "stable", 0.0, 0.0, 0.0, {})
    with pytest.raises(BadInput, match="volume_usd_h24"):
        analyzer.score({"volume_usd_h24": amount})


def test_an_unreadable_amount_in_the_history_counts_like_one_in_the_present() -> None:
    past = [{"volume_usd_h24": "1"}, {"volume_usd_h24": "?"}]
    assert NewPoolsSignalAnalyzer().analyze_pool_signals({"volume_usd_h24": 5}, past).signals == {}


@pytest.mark.parametrize("count", ["x", "NaN", "inf", "1e999", None, "", object()])
def test_an_unreadable_count_is_nothing(count: object) -> None:
    result = NewPoolsSignalAnalyzer().analyze_pool_signals({"transactions_h1_buys": count})
    assert result.activity_score == 0.0


def test_a_threshold_that_is_no_number_is_refused_and_foreign_keys_are_not() -> None:
    with pytest.raises(ConfigError, match="volume_spike_threshold"):
        NewPoolsSignalAnalyzer({"volume_spike_threshold": "much"})
    assert NewPoolsSignalAnalyzer({"auto_watchlist_integration": True}).volume_spike_threshold == 2.0


def test_the_watchlist_takes_a_score_on_the_bound() -> None:
    analyzer = NewPoolsSignalAnalyzer({"auto_watchlist_threshold": 70})
    result = SignalResult(70.0, "unknown", "unknown", 0.0, 0.0, 0.0)
    assert analyzer.should_add_to_watchlist(result)
    assert not analyzer.should_add_to_watchlist(result, 70.1)
    assert not NewPoolsSignalAnalyzer().should_add_to_watchlist(result)


def test_an_alert_names_the_pool_the_score_and_what_was_seen() -> None:
    analyzer = NewPoolsSignalAnalyzer()
    message = analyzer.generate_alert_message("solana_P", analyzer.analyze_pool_signals({"volume_usd_h24": 20_000}))
    assert message.splitlines()[0] == "Signal 16.0 of 100 for solana_P"
    assert message.splitlines()[-1] == "signs: volume spike"
    assert "signs" not in analyzer.generate_alert_message("solana_P", analyzer.analyze_pool_signals({}))


amounts = st.one_of(
    st.none(),
    st.just(""),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.integers().map(str),
)
rows = st.dictionaries(st.sampled_from(METRIC_KEYS), amounts)


@given(rows, st.lists(rows, max_size=4))
def test_scores_lie_between_0_and_100_whatever_the_figures(
    current: dict[str, object], history: list[dict[str, object]]
) -> None:
    result = NewPoolsSignalAnalyzer().analyze_pool_signals(current, history)
    for score in (result.signal_score, result.activity_score, result.volatility_score):
        assert 0.0 <= score <= 100.0


@given(rows, st.lists(rows, max_size=4))
def test_the_order_of_the_history_changes_nothing(current: dict[str, object], history: list[dict[str, object]]) -> None:
    analyze = NewPoolsSignalAnalyzer().analyze_pool_signals
    forwards, backwards = analyze(current, history), analyze(current, history[::-1])
    assert forwards.signal_score == pytest.approx(backwards.signal_score)


def test_the_arithmetic_does_not_depend_on_the_callers_decimal_context() -> None:
    current = {"price_change_percentage_h1": "12.3456789", "volume_usd_h24": "98765.4321"}
    expected = NewPoolsSignalAnalyzer().score(current)
    with decimal.localcontext() as context:
        context.prec = 3
        assert NewPoolsSignalAnalyzer().score(current) == expected
    assert expected.momentum.indicator == Decimal("8.2304526")


def test_callers_of_the_host_may_name_its_parameters() -> None:
    row = {"volume_usd_h24": 31_000}
    for made in (NewPoolsSignalAnalyzer(), PumpSwapSignalAnalyzer()):
        named = made.analyze_pool_signals(current_data=row, historical_data=[row, row])
        assert named == made.analyze_pool_signals(row, [row, row])
