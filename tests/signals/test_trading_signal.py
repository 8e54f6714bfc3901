"""TradingSignal and EnhancedQ50Signal: the names that strategies read, with and without a model's row."""

from __future__ import annotations

from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.amm.largest import cost_over_spot
from pumpswap.amm.quotes import buy_exact_quote
from pumpswap.errors import BadInput
from pumpswap.model import ScreenReport, Side
from pumpswap.signals import EnhancedResult, PoolFacts, PumpSwapSignalAnalyzer
from pumpswap.signals.enhanced_q50_signal import QUALITY_WEIGHTS, enhanced_q50_signal
from pumpswap.signals.trading_signal import TradingSignal, named_side, trading_signal
from tests.signals.test_pumpswap_analyzer import BUSY, FALLING, QUIET
from tests.support.market import SOL, START_NS, graduate

SIGNAL_KEYS = {
    "q10", "q50", "q90", "signal_score", "tradeable", "economically_significant", "high_quality", "side", "vol_regime",
    "variance_regime", "momentum_regime", "kelly_position_size", "position_size_suggestion", "signal_strength",
    "pumpswap_available", "pair_address", "current_price", "liquidity_sol", "price_impact_estimate",
    "max_buy_size_sol", "execution_feasibility_score", "final_signal_score", "execution_priority", "recommended_action",
}  # fmt: skip
Q50_KEYS = {
    "pool_liquidity_sol", "pool_liquidity_usd", "estimated_price_impact", "execution_feasible", "liquidity_validation",
    "liquidity_adjusted_strength", "execution_adjusted_q50", "recommended_position_size", "max_position_by_liquidity",
    "expected_value", "kelly_multiplier", "signal_quality", "quality_score", "quality_factors",
    "pumpswap_data_available", "fallback_reason",
}  # fmt: skip
ROW = {
    "q10": -0.01, "q50": 0.03, "q90": 0.06, "tradeable": True, "economically_significant": True, "high_quality": False,
    "side": 1, "vol_regime": "high", "momentum_regime_trending": 1, "kelly_position_size": 0.2,
    "position_size_suggestion": 0.4, "signal_strength": 0.05, "expected_value": 0.002, "enhanced_info_ratio": 0.8,
    "regime_multiplier": 0.85,
}  # fmt: skip


def result(row: dict[str, object] | None = None, *, screen: ScreenReport | None = None, **pool: Any) -> EnhancedResult:
    analyzer = PumpSwapSignalAnalyzer()
    facts = PoolFacts(graduate(**pool), current_schedule(), START_NS, screen)
    return analyzer.enhance(analyzer.analyze_pool_signals(row or BUSY), facts)


def unavailable() -> EnhancedResult:
    analyzer = PumpSwapSignalAnalyzer()
    return analyzer.enhance(analyzer.analyze_pool_signals(BUSY), None, unavailable="the node is away")


def test_every_key_of_the_trading_signal_is_there() -> None:
    assert trading_signal(result()).as_dict().keys() == SIGNAL_KEYS
    assert TradingSignal.__dataclass_fields__.keys() == SIGNAL_KEYS


def test_the_signal_score_is_the_base_and_the_final_one_is_the_enhanced() -> None:
    found = result()
    signal = trading_signal(found)
    assert (signal.signal_score, signal.final_signal_score) == (found.base.signal_score, found.enhanced_score)
    assert signal.liquidity_sol == pytest.approx(84.990359057)
    assert (signal.tradeable, signal.side, signal.recommended_action) == (True, "long", "strong_buy")
    assert signal.q50 is None
    assert signal.max_buy_size_sol == pytest.approx(found.feasibility.max_buy_lamports / SOL)  # type: ignore[union-attr]


def test_the_models_row_decides_direction_and_whether_it_is_tradeable() -> None:
    long = trading_signal(result(FALLING), ROW)
    assert (long.side, long.tradeable, long.q50) == ("long", True, 0.03)
    assert (long.vol_regime, long.variance_regime, long.momentum_regime) == ("high", "high_variance", "trending")
    assert (long.kelly_position_size, long.position_size_suggestion, long.signal_strength) == (0.2, 0.4, 0.05)
    short = trading_signal(result(), {**ROW, "side": 0})
    assert (short.side, short.recommended_action) == ("short", "strong_sell")
    for row in ({**ROW, "tradeable": False}, {**ROW, "tradeable": None}, {**ROW, "tradeable": "perhaps"}):
        assert trading_signal(result(), row).tradeable is False
        assert trading_signal(result(), row).recommended_action == "hold"
    hold = trading_signal(result(), {**ROW, "side": -1})
    assert (hold.side, hold.recommended_action) == ("hold", "hold")


def test_a_model_that_would_trade_cannot_make_a_pool_tradeable() -> None:
    unsafe = result(screen=ScreenReport("mint", START_NS, ()))
    assert trading_signal(unsafe, ROW).tradeable is False
    assert trading_signal(unsafe, {**ROW, "side": 0}).tradeable is True
    away = trading_signal(unavailable(), ROW)
    assert (away.tradeable, away.pumpswap_available, away.recommended_action) == (False, False, "monitor")
    assert (away.pair_address, away.liquidity_sol, away.execution_feasibility_score) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("given", "side"),
    [(1, Side.LONG), (0.0, Side.SHORT), (-1, Side.HOLD), ("LONG", Side.LONG), ("hold", Side.HOLD), (Side.SHORT,) * 2],
)
def test_sides_are_read_with_the_frames_code(given: object, side: Side) -> None:
    assert named_side(given) is side


@pytest.mark.parametrize("given", [2, 0.5, True, False, None, "buy", float("nan"), [1]])
def test_any_other_side_is_refused(given: object) -> None:
    with pytest.raises(BadInput, match="no side"):
        named_side(given)


def test_what_is_no_number_is_refused_and_what_is_unknown_is_none() -> None:
    with pytest.raises(BadInput, match="q10"):
        trading_signal(result(), {**ROW, "q10": "low"})
    unknown = trading_signal(result(), {**ROW, "q10": float("nan"), "vol_regime": None, "variance_regime_extreme": 1})
    assert (unknown.q10, unknown.vol_regime) == (None, "extreme")


def test_every_key_of_the_enhanced_q50_signal_is_there() -> None:
    found = enhanced_q50_signal(result(), ROW, sol_usd=200.0, volume_usd=120_000).as_dict()
    assert found.keys() == SIGNAL_KEYS | Q50_KEYS
    assert found["liquidity_validation"].keys() == {
        "status", "is_valid", "pool_liquidity_sol", "pool_liquidity_usd", "estimated_price_impact",
        "max_trade_size_sol", "recommended_trade_size_sol", "validation_details", "error_message",
    }  # fmt: skip


def test_the_figures_of_the_enhanced_q50_signal() -> None:
    pool = result()
    found = enhanced_q50_signal(pool, ROW, sol_usd=200.0, volume_usd=6_000)
    quote = buy_exact_quote(pool.facts.state, pool.facts.schedule, SOL)  # type: ignore[union-attr]
    assert found.pool_liquidity_usd == pytest.approx(84.990359057 * 200)
    assert found.execution_adjusted_q50 == pytest.approx(0.03 - float(cost_over_spot(quote)))
    assert found.liquidity_adjusted_strength == pytest.approx(0.05 * (0.7 * 1.0 + 0.3 * 1.0))
    assert found.recommended_position_size == 0.4
    assert found.expected_value == 0.002
    assert found.kelly_multiplier == 0.85
    assert found.quality_factors == pytest.approx(
        {
            "base_quality": 0.5, "economic_significance": 1.0, "tradeable": 1.0, "signal_strength": 0.5,
            "execution_feasible": 1.0, "liquidity": 0.84990359057, "volume": 0.6, "expected_value": 1.0,
            "info_ratio": 0.8,
        }
    )  # fmt: skip
    assert found.quality_score == pytest.approx(
        0.15 * (0.5 + 1 + 1 + 0.5 + 1) + 0.1 * 0.84990359057 + 0.05 * (0.6 + 1 + 0.8)
    )
    assert found.signal_quality == "excellent"
    assert sum(QUALITY_WEIGHTS.values()) == pytest.approx(1)


def test_a_cost_above_the_expected_change_leaves_nothing_and_never_turns_it_round() -> None:
    found = enhanced_q50_signal(result(), {**ROW, "q50": -0.001, "side": 0})
    assert found.execution_adjusted_q50 == 0


def test_without_pumpswap_data_there_is_no_size_and_the_reason_is_told() -> None:
    found = enhanced_q50_signal(unavailable(), ROW)
    assert (found.pumpswap_data_available, found.fallback_reason) == (False, "the node is away")
    assert (found.recommended_position_size, found.execution_feasible) == (0.0, False)
    assert found.execution_adjusted_q50 is None
    assert found.liquidity_validation == {
        "status": "no_data",
        "is_valid": False,
        "error_message": "the node is away",
    }


def test_the_liquidity_check_tells_thin_pools_from_costly_trades() -> None:
    def status(**pool: int) -> str:
        return str(enhanced_q50_signal(result(QUIET, **pool), ROW).liquidity_validation["status"])

    base, quote = 206_900_000_000_000, 84_990_359_057
    assert status() == "sufficient"
    assert status(base_reserve=base // 10, quote_vault=quote // 10) == "insufficient"
    assert status(base_reserve=base // 8, quote_vault=quote // 8) == "excessive_impact"
