"""The enhanced analysis: host's keys, both scores, and what happens when PumpSwap data are missing or break."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.amm.addresses import USDC_MINT
from pumpswap.errors import EndpointDown, UsageError
from pumpswap.model import ScreenReport
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals import NewPoolsSignalAnalyzer, PoolFacts, PumpSwapSignalAnalyzer, SignalResult
from tests.signals.test_analyzer import assert_same, golden_cases
from tests.support.market import SOL, START_NS, graduate

BUSY = {
    "pool_id": "solana_pool",
    "volume_usd_h24": 120_000,
    "reserve_in_usd": 80_000,
    "price_change_percentage_h1": 25,
    "price_change_percentage_h24": 40,
    "transactions_h1_buys": 120,
    "transactions_h1_sells": 40,
    "transactions_h24_buys": 900,
    "transactions_h24_sells": 500,
}
QUIET = {"volume_usd_h24": 300, "reserve_in_usd": 900}
FALLING = {**BUSY, "price_change_percentage_h1": -60}
ENHANCEMENT_KEYS = {
    "pumpswap_available", "pair_address", "current_price", "pumpswap_liquidity", "price_impact_estimate",
    "execution_feasibility",
}  # fmt: skip
FEASIBILITY_KEYS = {"can_buy", "can_sell", "max_buy_sol", "min_liquidity_met"}


def facts(**changes: Any) -> PoolFacts:
    return PoolFacts(graduate(**changes), current_schedule(), START_NS)


class Told:
    """A source that tells the same facts of every pool, or fails."""

    def __init__(self, answer: PoolFacts | Exception) -> None:
        self.answer = answer

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.asyncio
async def test_both_scores_stand_side_by_side_and_the_enhanced_one_is_the_signal_score() -> None:
    analyzer = PumpSwapSignalAnalyzer(source=Told(facts()))
    merged = await analyzer.analyze_pool_enhanced(BUSY)
    base = NewPoolsSignalAnalyzer().analyze_pool_signals(BUSY)
    result = analyzer.enhance(base, facts())
    assert merged["base_signal_score"] == base.signal_score
    assert merged["signal_score"] == merged["final_signal_score"] == result.enhanced_score != base.signal_score
    assert merged["signals"] == base.signals
    assert merged["volume_trend"] == base.volume_trend
    assert merged.keys() >= ENHANCEMENT_KEYS
    assert merged["execution_feasibility"].keys() >= FEASIBILITY_KEYS


@pytest.mark.asyncio
async def test_the_pumpswap_keys_alone_are_the_plans() -> None:
    state = graduate()
    found = await PumpSwapSignalAnalyzer(source=Told(facts())).analyze_pool_for_pumpswap(BUSY)
    assert found.keys() >= ENHANCEMENT_KEYS
    assert "signal_score" not in found
    assert found["pair_address"] == str(state.address)
    assert found["pumpswap_liquidity"] == pytest.approx(84.990359057)
    assert found["pumpswap_liquidity_lamports"] == 84_990_359_057
    assert found["current_price"] == pytest.approx(4.107799e-7)
    assert found["price_impact_estimate"] == pytest.approx(1.162, abs=1e-3)  # per cent, for 1 SOL
    assert found["pumpswap_data_source"] == "chain"
    assert found["pool_kind"] == "canonical"
    assert found["token_screen"] == {"verdict": "not_requested", "reasons": []}
    feasibility = found["execution_feasibility"]
    assert feasibility["max_buy_sol"] * SOL == pytest.approx(feasibility["max_buy_lamports"])
    parts = feasibility["parts"]
    assert feasibility["score"] == pytest.approx(0.4 * parts["depth"] + 0.4 * parts["impact"] + 0.2 * parts["size"])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "no source of PumpSwap data is configured"),
        (Told(EndpointDown("node.example does not answer")), "node.example does not answer"),
        (Told(facts(quote_mint=USDC_MINT)), f"quoted in {USDC_MINT}, not in wrapped SOL"),
        (Told(ValueError("a bug")), "an error in the analysis: ValueError: a bug"),
    ],
)
@pytest.mark.asyncio
async def test_missing_or_failing_pumpswap_data_leave_the_base_result_unchanged(
    source: Told | None, reason: str
) -> None:
    analyzer = PumpSwapSignalAnalyzer(source=source)
    merged = await analyzer.analyze_pool_enhanced(BUSY)
    base = asdict(NewPoolsSignalAnalyzer().analyze_pool_signals(BUSY))
    assert {name: merged[name] for name in base} == base
    assert merged["pumpswap_available"] is False
    assert merged["pumpswap_error"] == reason
    assert merged["final_signal_score"] == merged["base_signal_score"] == base["signal_score"]
    assert (merged["tradeable"], merged["recommended_action"], merged["execution_priority"]) == (False, "monitor", 3)
    assert await analyzer.analyze_pool_for_pumpswap(BUSY) == {"pumpswap_available": False, "pumpswap_error": reason}


@pytest.mark.asyncio
async def test_a_bug_in_a_source_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        await PumpSwapSignalAnalyzer(source=Told(KeyError("reserve"))).analyze_pool_enhanced(BUSY)
        await PumpSwapSignalAnalyzer(source=Told(EndpointDown("away"))).analyze_pool_enhanced(BUSY)
    (record,) = caplog.records  # a source that is away is no bug
    assert record.message == "pool-facts-failed"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


@dataclass
class Row:
    """What a caller may hand over instead of its dictionary."""

    pool_id: str = "solana_pool"


@pytest.mark.parametrize("row", [None, Row(), "solana_pool", [BUSY], 7])
@pytest.mark.asyncio
async def test_what_is_no_dictionary_is_an_error_result_and_never_tradeable(row: Any) -> None:
    analyzer = PumpSwapSignalAnalyzer(source=Told(facts()))
    failed = SignalResult(0.0, "stable", "stable", 0.0, 0.0, 0.0, {})
    assert analyzer.analyze_pool_signals(row) == failed
    merged = await analyzer.analyze_pool_enhanced(row)
    assert (merged["tradeable"], merged["pumpswap_available"], merged["signal_score"]) == (False, False, 0.0)
    assert merged["pumpswap_error"] == f"pool data are a dictionary, not a {type(row).__name__}"


@pytest.mark.parametrize("history", [[None], "history", 5, [BUSY, "row"]])
def test_a_history_that_is_none_is_an_error_result(history: Any) -> None:
    assert NewPoolsSignalAnalyzer().analyze_pool_signals(BUSY, history).signals == {}


class Broken:
    """A model with a bug."""

    def analyze_pool_signals(self, current: object, history: object = None) -> SignalResult:
        raise ZeroDivisionError("no data")


@pytest.mark.parametrize("threshold", [75, 0])
@pytest.mark.asyncio
async def test_a_bug_in_a_model_is_logged_and_trades_nothing(caplog: pytest.LogCaptureFixture, threshold: int) -> None:
    """Depth alone lifts a score of 0 above a low threshold: that is no reason to buy."""
    config = {"auto_watchlist_threshold": threshold}
    with caplog.at_level(logging.ERROR):
        merged = await PumpSwapSignalAnalyzer(config, source=Told(facts()), base=Broken()).analyze_pool_enhanced(BUSY)
    assert merged["execution_feasibility"]["can_buy"] is True
    assert merged["final_signal_score"] == pytest.approx(48.8, abs=0.1)
    assert (merged["tradeable"], merged["base_signal_score"], merged["recommended_action"]) == (False, 0.0, "hold")
    assert merged["reasons"][0] == "the base analysis failed"
    assert [record.message for record in caplog.records] == ["base-analysis-failed"]


def enhanced(row: Mapping[str, object], pool: PoolFacts, size: int | None = None) -> Any:
    analyzer = PumpSwapSignalAnalyzer()
    return analyzer.enhance(analyzer.analyze_pool_signals(row), pool, intended_lamports=size)


def test_actions_follow_the_enhanced_score() -> None:
    deep = facts(base_reserve=206_900_000_000_000 * 4, quote_vault=84_990_359_057 * 4)
    assert enhanced(BUSY, deep).recommendation.action == "strong_buy"
    assert enhanced(FALLING, deep).recommendation.action == "strong_sell"
    assert enhanced(QUIET, deep).recommendation.action == "hold"
    assert enhanced(BUSY, deep).recommendation.priority == 1
    middling = PumpSwapSignalAnalyzer({"auto_watchlist_threshold": 40}).enhance(
        NewPoolsSignalAnalyzer().analyze_pool_signals(QUIET), deep
    )
    assert 40 < middling.enhanced_score < 85
    assert middling.recommendation.action == "buy"
    assert middling.recommendation.priority == 2


def test_what_cannot_be_traded_is_held_however_high_its_score() -> None:
    unknown = PoolFacts(graduate(), current_schedule(), START_NS, ScreenReport("mint", START_NS, ()))
    result = enhanced(BUSY, unknown)
    assert result.enhanced_score > 75  # analysis goes on
    assert not result.tradeable
    assert result.recommendation.action == "hold"
    assert result.reasons == ("whether the token is safe is not known: no check was made",)
    assert enhanced(FALLING, unknown).tradeable  # selling what is held is not stopped by it


def test_a_named_size_must_fit_and_the_default_one_is_a_yardstick() -> None:
    small = facts(base_reserve=206_900_000_000_000 // 8, quote_vault=84_990_359_057 // 8)
    by_default, named = enhanced(BUSY, small), enhanced(BUSY, small, SOL)
    assert by_default.feasibility.reasons == named.feasibility.reasons
    assert not by_default.feasibility.intended_fits
    assert by_default.tradeable
    assert not named.tradeable
    assert enhanced(BUSY, small, SOL // 10).tradeable
    assert by_default.enhanced_score == named.enhanced_score


def test_an_empty_pool_of_a_perfect_base_score_gets_half_of_it() -> None:
    base = SignalResult(100.0, "spike", "growing", 20.0, 100.0, 50.0, {"momentum_direction": "bullish"})
    result = PumpSwapSignalAnalyzer().enhance(base, facts(base_reserve=0, quote_vault=0))
    assert (result.enhanced_score, result.boost, result.feasibility_score) == (50.0, 1.0, 0.0)
    assert result.as_dict()["current_price"] is None
    assert not result.tradeable


def test_figures_that_cannot_be_read_are_never_tradeable() -> None:
    result = enhanced({"volume_usd_h24": "none of your business"}, facts())
    assert result.base.signal_score == 0
    assert result.reasons == ("the base analysis failed",)
    assert result.recommendation.action == "hold"


def test_no_facts_without_a_reason_still_say_something() -> None:
    base = NewPoolsSignalAnalyzer().analyze_pool_signals(BUSY)
    assert PumpSwapSignalAnalyzer().enhance(base, None).unavailable == "no PumpSwap data were given"
    assert PumpSwapSignalAnalyzer().enhance(base, None, unavailable="gone").reasons == ("gone",)


def test_the_callers_own_mistakes_are_raised() -> None:
    analyzer = PumpSwapSignalAnalyzer()
    base = analyzer.analyze_pool_signals(BUSY)
    with pytest.raises(UsageError, match="intended size"):
        analyzer.enhance(base, facts(), intended_lamports=0)
    with pytest.raises(UsageError, match="base score"):
        analyzer.enhance(SignalResult(101.0, "", "", 0, 0, 0, {}), facts())


class OwnModel:
    """A base analyser of the user's: any object with the host's method."""

    def analyze_pool_signals(
        self, current: Mapping[str, object], history: Sequence[Mapping[str, object]] | None = None
    ) -> SignalResult:
        return SignalResult(42.0, "stable", "stable", 0.0, 0.0, 0.0, {"momentum_direction": "bearish"})


@pytest.mark.asyncio
async def test_a_base_analyser_of_your_own_takes_the_place_of_the_hosts() -> None:
    analyzer = PumpSwapSignalAnalyzer(source=Told(facts()), base=OwnModel())
    merged = await analyzer.analyze_pool_enhanced(BUSY)
    assert merged["base_signal_score"] == 42.0
    assert merged["side"] == "short"


def test_it_is_the_hosts_analyser_under_all_its_names() -> None:
    analyzer = PumpSwapSignalAnalyzer({"auto_watchlist_threshold": 60, "pumpswap": {"enabled": True}})
    result = analyzer.analyze_pool_signals(BUSY)
    assert result == NewPoolsSignalAnalyzer().analyze_pool_signals(BUSY)
    assert analyzer.should_add_to_watchlist(result)
    assert "Signal" in analyzer.generate_alert_message("solana_pool", result)


@pytest.mark.parametrize("case", golden_cases())
def test_the_base_half_of_every_golden_case_equals_the_host(case: dict[str, Any]) -> None:
    analyzer = PumpSwapSignalAnalyzer(case.get("config"))
    base = analyzer.analyze_pool_signals(case["current"], case["history"])
    assert_same(asdict(base), case["expect"])
    merged = analyzer.enhance(base, facts()).as_dict()
    assert_same(merged["base_signal_score"], case["expect"]["signal_score"])
    assert 0 <= merged["final_signal_score"] <= 100
    assert_same({name: merged[name] for name in case["expect"] if name != "signal_score"}, without_score(case))


def without_score(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case["expect"].items() if name != "signal_score"}


def test_settings_change_the_score() -> None:
    base = NewPoolsSignalAnalyzer().analyze_pool_signals(QUIET)
    plain = PumpSwapSignalAnalyzer().enhance(base, facts())
    only_base = FeasibilitySettings(liquidity_weight=Decimal(0), feasibility_weight=Decimal(0), boost_factor=Decimal(1))
    assert PumpSwapSignalAnalyzer(settings=only_base).enhance(base, facts()).enhanced_score == base.signal_score
    assert plain.enhanced_score > base.signal_score
