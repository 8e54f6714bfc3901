"""The enhanced score as a signal of a run: the bound applies to it, and what cannot be traded is held."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from pumpswap.amm import PoolState, current_schedule
from pumpswap.errors import ConfigError
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate, PoolSnapshot, Side
from pumpswap.signals import EnhancedScoreSignaller, PoolFacts, PumpSwapSignalAnalyzer, SignalResult
from tests.support.market import START_NS, graduate, snapshot

BUSY = {
    "volume_usd_h24": "120000",
    "reserve_in_usd": "80000",
    "price_change_percentage_h1": "25",
    "price_change_percentage_h24": "40",
    "transactions_h1_buys": "120",
    "transactions_h1_sells": "40",
    "transactions_h24_buys": "900",
    "transactions_h24_sells": "500",
}
QUIET = {"volume_usd_h24": "2000", "reserve_in_usd": "80000"}


def seen(**metrics: str) -> PoolSnapshot:
    """A collector's row about the graduate."""
    return dataclasses.replace(snapshot(graduate(), 0), metrics=metrics)


def book(*updates: MarketUpdate) -> PoolBook:
    known = PoolBook()
    for update in updates:
        known.apply(update)
    return known


def knowing(state: PoolState) -> PoolBook:
    return book(MarketUpdate(START_NS, str(state.address), state))


def signaller(states: PoolBook, threshold: float = 75.0, **options: PumpSwapSignalAnalyzer) -> EnhancedScoreSignaller:
    return EnhancedScoreSignaller(threshold, states, lambda _: current_schedule(), **options)


def test_the_score_is_the_analysers_and_the_reasons_tell_both() -> None:
    state, row = graduate(), seen(**BUSY)
    signal = signaller(knowing(state)).signal(row)
    analyzer = PumpSwapSignalAnalyzer()
    facts = PoolFacts(state, current_schedule(), row.at_ns)
    expected = analyzer.enhance(analyzer.analyze_pool_signals(row.metrics), facts)
    assert (signal.score, signal.side, signal.source) == (expected.enhanced_score, Side.LONG, "enhanced-score")
    assert signal.strength == pytest.approx(expected.enhanced_score / 100)
    assert any(reason.startswith("volume 120,000 USD") for reason in signal.reasons)
    assert f"base score {expected.base.signal_score:.1f}" in signal.reasons
    assert "depth 84.990359057 SOL: liquidity factor 0.850" in signal.reasons
    assert any("moves the price by 1.16 %" in reason for reason in signal.reasons)
    assert signal.reasons[-1].endswith(": long")


def test_the_bound_applies_to_the_enhanced_score() -> None:
    row, known = seen(**QUIET), knowing(graduate(base_reserve=10**15, quote_vault=400 * 10**9))
    signal = signaller(known, 50.0).signal(row)
    base = PumpSwapSignalAnalyzer().analyze_pool_signals(row.metrics).signal_score
    assert base < 50 < signal.score
    assert signal.side is Side.LONG
    assert signaller(known, signal.score + 0.001).signal(row).side is Side.HOLD


def test_a_falling_price_is_short() -> None:
    falling = seen(**{**BUSY, "price_change_percentage_h1": "-60"})
    assert signaller(knowing(graduate())).signal(falling).side is Side.SHORT


def test_without_a_state_the_score_is_the_base_score_and_nothing_is_bought() -> None:
    row = seen(**BUSY)
    base = PumpSwapSignalAnalyzer().analyze_pool_signals(row.metrics).signal_score
    pool = row.pool
    for known, reason in (
        (book(), "no state of this pool is known"),
        (book(MarketUpdate(START_NS, pool, graduate()), MarketUpdate(START_NS, pool, obstacle="gone")), "gone"),
    ):
        signal = signaller(known).signal(row)
        assert (signal.score, signal.side) == (base, Side.HOLD)
        assert f"not enhanced: {reason}" in signal.reasons
        assert signal.reasons[-1].endswith(f"but it could not be traded: {reason}")


def test_a_pool_that_is_too_shallow_is_held_with_its_numbers() -> None:
    thin = knowing(graduate(base_reserve=20_000_000_000_000, quote_vault=9 * 10**9))
    signal = signaller(thin, 20.0).signal(seen(**BUSY))
    assert signal.side is Side.HOLD
    assert "the pool holds 9 SOL, at least 10 are asked for" in signal.reasons[-1]


class Steady:
    """A model of the user's."""

    def analyze_pool_signals(
        self, current: Mapping[str, object], history: Sequence[Mapping[str, object]] | None = None
    ) -> SignalResult:
        return SignalResult(90.0, "stable", "stable", 0.0, 0.0, 0.0, {"momentum_direction": "neutral"})


def test_a_model_of_your_own_does_not_get_the_hosts_reasons() -> None:
    own = signaller(knowing(graduate()), analyzer=PumpSwapSignalAnalyzer(base=Steady())).signal(seen(**QUIET))
    assert own.reasons[0] == "base score 90.0"
    assert own.side is Side.LONG


def test_a_threshold_that_cannot_be_reached_is_refused() -> None:
    with pytest.raises(ConfigError):
        signaller(book(), 101.0)
